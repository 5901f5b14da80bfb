"""Waiting for groups to become ready, or for a person, in words: pure."""

from __future__ import annotations

from shipline.engine.workflow import StepContext
from shipline.ports.target import Group

POLL_MIN_S, POLL_MAX_S = 0.1, 2.0
TROUBLE_CHARACTERS_MAX = 4000


def standing(group: Group) -> str:
    """`1 of 3 copies of quotes 1.2.0 is ready`."""
    copies, verb = "copy" if group.size == 1 else "copies", "is" if 1 in (group.ready, group.size) else "are"
    return f"{group.ready} of {group.size} {copies} of {group.package} {group.version} {verb} ready"


def awaited_copies(groups: tuple[Group, ...]) -> str:
    """What is waited for, in sentences, with the trouble that there is; "" once all groups are whole."""
    return " ".join(_sentence(group) for group in groups if not group.is_whole)


def _sentence(group: Group) -> str:
    trouble = group.trouble[:TROUBLE_CHARACTERS_MAX]
    return f"{standing(group)}: {trouble}" if trouble else f"{standing(group)}."


def hopeless_trouble(groups: tuple[Group, ...]) -> str:
    """Why waiting does not help, as the target has it; "" while it may."""
    return next((group.trouble or standing(group) for group in groups if group.hopeless and not group.is_whole), "")


def changed_by_hand(groups: tuple[Group, ...], before: tuple[Group, ...] = ()) -> str:
    """What somebody else has made of a group since it was `before`, in a sentence; "" where all are what they shall be.

    A group of which all copies are ready has no other trouble.
    """
    known = {group.id: group.trouble for group in before}
    found = (group for group in groups if group.is_whole and group.trouble)
    words = (
        f"{group.id} ({group.package} {group.version}) is not what it was: {group.trouble[:TROUBLE_CHARACTERS_MAX]}."
        for group in found
        if group.trouble != known.get(group.id, "")
    )
    return next(words, "")


def pause_s(waited_us: int) -> float:
    """Seconds until the next look: short at first, when most copies become ready, and longer as the wait goes on."""
    return min(POLL_MAX_S, max(POLL_MIN_S, waited_us / 1_000_000 / 4))


def is_told(context: StepContext, verb: str) -> bool:
    """True if this was said to the step since its last look."""
    return any(signal.kind == verb for signal in context.signals)


def passed_on(context: StepContext) -> dict[str, bool]:
    """What was said before its time, as the result of the step that heard it, for the one that comes to it."""
    return {"promote": is_told(context, "promote"), "paused": heard_pause(context) is True}


def heard_pause(context: StepContext) -> bool | None:
    """Whether it is to be paused by what was said last; None where neither pause nor resume was said."""
    said = [signal.kind == "pause" for signal in context.signals if signal.kind in ("pause", "resume")]
    return said[-1] if said else None
