"""Many messages by the same rules: what is certainly right is seen at one glance, everything else is judged. Pure.

A glance takes a few microseconds, judging about fifty; the two never disagree, for a glance only ever says "right".
"""

from __future__ import annotations

import re

from shipline.capabilities.plans.lint.documents import Linted
from shipline.capabilities.plans.lint.glance import glance_of
from shipline.capabilities.plans.lint.judge import HEADER_PARTS, Problem, judge, proposal
from shipline.capabilities.plans.lint.message import footer_line
from shipline.capabilities.plans.lint.rules import Rule


class Linter:
    """Rules, made ready for many messages."""

    def __init__(self, rules: tuple[Rule, ...], *, default_ignores: bool = True) -> None:
        self._rules = rules
        self._default_ignores = default_ignores
        self._rules_of_body = tuple(rule for rule in rules if not rule.name.startswith(HEADER_PARTS))
        self._header = header_pattern(rules)
        lengths = [rule.number for rule in rules if rule.name.endswith("-line-length")]
        self._line_length_max = min(lengths, default=1 << 62)

    def linted(self, message: str, oid: str | None = None, *, is_merge: bool = False) -> Linted:
        """A message with its problems, and its header as it could be. A merge is one of those that are let pass."""
        found = [] if is_merge and self._default_ignores else self.problems(message)
        in_header = any(each.rule.startswith(HEADER_PARTS) for each in found)
        return Linted(oid, message, tuple(found), proposal(message, self._rules) if in_header else "")

    def problems(self, message: str) -> list[Problem]:
        """The problems of one message, as `judge` finds them."""
        found = self._header.match(message) if self._header is not None else None
        if found is None:
            return judge(message, self._rules, default_ignores=self._default_ignores)
        if found.end() == len(message) or self._has_right_body(message):
            return []
        return judge(message, self._rules_of_body, default_ignores=self._default_ignores)

    def _has_right_body(self, message: str) -> bool:
        """True where a message, whose header is right, certainly is right as a whole."""
        lines = message.rstrip("\n").split("\n")
        if max(map(len, lines[1:]), default=0) > self._line_length_max or "\r" in message or "\0" in message:
            return False
        footer = footer_line(message, lines)
        return footer == 0 or lines[footer - 1] == ""


def header_pattern(rules: tuple[Rule, ...]) -> re.Pattern[str] | None:
    """What fits only the beginnings of messages whose header is right; None where the rules are beyond a glance."""
    glance = glance_of(rules)
    if glance is None:
        return None
    kind = "|".join(map(re.escape, glance.types))
    scope = "|".join(map(re.escape, glance.scopes)) if glance.scopes else r"[\w./-]+"
    often = "" if glance.needs_scope else "?"
    return re.compile(
        rf"(?=[^\n]{{1,{min(glance.header_length_max, 100_000)}}}(?:\n|\Z))(?:{kind})(?:\((?:{scope})\)){often}!?: "
        r"[a-z0-9](?:[^\n]*[!-\-/-~])?(?:\n*\Z|\n\n)",
        re.ASCII,
    )
