"""What is wrong with a hook, and what puts it right. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from shipline.capabilities.automation.rules import Duties
from shipline.ports.forge import Known
from shipline.ports.forge.hooks import Delivery, Hook, HookEvent

ATTEMPTS_MAX = 5
AGAIN_MAX = 20
FORGED = 401
"""What this server answers to a signature that it does not know."""


class Ail(StrEnum):
    """What may be wrong."""

    UNSEEN = "unseen"  # The token may not see hooks.
    MISSING = "missing"
    ELSEWHERE = "elsewhere"  # There is one, to another address.
    OFF = "off"
    EVENTS = "events"
    SECRET = "secret"  # noqa: S105 - a word for what is wrong
    FAILING = "failing"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, in words; `todo` is what a person does about it."""

    ail: Ail
    words: str
    todo: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """The hook that there must be. `forge` is the kind, as in the address; `events` those without which something
    that is switched on would not be told."""

    forge: str
    url: str
    events: frozenset[HookEvent]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the forge shows: its hooks, and what the one to the wanted address was sent last, the newest first. `kept`
    are the names of those events that are on the disk here, whatever the forge has heard of it."""

    hooks: tuple[Hook, ...]
    deliveries: tuple[Delivery, ...] = ()
    kept: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Mending:
    """What puts it right. `events`: the hook is set anew with these, None: not at all. `revive` is the key of a hook to
    switch on, "" for none. `again` are the keys of deliveries to be sent once more, the oldest first."""

    events: frozenset[HookEvent] | None = None
    revive: str = ""
    again: tuple[str, ...] = ()

    @property
    def is_needed(self) -> bool:
        """False if there is nothing to do."""
        return self != Mending()


def needed_events(duties: Duties) -> frozenset[HookEvent]:
    """The events that what is switched on waits for; a push at least."""
    needed = {HookEvent.PUSH}
    if duties.release_branches:
        needed |= {HookEvent.PULL_REQUEST, HookEvent.CHECK}
    if duties.sync:
        needed |= {HookEvent.ISSUE, HookEvent.COMMENT, HookEvent.MILESTONE, HookEvent.PULL_REQUEST, HookEvent.RELEASE}
    if duties.milestones:
        needed |= {HookEvent.MILESTONE, HookEvent.ISSUE, HookEvent.RELEASE, HookEvent.PULL_REQUEST, HookEvent.CHECK}
    if duties.commands:
        needed |= {HookEvent.COMMENT}
    if duties.housekeeping or duties.queue or duties.assistant:
        needed |= {HookEvent.PULL_REQUEST, HookEvent.CHECK}
    return frozenset(needed)


def hook_to(url: str, hooks: tuple[Hook, ...]) -> Hook | None:
    """The hook to an address, to the letter: of several the first that is on."""
    there = [hook for hook in hooks if hook.url == url]
    return next((hook for hook in there if hook.active), there[0] if there else None)


def judge(wanted: Wanted, seen: Seen) -> tuple[tuple[Finding, ...], Mending]:
    """What is wrong, the gravest first, and what puts it right."""
    hook = hook_to(wanted.url, seen.hooks)
    if hook is None:
        return tuple(_absent(wanted, seen.hooks)), Mending(events=wanted.events)
    lost = _lost(seen)
    again = tuple(attempts[0].key for attempts in reversed(lost) if len(attempts) < ATTEMPTS_MAX)[:AGAIN_MAX]
    findings = (*_state(wanted, hook, seen.deliveries), *_undelivered(lost))
    ails = {finding.ail for finding in findings}
    if ails & {Ail.EVENTS, Ail.SECRET}:
        return findings, Mending(events=hook.events | wanted.events, again=again)
    return findings, Mending(revive=hook.key if Ail.OFF in ails else "", again=again)


def _absent(wanted: Wanted, hooks: tuple[Hook, ...]) -> Iterator[Finding]:
    yield Finding(
        Ail.MISSING, f"the forge has no hook to {wanted.url}", "make one on the forge, or set mend = true in [[hook]]"
    )
    for hook in hooks:
        if urlsplit(hook.url).path.rstrip("/").endswith(f"/hooks/{wanted.forge}"):
            yield Finding(
                Ail.ELSEWHERE,
                f"a hook sends to {hook.url}, which is not the address in [[hook]]",
                "remove it on the forge if it is an old one of this server's, or mend url in [[hook]]",
            )


def _state(wanted: Wanted, hook: Hook, deliveries: tuple[Delivery, ...]) -> Iterator[Finding]:
    said = f" ({hook.said})" if hook.said else ""
    lacking = ", ".join(sorted(wanted.events - hook.events))
    last = deliveries[0].status if deliveries else None
    if not hook.active:
        yield Finding(Ail.OFF, f"the hook is switched off{said}", "switch it on, or set mend = true in [[hook]]")
    if lacking:
        yield Finding(
            Ail.EVENTS, f"the hook is not told of: {lacking}", "choose these too, or set mend = true in [[hook]]"
        )
    if last == FORGED:
        yield Finding(
            Ail.SECRET,
            "what the hook sends bears no signature that is known here",
            "give it a secret of [[hook]], or set mend = true there",
        )
    elif hook.active and hook.healthy is Known.NO:
        yield Finding(
            Ail.FAILING, f"the hook's last delivery failed{said}", "see that the forge reaches the address of the hook"
        )


def _lost(seen: Seen) -> list[list[Delivery]]:
    """The attempts at each event that never arrived, the newest first."""
    by_name: dict[str, list[Delivery]] = {}
    for each in seen.deliveries:
        if each.identity:
            by_name.setdefault(each.identity, []).append(each)
    return [
        attempts
        for name, attempts in by_name.items()
        if name not in seen.kept and not any(each.arrived for each in attempts)
    ]


def _undelivered(lost: list[list[Delivery]]) -> Iterator[Finding]:
    if not lost:
        return
    given_up = sum(1 for attempts in lost if len(attempts) >= ATTEMPTS_MAX)
    words = f"{len(lost)} deliveries did not arrive"
    yield Finding(
        Ail.UNDELIVERED,
        words + (f", {given_up} of them in {ATTEMPTS_MAX} attempts" if given_up else ""),
        "they are found by looking at the forge; have them sent again there, or set mend = true in [[hook]]",
    )
