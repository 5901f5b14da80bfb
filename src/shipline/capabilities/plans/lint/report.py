"""What people read about a message. Pure; nothing of a message steers their terminal."""

from __future__ import annotations

from shipline.capabilities.plans.lint.judge import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER_SHOWN_MAX = 100
LEVELS = {1: "warning", 2: "error"}


def report(name: str, header: str, problems: Sequence[Problem], better: str) -> str:
    """The problems of one message, one a line. `name` is its short object id, "" for one that is none yet."""
    shown = printable(header)
    shown = shown if len(shown) <= HEADER_SHOWN_MAX else f"{shown[:HEADER_SHOWN_MAX]}..."
    lines = [f"{name} {shown}".strip() or "(no message)"]
    lines += [f"  {LEVELS[each.level]:<8} {printable(each.message)}  [{each.rule}]" for each in problems]
    if better:
        lines.append(f"  write    {printable(better)}")
    return "\n".join(lines)


def printable(text: str) -> str:
    """A text in which everything that is no printable character is a space."""
    return text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)
