"""Users' templates, in Jinja2's sandbox: no attribute of ours but plain data, bounded in output and in steps.

A template comes from the repository, so from whoever may commit: it can neither reach files nor run for ever.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from shipline.capabilities.plans.changelog import Section, Style, grouped, rfc3339
from shipline.domain.errors import UsageError

OUTPUT_LENGTH_MAX = 8 << 20
STEPS_MAX = 5_000_000  # Lines of the compiled template; a changelog of 100,000 entries takes a tenth.
# What makes much of little in one step, where no step is counted.
REFUSED_FILTERS = ("center", "format", "indent", "wordwrap", "xmlattr")
REFUSED_OPERATORS = frozenset({"*", "**", "%"})


class TooMuch(Exception):
    """The template went beyond a bound."""


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = REFUSED_OPERATORS

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if not isinstance(left, int) or not isinstance(right, int) or operator == "**":
            raise TooMuch(f"{operator} is for whole numbers here")
        return super().call_binop(context, operator, left, right)


def render_template(source: str, package: str, sections: Sequence[Section], style: Style) -> str:
    """What the template makes of a package's sections. Whatever goes wrong in it: UsageError that says what."""
    environment = _Sandbox(undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True)
    for name in REFUSED_FILTERS:
        environment.filters.pop(name, None)
    releases = [_release(section, style) for section in sections]
    try:
        template = environment.from_string(source)
        return _bounded(
            template.generate(package=package, releases=releases, release=releases[0] if releases else None)
        )
    except (TemplateError, TooMuch, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise UsageError(
            "the changelog's template cannot be rendered",
            why=f"{type(error).__name__}: {str(error)[:300]}",
            todo="mend it, or leave [changelog] template out of shipline.toml",
        ) from None


def _bounded(pieces: Any) -> str:
    """The pieces as one text, while a count runs of the lines that the template takes."""
    steps = 0

    def count(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal steps
        if event == "call" and frame.f_code.co_filename != "<template>":
            return None
        steps += 1
        if steps > STEPS_MAX:
            raise TooMuch(f"it takes more than {STEPS_MAX} steps")
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        return _joined(pieces)
    finally:
        sys.settrace(before)


def _joined(pieces: Any) -> str:
    parts: list[str] = []
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > OUTPUT_LENGTH_MAX:
            raise TooMuch(f"it writes more than {OUTPUT_LENGTH_MAX >> 20} Mi characters")
        parts.append(piece)
    return "".join(parts)


def _release(section: Section, style: Style) -> dict[str, Any]:
    before, after = section.tags
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
            }
            for change in section.changes
        ],
        "contributors": sorted({change.author for change in section.changes if change.author}, key=str.casefold),
        "newcomers": sorted(section.newcomers & {change.author for change in section.changes}),
        "compare": style.links.compare(before, after) if style.links and before and after else None,
    }
