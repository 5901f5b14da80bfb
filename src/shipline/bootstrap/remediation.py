"""Remediation, wired: its rules, what it looks at, its hand on a server, and what sets that off."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from shipline.bootstrap.places import Place, trusted_settings
from shipline.capabilities.automation import (
    ALL,
    HOUR_US,
    REMEDIATION,
    Carried,
    Command,
    Note,
    RemediationHands,
    RemediationProposed,
    RemediationRule,
    RemediationSeen,
    RemediationStep,
    Told,
    Trouble,
    bumps_of,
    carry_out_remediation,
    decide_issues,
    decide_pulls,
    find_flaws,
    issues_of,
    known_since,
    note_known,
    order_look,
    pulls_of,
    remediation_ground,
    remedies_of,
    tell_escalated,
    things_of,
)
from shipline.domain.errors import ConfigurationError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from shipline.capabilities.advisories import Examined
    from shipline.configuration import RemediationSettings, Settings
    from shipline.domain.event import Event
    from shipline.store.transaction import Transaction

COMMAND = Command(REMEDIATION, ALL)
KINDS = ("EvidenceRecorded", "VulnerabilityFound")
TOLD_MAX = 20


def rules_of(settings: Settings) -> tuple[RemediationRule, ...]:
    """The rules, in their order."""
    return tuple(_rule(said) for said in settings.remediation)


def _rule(said: RemediationSettings) -> RemediationRule:
    steps = (
        RemediationStep(each.after_hours * HOUR_US, each.comment, each.labels, each.assign) for each in said.escalate
    )
    return RemediationRule(
        name=said.name,
        kinds=said.kinds,
        tools=said.tools,
        severity=said.severity,
        packages=said.packages,
        fixed=said.fixed,
        older_than_us=said.older_than_hours * HOUR_US,
        issue=said.issue,
        pull_request=said.pull_request,
        labels=said.labels,
        assign=said.assign,
        steps=tuple(steps),
    )


def remediate(place: Place, *, dry_run: bool = False) -> Iterator[str | Trouble | Note]:
    """Look once, and do what is due, telling each thing after it was done; with `dry_run` tell it alone.

    The rules are those of the protected branch: a commit must not silence what is found in it. ConfigurationError where
    there are none, or no forge; other errors are those of looking, and of what passes by itself.
    """
    settings = trusted_settings(place)
    rules, forge = rules_of(settings), place.forge
    if not rules or forge is None:
        raise ConfigurationError(
            "nothing is to be done about findings here", todo="add [forge] and [[remediation]] to shipline.toml"
        )
    now_us = place.clock.now_us()
    found = find_flaws(place.store, rules, place.release_ground.waiving, _examination(place), now_us)
    with place.store.begin() as tx:
        first_us = known_since(tx, rules, found.flaws, now_us)
        if not dry_run:
            note_known(tx, found.flaws, first_us, now_us)
    things = things_of(rules, found.flaws, first_us, now_us)
    labels = tuple(label.name for label in forge.labels())
    limits = settings.automation.remediation
    base = settings.release.branch or forge.default_branch()
    remedies: dict[str, tuple[str, ...]] = {}
    remote = settings.release.remote
    hands = RemediationHands(forge, partial(_tell, place), partial(_push, place, remote), base)
    if remote and any(rule.pull_request for rule in rules):
        ground = remediation_ground(place.repository, remote, base)
        bumps = bumps_of(ground, things)
        proposed = RemediationProposed(bumps, pulls_of(forge, ground, bumps), found.looked, labels)
        due = decide_pulls(proposed, limits.pulls_most, now_us)
        yield from carry_out_remediation(due, hands, dry_run=dry_run)
        labels = (*labels, *due.labels)
        # What was opened just now has a number, which an issue names.
        remedies = remedies_of(bumps, pulls_of(forge, ground, ()), base)
    seen = RemediationSeen(issues_of(forge), found.looked, labels, remedies)
    due = decide_issues(things, seen, limits.issues_most, now_us)
    yield from carry_out_remediation(due, hands, dry_run=dry_run)


def _push(place: Place, remote: str, branch: str, commit: str, expected: str | None) -> None:
    place.repository.move_branch(remote, branch, commit, expected=expected)


def _tell(place: Place, told: Told) -> None:
    with place.store.begin() as tx:
        tell_escalated(tx, place.events, told, place.clock.now_us())


def _examination(place: Any) -> Callable[[], Examined] | None:
    """What asks about all that was shipped, None where the settings name no database of advisories."""
    from shipline.bootstrap.advisories import advisories_of
    from shipline.capabilities.advisories import examine

    if not place.settings.advisories:
        return None
    return lambda: examine(place.store, advisories_of(place)[0])


# --- on a server ---------------------------------------------------------------------------------------------------


class RemediationHand:
    """Does what is due about findings."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def __call__(self, _command: Command, _memory: dict[str, Any]) -> Carried:
        """One look. RefusedError for what stands in the way, with what was done in spite of it."""
        here = self._place.afresh()
        if not trusted_settings(here).remediation:
            return Carried("nothing is to be done about findings any more")
        told = tuple(remediate(here))
        done = [each for each in told if isinstance(each, str)]
        stuck = [each for each in told if isinstance(each, Trouble)]
        words = [*done[:TOLD_MAX], *([f"and {len(done) - TOLD_MAX} more"] if len(done) > TOLD_MAX else [])]
        words += [each.words for each in told if isinstance(each, Note)]
        if stuck:
            what = "; ".join((*(each.words for each in stuck[:TOLD_MAX]), *words))
            raise RefusedError(what, todo=next((each.todo for each in stuck if each.todo), ""))
        return Carried("; ".join(words) or "nothing is due", changed=bool(done))


class RemediationTimer:
    """A chore: has findings looked at once in a while: escalations follow from the time alone."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._next_s = float("-inf")

    def __call__(self) -> None:
        """Order a look when it is time, and for what has come."""
        from shipline.store.reactors import react

        react(self._place.store, REMEDIATION, KINDS, self._order)
        settings = trusted_settings(self._place)
        if time.monotonic() < self._next_s or not settings.remediation:
            return
        self._next_s = time.monotonic() + settings.automation.remediation.every_s
        with self._place.store.begin() as tx:
            order_look(tx, self._place.engine, COMMAND)

    def _order(self, tx: Transaction, _event: Event) -> None:
        if trusted_settings(self._place).remediation:
            order_look(tx, self._place.engine, COMMAND)
