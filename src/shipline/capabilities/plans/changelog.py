"""Changelogs in the style of Keep a Changelog 1.1.0 (https://keepachangelog.com/en/1.1.0/). Pure text.

An existing file is never rewritten: a section is put in, and every other character stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shipline.domain.change import DEPENDENCIES, Change
from shipline.domain.release_plan import PackagePlan

HEAD = "# Changelog\n\nAll notable changes are listed here, the latest release first.\n\n"
UNRELEASED = "Unreleased"
BREAKING = "Breaking changes"
SECTIONS = {"feat": "Added", "perf": "Changed", "fix": "Fixed", "revert": "Reverted", DEPENDENCIES: "Dependencies"}
NO_CHANGES = "No changes that users notice."
LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z, the last that RFC 3339 can write

LINE = re.compile(r"[^\n]*\n|[^\n]+")
FENCE = re.compile(r" {0,3}(```|~~~)")
HEADING = re.compile(r"##[ \t]+\[?([^\]\s(]+)")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class Section:
    """One release of the changelog. `title` is its version, or UNRELEASED; `time_us` None leaves the date out."""

    title: str
    changes: tuple[Change, ...]
    time_us: int | None = None


def is_notable(change: Change) -> bool:
    """True for what users notice, which alone stands in the changelog."""
    return change.breaking or change.type in SECTIONS


def render_section(plan: PackagePlan, *, time_us: int | None = None) -> str:
    """The changelog's section of a planned release; UNRELEASED while `time_us`, the release's instant, is not set."""
    title = plan.next if plan.next is not None and time_us is not None else UNRELEASED
    return render(Section(title, plan.changes, time_us))


def render_all(sections: Iterable[Section]) -> str:
    """A whole changelog, with its head, in the order of `sections`."""
    return HEAD + "\n".join(render(section) for section in sections)


def render(section: Section) -> str:
    """One section: a heading, then what breaks, then the rest by kind; ends with one line break."""
    date = "" if section.time_us is None else f" - {rfc3339(section.time_us)[:10]}"
    blocks = [f"## [{section.title}]{date}\n"]
    grouped = _grouped(section.changes)
    blocks += [
        f"### {title}\n\n" + "".join(grouped[title]) for title in (BREAKING, *SECTIONS.values()) if grouped[title]
    ]
    return "\n".join(blocks if len(blocks) > 1 else [*blocks, f"{NO_CHANGES}\n"])


def rfc3339(time_us: int) -> str:
    """UTC microseconds as RFC 3339, to the second. Times that no calendar holds become the nearest that it does."""
    second = min(max(time_us // 1_000_000, 0), LAST_SECOND)
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def has_section(text: str, version: str) -> bool:
    """True if the changelog `text` has a section of `version`."""
    return any(title == version for title, _ in _headings(text))


def prepend(existing: str, section: str, version: str) -> str:
    """`existing` with `section` put before its latest release, and nothing else changed.

    A section of `version` that is there already stays, since people may have written in it; so a second call changes
    nothing. An "Unreleased" section stays on top. The section takes the line breaks of the file. `existing` must
    have been read without translation of line breaks; bytes that are not UTF-8 survive as surrogate escapes.
    """
    newline = "\r\n" if existing.partition("\n")[0].endswith("\r") else "\n"
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


def _grouped(changes: Sequence[Change]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {title: [] for title in (BREAKING, *SECTIONS.values())}
    for change in changes:
        if change.breaking:
            grouped[BREAKING] += [_entry(change, note) for note in change.breaking_notes or (change.description,)]
        # A breaking change that is only marked with `!` has been said in full above.
        if change.type in SECTIONS and (change.breaking_notes or not change.breaking):
            grouped[SECTIONS[change.type]].append(_entry(change, change.description))
    return grouped


def _entry(change: Change, text: str) -> str:
    scope = f"**{_safe(change.scope)}:** " if change.scope else ""
    mark = f" ({change.short})" if change.is_commit else ""
    return f"- {scope}{_safe(text)}{mark}\n"


def _safe(text: str) -> str:
    """Text of strangers on one line of Markdown: no control characters, no HTML outside of code spans."""
    if not text.isprintable():
        text = UNPRINTABLE.sub(" ", text)
    if "<" not in text:
        return text
    parts = text.split("`")
    last = len(parts) - 1
    return "`".join(
        part if index % 2 and index != last else part.replace("<", "&lt;") for index, part in enumerate(parts)
    )
