"""Changelogs in the style of Keep a Changelog 1.1.0 (https://keepachangelog.com/en/1.1.0/). Pure text.

An existing file is never rewritten: a section is put in, and every other character stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from string import ascii_letters, digits

from shipline.capabilities.plans.conventional import Message
from shipline.capabilities.plans.entries import Told, people_of
from shipline.capabilities.plans.links import Links
from shipline.capabilities.plans.messages import without_numbers
from shipline.capabilities.plans.moments import rfc3339
from shipline.capabilities.plans.strangers import safe_line, safe_lines
from shipline.domain.change import DEPENDENCIES
from shipline.domain.release_plan import PackagePlan

HEAD = "# Changelog\n\nAll notable changes are listed here, the latest release first.\n\n"
UNRELEASED = "Unreleased"
SHORT_ID = 7
BREAKING = "Breaking changes"
SECTIONS = {"feat": "Added", "perf": "Changed", "fix": "Fixed", "revert": "Reverted", DEPENDENCIES: "Dependencies"}
NO_CHANGES = "No changes that users notice."

NAME_ENDS = frozenset((*ascii_letters, *digits, "_", "/"))  # `a/b#1` names another number than `#1`.

LINE = re.compile(r"[^\n]*\n|[^\n]+")
FENCE = re.compile(r" {0,3}(```|~~~)")
HEADING = re.compile(r"##[ \t]+\[?([^\]\s(]+)")


@dataclass(frozen=True, slots=True)
class Section:
    """One release of the changelog. `title` is its version, or UNRELEASED; `time_us` None leaves the date out.

    `tags` are those of the release before and of this one, None where there is none. `newcomers` are the authors who
    had never contributed before; nobody where that was not looked at.
    """

    title: str
    changes: Sequence[Told]
    time_us: int | None = None
    tags: tuple[str | None, str | None] = (None, None)
    newcomers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Style:
    """How a changelog looks. `sections` are titles by type of change, in their order.

    `links` None writes none. `contributors` names who did it. `upgrade_notes` are texts by what they belong to: the
    number of a request or issue, or the beginning of a commit's id. `types` begin a change in a commit's body, beside
    the common ones.
    """

    sections: Mapping[str, str] = field(default_factory=lambda: SECTIONS)
    links: Links | None = None
    contributors: bool = False
    upgrade_notes: Mapping[str, str] = field(default_factory=dict)
    types: tuple[str, ...] = ()


PLAIN = Style()


def is_notable(change: Told | Message, style: Style = PLAIN) -> bool:
    """True for what users notice, which alone stands in the changelog."""
    return change.breaking or change.type in style.sections


def section_of(plan: PackagePlan, *, time_us: int | None = None) -> Section:
    """A planned release as a section; UNRELEASED while `time_us`, the release's instant, is not set."""
    released = plan.next is not None and time_us is not None
    before = plan.tag.replace(plan.next, plan.current) if plan.tag and plan.next and plan.current else None
    tags = (before, plan.tag if released else "HEAD")
    return Section(str(plan.next) if released else UNRELEASED, plan.changes, time_us, tags)


def render_section(plan: PackagePlan, *, time_us: int | None = None, style: Style = PLAIN) -> str:
    """The changelog's section of a planned release."""
    return render(section_of(plan, time_us=time_us), style)


def render_all(sections: Iterable[Section], style: Style = PLAIN) -> Iterator[str]:
    """A whole changelog in pieces: its head, and the sections in their order."""
    yield HEAD
    for index, section in enumerate(sections):
        yield "\n" + render(section, style) if index else render(section, style)


def render(section: Section, style: Style = PLAIN) -> str:
    """One section: a heading, then what breaks, then the rest by kind, then who did it; ends with one line break."""
    date = "" if section.time_us is None else f" - {rfc3339(section.time_us)[:10]}"
    before, after = section.tags
    address = f"({style.links.compare(before, after)})" if style.links and before and after else ""
    blocks = [f"## [{section.title}]{address}{date}\n"]
    blocks += [
        f"### {title}\n\n" + "".join(lines).rstrip("\n") + "\n"
        for title, lines in grouped(section.changes, style).items()
    ]
    if style.contributors and section.changes:
        blocks.append("### Contributors\n\n" + "".join(_people(section)))
    return "\n".join(blocks if len(blocks) > 1 else [*blocks, f"{NO_CHANGES}\n"])


def has_section(text: str, version: str) -> bool:
    """True if the changelog `text` has a section of `version`."""
    return any(title == version for title, _ in _headings(text))


def section_titles(text: str) -> tuple[str, ...]:
    """The versions that the changelog `text` has sections of, from the top; what is unreleased is none."""
    return tuple(title for title, _ in _headings(text) if title.lower() != UNRELEASED.lower())


def written_section(text: str, version: str) -> str:
    """The section of `version` as it stands in the changelog `text`, heading included; "" where there is none."""
    headings = [*_headings(text), ("", len(text))]
    for (title, start), (_, end) in pairwise(headings):
        if title == version:
            return text[start:end].strip() + "\n"
    return ""


def only_section(text: str, version: str) -> str:
    """The one section of `text`, which is `version`'s: from its heading to the end; "" where that is not what it is."""
    titles = [title for title, _ in _headings(text)]
    return written_section(text, version) if titles == [version] else ""


