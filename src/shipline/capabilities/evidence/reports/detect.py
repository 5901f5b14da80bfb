"""Which format a report is in, by what stands in it; names and endings of files lie.

Documents are looked at from their start until one format's probe fits, so a telling name that comes late costs a look
at all before it and no more. Where none fits, the error says what was seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

from shipline.capabilities.evidence.reports.markup import local_name, opening_elements
from shipline.capabilities.evidence.reports.probes import Format
from shipline.capabilities.evidence.reports.report import GroupedTally, Reading, Report
from shipline.capabilities.evidence.reports.source import WHOLE_BYTES_MAX, ReportFile
from shipline.domain.errors import InvalidValue

VALUE_LENGTH_MAX = 40
"""Values that a probe asks for are short words."""
NAMES_SHOWN_MAX = 8
_STARTS_OF_MARKUP = (b"<", b"\xff\xfe", b"\xfe\xff")


def read_report_bytes(data: bytes, *, limit_bytes: int = WHOLE_BYTES_MAX, format_name: str = "") -> Report:
    """Read a report that is in memory. Raises InvalidValue as `read_whole` does, and for more than `limit_bytes`."""
    if len(data) > limit_bytes:
        raise InvalidValue(f"the report is larger than {limit_bytes // (1024 * 1024)} MiB")
    return read_whole(ReportFile.of(data), format_name=format_name)


def read_whole(file: ReportFile, *, format_name: str = "") -> Report:
    """Read a report with all its items.

    Its format is found, or named. Raises InvalidValue for a name or a format that is not known, for a report that is
    larger than its format may be, and for whatever the format's reader refuses.
    """
    form = format_of(file, format_name)
    reading = start_reading(file, form)
    items = tuple(reading.items)
    return finished_report(form, reading, items)


def read_summary(file: ReportFile, *, format_name: str = "") -> Report:
    """Read a report to its end and keep no item of it, so that it takes little memory. Raises as `read_whole`."""
    form = format_of(file, format_name)
    reading = start_reading(file, form)
    for _ in reading.items:
        pass
    return finished_report(form, reading, ())


def finished_report(form: Format, reading: Reading, items: tuple[dict[str, object], ...] = ()) -> Report:
    """The report, once all items of the reading were taken; with `items`, those of them that are kept."""
    tally = reading.tally
    groups = tally.groups() if isinstance(tally, GroupedTally) else ()
    return Report(form.kind, tally.tool, form.name, tally.summary(), items, tuple(tally.notes), groups)


def start_reading(file: ReportFile, form: Format) -> Reading:
    """Begin to read. Raises InvalidValue for a file that is larger than the format may be, before it is read."""
    if file.size_bytes > form.limit_bytes:
        raise InvalidValue(
            f"the report is larger than {form.limit_bytes // (1024 * 1024)} MiB, which is what is read of {form.title}",
            todo="have the tool write one report for each part of the project",
        )
    return form.read(file)


def format_of(file: ReportFile, name: str = "") -> Format:
    """The format of the report: the one that is named, or the one whose probe fits."""
    if name:
        return _named(name)
    start = file.head().removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x00")
    if start.startswith(_STARTS_OF_MARKUP):
        return _format_of_markup(file)
    if start[:1] in (b"{", b"["):
        return _format_of_json(file)
    for form in known_formats():
        if any(pattern.search(file.head()) for pattern in form.probe.text):
            return form
    raise _unknown("it is neither XML nor JSON, and no text that is known")


def known_formats() -> tuple[Format, ...]:
    """The table of formats, in its order."""
    from shipline.capabilities.evidence.reports.formats import FORMATS  # noqa: PLC0415 - all readers: some 30 ms

    return FORMATS


def _named(name: str) -> Format:
    found = next((form for form in known_formats() if form.name == name), None)
    if found is None:
        known = ", ".join(form.name for form in known_formats())
        raise InvalidValue(f"there is no report format {name[:60]!r}", todo=f"known formats: {known}")
    return found


def _unknown(why: str) -> InvalidValue:
    return InvalidValue(
        "the report is in no format that is known here",
        why=why,
        todo="known formats: " + ", ".join(form.title for form in known_formats()),
    )


def _format_of_json(file: ReportFile) -> Format:
    search = _Search({form: form.probe.json for form in known_formats()})
    names: list[str] = []
    is_empty = True
    for path, event, value in file.events(several=True):
        is_empty = is_empty and not path and event in ("start_array", "end_array")
        if not path and event == "map_key" and len(names) < NAMES_SHOWN_MAX:
            names.append(value[:VALUE_LENGTH_MAX])
        found = search.see(_mark_of(path, event, value))
        if found is not None:
            return found
    if is_empty:
        raise InvalidValue(
            "the report is an empty list, which several tools write where they found nothing",
            todo="name its format: --format NAME, one of " + ", ".join(form.name for form in known_formats()),
        )
    seen = "with the names " + ", ".join(map(repr, names)) if names else "a list, or an empty one"
    raise _unknown(f"it is a JSON document of another kind, {seen}")


def _mark_of(path: str, event: str, value: Any) -> str:
    """`runs.item.tool` for a name at its place, `kind=PolicyReport` for a short text at its."""
    if event == "map_key":
        return f"{path}.{value}" if path else str(value)
    return f"{path}={value}" if event == "string" and len(value) <= VALUE_LENGTH_MAX else path


def _format_of_markup(file: ReportFile) -> Format:
    search = _Search({form: form.probe.xml for form in known_formats()})
    root = ""
    for ancestors, element in opening_elements(file.chunks(), what="the report"):
        root = root or local_name(element)
        for mark in _marks_of(ancestors, element):
            found = search.see(mark)
            if found is not None:
                return found
    raise _unknown(f"its root element is <{root[:60]}>")


def _marks_of(ancestors: tuple[Element, ...], element: Element) -> Iterator[str]:
    """`coverage`, `coverage@line-rate` for its attributes, `coverage/packages` for what is in it."""
    path = "/".join(local_name(each) for each in (*ancestors, element))
    yield path
    yield from (f"{path}@{name}" for name in element.attrib)


class _Search:
    """Which probe is the first to have seen all that it asks for."""

    def __init__(self, probes: dict[Format, tuple[frozenset[str], ...]]) -> None:
        self._missing = [(form, set(marks)) for form, alternatives in probes.items() for marks in alternatives]
        self._asked = frozenset(mark for _, marks in self._missing for mark in marks)

    def see(self, mark: str) -> Format | None:
        """Note a mark; the format whose probe it was the last for, or None."""
        if mark not in self._asked:
            return None
        for form, marks in self._missing:
            marks.discard(mark)
            if not marks:
                return form
        return None
