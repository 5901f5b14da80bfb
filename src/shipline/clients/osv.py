"""Entries of OSV databases. Source: https://ossf.github.io/osv-schema/, 1.6 and 1.7; older entries have less."""

from __future__ import annotations

import re
from typing import Any

from shipline.domain.advisory import Advisory, AffectedPackage, AffectedRange, RangeType, Turn
from shipline.domain.errors import InvalidValue
from shipline.domain.strict_json import read_json

ENTRY_BYTES_MAX = 16 * 1024 * 1024
WORD_LENGTH_MAX = 300
SUMMARY_LENGTH_MAX = 500
PYPI = "PyPI"
_TURNS = tuple(Turn)
_SEPARATORS = re.compile(r"[-_.]+")


def read_entry(data: bytes, what: str) -> Advisory:
    """The advisory in a document; `what` names it in errors. Raises InvalidValue for what is none, or is of a kind that
    is not known: a range that is passed over would make a version look harmless."""
    return advisory_of(read_json(data, what=what, limit_bytes=ENTRY_BYTES_MAX), what)


def advisory_of(document: object, what: str) -> Advisory:
    """The same for a document that was read already."""
    if not isinstance(document, dict) or not _word(document.get("id")):
        raise InvalidValue(f"{what} is no OSV entry: it has no id")
    what = f"{what} ({document['id'][:60]})"
    severity = document.get("database_specific")
    said = severity.get("severity") if isinstance(severity, dict) else None
    affected = _listed(document.get("affected"), what)
    return Advisory(
        id=_word(document["id"]),
        aliases=tuple(_word(each) for each in _listed(document.get("aliases"), what)),
        summary=" ".join(_text(document.get("summary")).split())[:SUMMARY_LENGTH_MAX],
        severity=_word(said).lower(),
        withdrawn=bool(document.get("withdrawn")),
        affected=tuple(_affected(each, what) for each in affected if isinstance(each, dict) and each.get("package")),
    )


def pypi_name(name: str) -> str:
    """A name as PyPI compares names (PEP 503). OSV wants it so, and not all who write entries do: `Jinja2` is one."""
    return _SEPARATORS.sub("-", name).lower()


def _affected(entry: dict[str, Any], what: str) -> AffectedPackage:
    package = entry["package"]
    if not isinstance(package, dict) or not _word(package.get("name")) or not _word(package.get("ecosystem")):
        raise InvalidValue(f"{what} is about a package without a name or an ecosystem")
    ecosystem = _word(package["ecosystem"]).partition(":")[0]
    return AffectedPackage(
        ecosystem=ecosystem,
        name=pypi_name(_word(package["name"])) if ecosystem == PYPI else _word(package["name"]),
        ranges=tuple(_range(each, what) for each in _listed(entry.get("ranges"), what)),
        versions=tuple(_word(each) for each in _listed(entry.get("versions"), what)),
    )


def _range(entry: object, what: str) -> AffectedRange:
    kind = entry.get("type") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or kind not in tuple(RangeType):
        raise InvalidValue(f"{what} has a range of a type that is not known: {str(kind)[:60]!r}")
    events = [_event(each, what) for each in _listed(entry.get("events"), what)]
    if not any(turn is Turn.INTRODUCED for turn, _ in events):
        raise InvalidValue(f"{what} has a range that begins nowhere")
    return AffectedRange(RangeType(kind), tuple(events))


def _event(entry: object, what: str) -> tuple[Turn, str]:
    if isinstance(entry, dict) and len(entry) == 1:
        ((name, version),) = entry.items()
        if name in _TURNS and _word(version):
            return Turn(name), _word(version)
    raise InvalidValue(f"{what} has an event that is none: {str(entry)[:80]}")


def _listed(value: object, what: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidValue(f"{what} has something else where a list belongs")
    return value


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _word(value: object) -> str:
    return "".join(each for each in _text(value)[:WORD_LENGTH_MAX] if each.isprintable())