def prepend(existing: str, section: str, version: str) -> str:
    """`existing` with `section` put before its latest release, and nothing else changed.

    A section of `version` that is there already stays, since people may have written in it; so a second call changes
    nothing. An "Unreleased" section stays on top. The section takes the line breaks of the file. `existing` must
    have been read without translation of line breaks; bytes that are not UTF-8 survive as surrogate escapes.
    """
    line, broken, _ = existing.partition("\n")
    newline = "\r\n" if broken and line.endswith("\r") else "\n"
    added = section.rstrip("\n").replace("\n", newline)
    # The second question is for files whose last code fence is never closed: all below it is code, also our heading.
    if has_section(existing, version) or added in existing:
        return existing
    if not existing.strip("\ufeff \t\r\n"):
        return existing + HEAD.replace("\n", newline) + added + newline
    place = next((start for title, start in _headings(existing) if title.lower() != "unreleased"), len(existing))
    before, after = existing[:place], existing[place:]
    return before + _gap(before, newline) + added + newline + (newline if after else "") + after


def _gap(before: str, newline: str) -> str:
    """What is missing for an empty line at the end of `before`."""
    if not before.strip("\ufeff"):
        return ""
    if not before.endswith("\n"):
        return newline * 2
    line = before[: before.rfind("\n")].rpartition("\n")[2]
    return newline if line.strip() else ""


def _headings(text: str) -> Iterator[tuple[str, int]]:
    """Title and place of each second-level heading outside of code fences; a version's title comes without its v."""
    fence = ""
    for line in LINE.finditer(text):
        mark = FENCE.match(line[0])
        if mark is not None and fence in {"", mark[1]}:
            fence = "" if fence else mark[1]
        heading = HEADING.match(line[0]) if not fence else None
        if heading is not None:
            yield re.sub(r"^v(?=\d)", "", heading[1]), line.start()


def grouped(changes: Sequence[Told], style: Style = PLAIN) -> dict[str, list[str]]:
    """The lines of each title that has any, in the order in which they stand."""
    found: dict[str, list[str]] = {title: [] for title in (BREAKING, *style.sections.values())}
    for change in changes:
        if change.breaking:
            found[BREAKING] += [
                _entry(change, note, style) for note in change.breaking_notes or (change.description,)
            ] + _upgrade(change, style)
        # A breaking change that is only marked with `!` has been said in full above.
        if change.type in style.sections and (change.breaking_notes or not change.breaking):
            found[style.sections[change.type]].append(_entry(change, change.description, style))
    return {title: lines for title, lines in found.items() if lines}


def _entry(change: Told, text: str, style: Style) -> str:
    scope = f"**{safe_line(change.scope)}:** " if change.scope else ""
    if not change.is_commit:
        return f"- {scope}{safe_line(text)}\n" + "".join(
            f"{'  ' * bool(line)}{line}\n" for line in safe_lines(change.body, after=text)
        )
    shown, numbers = safe_line(text), []
    for name in change.references:
        if not shown.endswith(f"({name})") and _is_number(name) and not _names(shown, name):
            numbers.append(name)  # noqa: PERF401 - most have none: a list is not even gone through
    if style.links is None:
        more = f", {', '.join(map(safe_line, numbers))}" if numbers else ""
        return f"- {scope}{shown} ({change.commit[:7]}{more})\n"
    marks = [f"[{change.commit[:7]}]({style.links.commit(change.commit)})"]
    if numbers:
        requests = without_numbers(change.description)[1]
        marks += [style.links.reference(name, request=name in requests) for name in numbers]
    return f"- {scope}{style.links.linked(shown)} ({', '.join(marks)})\n"


def _is_number(name: str) -> bool:
    """True for what a forge has a page of; keys such as ABC-7 are of a tracker that nobody knows here."""
    return "#" in name or "!" in name


def _names(text: str, number: str) -> bool:
    """True where a text has a number, and not one that only begins or ends like it. No pattern: each would be new."""
    end = -1
    while (place := text.find(number, end + 1)) >= 0:
        end = place + len(number)
        if not text[end : end + 1].isdecimal() and text[max(place - 1, 0) : place] not in NAME_ENDS:
            return True
    return False


def has_upgrade_notes(changes: Sequence[Told], style: Style) -> bool:
    """True where one of the entries says what a user has to do."""
    return any(change.breaking and _upgrade(change, style) for change in changes)


def _upgrade(change: Told, style: Style) -> list[str]:
    """What a user has to do, as paragraphs of the entry above."""
    written = [
        text
        for name, text in style.upgrade_notes.items()
        if f"#{name}" in change.references or (len(name) >= SHORT_ID and change.commit.startswith(name))
    ]
    notes = "\n\n".join([*change.upgrade_notes, *written]).strip()
    lines = [f"{'  ' * bool(line)}{line}\n" for line in safe_lines(notes)] if notes else []
    return ["\n", *lines, "\n"] if lines else []


def _people(section: Section) -> list[str]:
    return [
        f"- {safe_line(name)}{', for the first time' if name in section.newcomers else ''}\n"
        for name in people_of(section.changes)
    ]
