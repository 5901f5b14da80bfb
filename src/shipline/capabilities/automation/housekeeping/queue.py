"""Merging when ready: who has asked for it, what is in the way, and which pull request's turn it is. Pure.

    asked for -> nothing of its own in the way -> its turn -> tested on what its base stands on now -> merged

One pull request a base is tested at a time, as what its merge would be, on a branch of Shipline's. Where each stands is
seen on the forge alone: the branch says what is tested, and its commit's checks how that went. The one that is tested
stays first; else the lowest number is. What is in the way of one holds up no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shipline.capabilities.automation.housekeeping.wording import words
from shipline.domain.verdict import Answer, Verdict
from shipline.ports.forge import Comment, CommitStatus, Known, PullRequest, StatusState
from shipline.ports.forge.reviews import Opinion, Readiness, Review

ASK, STOP = "/merge", "/merge stop"
NAMED_MAX = 3
OURS = "shipline/"


@dataclass(frozen=True, slots=True)
class QueueRules:
    """`label` asks for a merge, as a comment `/merge` does. `approvals` is how many people who may write have approved
    the newest commit, at least one for what comes from a fork. `method` is how it is merged."""

    label: str
    approvals: int
    method: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What a merge would be now.

    `base` is what its base stands on, `commit` what the merge makes of it and the pull request: the newest commit of
    that itself where it holds the base; None where both disagree on `conflicts`, or for `trouble`, a sentence.
    """

    base: str
    commit: str | None
    conflicts: tuple[str, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class QueueSeen:
    """What is known of a pull request that is to be merged. `reviews` are those that count."""

    checks: tuple[CommitStatus, ...]
    reviews: tuple[Review, ...]
    readiness: Readiness
    verdicts: tuple[Verdict, ...]
    trial: Trial
    trial_checks: tuple[CommitStatus, ...] = ()


class Turn(StrEnum):
    """Where one stands."""

    BLOCKED = "blocked"
    WAITING = "waiting"  # For its turn.
    TESTED = "is tested"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Standing:
    """A pull request in the queue of its base. `blocks` are sentences on all that is in the way of it, `tested` is the
    commit of its trial, and `waits_for` the one whose turn it is."""

    pull: PullRequest
    turn: Turn
    blocks: tuple[str, ...] = ()
    base: str = ""
    tested: str = ""
    waits_for: int | None = None


def asked_by_label(rules: QueueRules, pull: PullRequest) -> bool:
    """True where its label asks for a merge."""
    return rules.label.casefold() in {name.casefold() for name in pull.labels}


def verb_of(comment: Comment) -> str:
    """What a comment asks for: ASK, STOP or "". Its first line says it, and nothing else stands there."""
    first = " ".join(comment.body.partition("\n")[0].split())
    return first if first in (ASK, STOP) else ""


def blocks_of(rules: QueueRules, pull: PullRequest, seen: QueueSeen) -> tuple[str, ...]:
    """All that is in the way of it, whoever else waits."""
    found: list[str] = []
    if pull.draft:
        found.append("it is a draft")
    if seen.trial.trouble:
        found.append(f"it cannot be tested: {words(seen.trial.trouble)}")
    elif seen.trial.commit is None:
        found.append(f"it conflicts with {words(pull.base)} in {_listed(seen.trial.conflicts)}")
    found += _unchecked(seen.checks, "its newest commit")
    found += _unapproved(rules, pull, seen.reviews)
    found += [
        f"the gate {words(each.gate)} says {each.answer.value}: {words((*each.reasons, 'it does not say why')[0])}"
        for each in seen.verdicts
        if each.answer is not Answer.PASS
    ]
    if not found:
        found += _unready(pull, seen.readiness)
    return tuple(found)


def _unchecked(checks: Sequence[CommitStatus], what: str) -> list[str]:
    """Nothing that checks it may be silent, and something else than Shipline has to check it."""
    if not theirs(checks):
        return [f"no check says anything about {what}"]
    failed = [each.context for each in checks if each.state is StatusState.FAILURE]
    pending = [each.context for each in checks if each.state is StatusState.PENDING]
    found = [f"checks of {what} fail: {_listed(failed)}"] if failed else []
    return [*found, f"checks of {what} have not ended: {_listed(pending)}"] if pending else found


def theirs(checks: Sequence[CommitStatus]) -> list[CommitStatus]:
    """Checks of others: what Shipline's own statuses say are its gates' answers, which are asked by themselves."""
    return [each for each in checks if not each.context.startswith(OURS)]


def _unapproved(rules: QueueRules, pull: PullRequest, reviews: Sequence[Review]) -> list[str]:
    wanting = [each.author for each in reviews if each.opinion is Opinion.CHANGES_REQUESTED]
    needed = max(rules.approvals, 1) if pull.fork else rules.approvals
    # A forge that does not say which commit was looked at takes approvals back by itself when a commit comes, if it is
    # set so: from a fork that is not relied upon.
    counting = [
        each
        for each in reviews
        if each.opinion is Opinion.APPROVED
        and each.author != pull.author
        and (each.commit == pull.head_commit or (each.commit is None and not pull.fork))
    ]
    found = [f"changes are wanted by {_listed(wanting)}"] if wanting else []
    if len(counting) < needed:
        found.append(f"{len(counting)} of {needed} approvals of its newest commit, by people who may write")
    return found


def _unready(pull: PullRequest, readiness: Readiness) -> list[str]:
    if readiness.mergeable is Known.NO:
        return [f"the forge says: {words('; '.join(readiness.blocks) or 'it cannot be merged')}"]
    if readiness.mergeable is Known.UNKNOWN or readiness.head != pull.head_commit:
        return ["the forge has not made up its mind yet"]
    return []


def lined_up(
    rules: QueueRules, seen: Sequence[tuple[PullRequest, QueueSeen]], testing: Mapping[str, str]
) -> tuple[Standing, ...]:
    """Where each stands, by number. `testing` is by base what its queue's branch stands on."""
    standings = [_standing(rules, pull, each, testing.get(pull.base, "")) for pull, each in seen]
    standings.sort(key=lambda one: one.pull.number)
    first: dict[str, Standing] = {}
    for one in sorted(standings, key=lambda one: one.tested != testing.get(one.pull.base, "")):
        if one.turn is not Turn.BLOCKED:
            first.setdefault(one.pull.base, one)
    return tuple(_after(one, first.get(one.pull.base)) for one in standings)


def _standing(rules: QueueRules, pull: PullRequest, seen: QueueSeen, testing: str) -> Standing:
    trial, commit = seen.trial, seen.trial.commit or ""
    blocks = blocks_of(rules, pull, seen)
    if blocks:
        return Standing(pull, Turn.BLOCKED, blocks, trial.base, commit)
    if commit == pull.head_commit:  # It was tested as what its merge makes of it.
        return Standing(pull, Turn.READY, (), trial.base, commit)
    if commit != testing:
        return Standing(pull, Turn.WAITING, (), trial.base, commit)
    states = {each.state for each in seen.trial_checks} if theirs(seen.trial_checks) else set()
    if StatusState.FAILURE in states:
        failed = _listed([each.context for each in seen.trial_checks if each.state is StatusState.FAILURE])
        why = f"merged into {words(pull.base)} as that is now ({trial.base[:9]}), checks fail: {failed}"
        return Standing(pull, Turn.BLOCKED, (why,), trial.base, commit)
    done = states == {StatusState.SUCCESS}
    return Standing(pull, Turn.READY if done else Turn.TESTED, (), trial.base, commit)


def _after(one: Standing, first: Standing | None) -> Standing:
    if one.turn is Turn.BLOCKED or first is None or first is one:
        return one
    return Standing(one.pull, Turn.WAITING, (), one.base, one.tested, first.pull.number)


def told(one: Standing) -> str:
    """Where it stands, in a sentence."""
    match one.turn:
        case Turn.BLOCKED:
            return f"it waits: {'; '.join(one.blocks)}"
        case Turn.WAITING if one.waits_for is not None:
            return f"it waits for pull request {one.waits_for}, whose turn it is"
        case Turn.WAITING:
            return "it is its turn: it is tested next"
        case Turn.TESTED:
            return f"it is tested now, merged into {words(one.pull.base)} as that is now ({one.base[:9]})"
        case Turn.READY:
            return "it is ready"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(words(name) for name in names[:NAMED_MAX])
    return f"{shown} and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else shown
