"""Users' templates: rendered in Jinja2's sandbox, in a process of its own with bounded time and memory.

A template comes from the repository, so from whoever may commit: it is handed plain data of ours, reaches no files, and
can neither run for ever nor fill the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shipline.capabilities.plans import template_process
from shipline.capabilities.plans.changelog import Section, Style, grouped
from shipline.capabilities.plans.entries import people_of
from shipline.capabilities.plans.moments import rfc3339
from shipline.clients.confined import Unfinished, answer_of
from shipline.domain.errors import UsageError

SOURCE_LENGTH_MAX = 256 << 10
MEMORY_BYTES_MAX = 1 << 30
CPU_S_MAX = 20  # A changelog of 100,000 entries takes a second.
TIMEOUT_S = 60.0
PROGRAM = Path(template_process.__file__)


def render_template(source: str, package: str, sections: Sequence[Section], style: Style) -> str:
    """What the template makes of a package's sections. Whatever goes wrong in it: UsageError that says what."""
    if len(source) > SOURCE_LENGTH_MAX:
        raise _refused(f"it is longer than {SOURCE_LENGTH_MAX >> 10} Ki characters")
    releases = [_release(section, style) for section in sections]
    values = {"package": package, "releases": releases, "release": releases[0] if releases else None}
    request = {"source": source, "values": values, "cpu_s": CPU_S_MAX, "memory_bytes": MEMORY_BYTES_MAX}
    try:
        answer: dict[str, str] = answer_of(PROGRAM, request, timeout_s=TIMEOUT_S, packages=True)
    except Unfinished as error:
        raise _refused(error.what) from None
    if "text" not in answer:
        raise _refused(answer["trouble"])
    return answer["text"]


def _refused(why: str) -> UsageError:
    return UsageError(
        "the changelog's template cannot be rendered",
        why=why,
        todo="mend it, or leave [changelog] template out of shipline.toml",
    )


def _release(section: Section, style: Style) -> dict[str, Any]:
    before, after = section.tags
    people = people_of(section.changes)
    return {
        "title": section.title,
        "date": None if section.time_us is None else rfc3339(section.time_us)[:10],
        "sections": [
            {"title": title, "lines": [line.rstrip("\n") for line in lines]}
            for title, lines in grouped(section.changes, style).items()
        ],
        "changes": [
            {
                "oid": change.commit,
                "type": change.type,
                "scope": change.scope,
                "description": change.description,
                "breaking": change.breaking,
                "notes": list(change.breaking_notes),
                "upgrade_notes": list(change.upgrade_notes),
                "refs": list(change.references),
                "author": change.author,
                "co_authors": list(change.co_authors),
            }
            for change in section.changes
        ],
        "contributors": people,
        "newcomers": sorted(section.newcomers.intersection(people)),
        "compare": style.links.compare(before, after) if style.links and before and after else None,
    }
