"""Flaws, rules, and a look at a forge as bootstrap makes one."""

from __future__ import annotations

from collections.abc import Sequence

from shipline.capabilities.automation.remediation import (
    HOUR_US,
    Flaw,
    FlawKind,
    Hands,
    Note,
    Rule,
    Seen,
    Step,
    Told,
    Trouble,
    carry,
    decide_issues,
    issues_of,
    things_of,
)
from shipline.ports.forge import Forge

NOW = 1_790_000_000_000_000
RULE = Rule(
    "packages",
    labels=("security",),
    assign=("ada",),
    steps=(Step(24 * HOUR_US, "Please see to it.", ("urgent",), ("bob",)),),
)


def flaw(name: str = "CVE-2026-1", **changes: object) -> Flaw:
    """A finding of pip-audit in requests, with what is given in place of that."""
    given: dict[str, object] = {
        "kind": FlawKind.DEPENDENCY,
        "tool": "pip-audit",
        "package": "quotes",
        "version": "1.0.0",
        "identity": f"{name}-1",
        "name": name,
        "title": "Leaks cookies",
        "severity": "high",
        "purl": "pkg:pypi/requests",
        "installed": "2.31.0",
        "fixed": ("2.32.4",),
    }
    return Flaw(**(given | changes))  # type: ignore[arg-type] # as Flaw has them


def look(  # noqa: PLR0913 - each is named where it is given
    forge: Forge,
    flaws: Sequence[Flaw],
    *,
    rules: Sequence[Rule] = (RULE,),
    now_us: int = NOW,
    looked: Sequence[Flaw] = (flaw(),),
    most: int = 20,
    dry_run: bool = False,
    told: list[Told] | None = None,
) -> list[str | Trouble | Note]:
    """Look once: `looked` are flaws of those who have looked at the newest version."""
    things = things_of(rules, flaws, {}, now_us)
    sources = frozenset(each.source for each in (*looked, *flaws))
    seen = Seen(issues_of(forge), sources, tuple(label.name for label in forge.labels()))
    heard = told if told is not None else []
    hands = Hands(forge, lambda each: heard.append(each) if each not in heard else None, _nothing_is_pushed, "main")
    return list(carry(decide_issues(things, seen, most, now_us), hands, dry_run=dry_run))


def _nothing_is_pushed(branch: str, _commit: str, _expected: str | None) -> None:
    raise AssertionError(branch)
