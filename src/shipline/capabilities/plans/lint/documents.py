"""The public JSON of a lint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.plans.conventional import read_message
from shipline.capabilities.plans.lint.judge import Problem
from shipline.capabilities.plans.lint.report import LEVELS

SCHEMA = "shipline.lint/1"


@dataclass(frozen=True, slots=True)
class Linted:
    """A message and what the rules say of it. `oid` is None for one that is no commit yet; `proposal` may be ""."""

    oid: str | None
    message: str
    problems: tuple[Problem, ...] = ()
    proposal: str = ""

    @property
    def ok(self) -> bool:
        """True where no problem is an error."""
        return not any(problem.is_error for problem in self.problems)


def lint_document(messages: Iterable[Linted]) -> dict[str, Any]:
    """The messages as plain JSON data, schema `shipline.lint/1`."""
    shown = [_message(each) for each in messages]
    return {"schema": SCHEMA, "ok": all(each["ok"] for each in shown), "messages": shown}


def _message(linted: Linted) -> dict[str, Any]:
    return {
        "oid": linted.oid,
        "ok": linted.ok,
        "parsed": _parsed(linted.message),
        "problems": [
            {"rule": each.rule, "level": LEVELS[each.level], "message": each.message} for each in linted.problems
        ],
        "proposal": linted.proposal,
    }


def _parsed(message: str) -> dict[str, Any] | None:
    """The message as a change, None where it is not conventional."""
    read = read_message(message)
    if not read.type:
        return None
    return {
        "type": read.type,
        "scope": read.scope,
        "description": read.description,
        "breaking": read.breaking,
        "notes": list(read.breaking_notes),
        "refs": list(read.references),
        "reverts": list(read.reverts),
    }
