"""Issues and pull requests that nobody cares for any more: warned first, closed when the warning was left alone. Pure.

Where one stands is seen on the forge alone, so a run may end anywhere and the next one goes on:

    quiet for long -> the label, then the warning -> quiet still -> closed
                                                  -> somebody wrote or changed something -> label and warning go

The label comes before the warning, and goes before it: a run that ends between the two leaves what the next one mends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shipline.capabilities.automation.housekeeping.acts import (
    Act,
    Closed,
    Labelled,
    LabelMade,
    Said,
    Unlabelled,
    Unsaid,
)
from shipline.ports.forge import Comment, bears
from shipline.ports.forge.answers import Thread, is_ours

STALE_MARKER = "shipline:stale"
DAY_US = 86_400 * 1_000_000
# Our own label and comment change the thread as well: what is no later than this after the warning is taken for ours.
OURS_US = 600 * 1_000_000
ANSWERED_MAX = 1000


@dataclass(frozen=True, slots=True)
class StaleRules:
    """`quiet_days` without a change lead to a warning, `close_days` more to the end; None: nothing is closed.

    `label` is put on what is warned; what bears one of `exempt` is left alone. `most` bounds how many a run changes.
    """

    quiet_days: int
    close_days: int | None
    label: str
    exempt: tuple[str, ...]
    most: int


@dataclass(frozen=True, slots=True)
class Quiet:
    """An open issue or pull request, as a list shows it. `updated_us` is UTC microseconds."""

    thread: Thread
    labels: tuple[str, ...]
    updated_us: int


def is_exempt(rules: StaleRules, item: Quiet) -> bool:
    """True for what is left alone."""
    return bool({name.casefold() for name in rules.exempt} & {name.casefold() for name in item.labels})


def is_warned(rules: StaleRules, item: Quiet) -> bool:
    """True for what bears the label."""
    return rules.label.casefold() in {name.casefold() for name in item.labels}


def concerns(rules: StaleRules, item: Quiet, now_us: int) -> bool:
    """True where something may be due, and its comments are to be read: most are passed by with one look at a list."""
    if is_warned(rules, item):
        return True
    return not is_exempt(rules, item) and item.updated_us <= now_us - rules.quiet_days * DAY_US


def in_order(rules: StaleRules, items: Sequence[Quiet], now_us: int) -> tuple[Quiet, ...]:
    """Those that concern, as a run looks at them.

    First what was warned and may have been answered: an answer is a change, so that is among the ANSWERED_MAX that
    changed last, and the rest need not be read each time. Then what is quiet, and what may be closed: the longest
    first.
    """
    concerned = sorted(
        (item for item in items if concerns(rules, item, now_us)),
        key=lambda item: (item.updated_us, item.thread.kind, item.thread.number),
    )
    waiting = [item for item in concerned if is_warned(rules, item) and not _may_end(rules, item, now_us)]
    known = set(waiting)
    return (*reversed(waiting[-ANSWERED_MAX:]), *(item for item in concerned if item not in known))


def _may_end(rules: StaleRules, item: Quiet, now_us: int) -> bool:
    return rules.close_days is not None and item.updated_us <= now_us - rules.close_days * DAY_US


def stale_acts(
    rules: StaleRules, item: Quiet, comments: Sequence[Comment], account: str, now_us: int
) -> tuple[Act, ...]:
    """What is due for one that `concerns` has taken. `account` is ours, "" where the forge does not tell."""
    ours = [each for each in comments if bears(each.body, STALE_MARKER) and is_ours(account, each.author)]
    if not is_warned(rules, item):
        # Warnings of long ago go: a new one has to be new, since its age counts.
        gone = [Unsaid(item.thread, each.key, "remove the old warning") for each in ours]
        return (*gone, Labelled(item.thread, (rules.label,)), _warning(rules, item))
    if is_exempt(rules, item) or (ours and _lives(item, comments, ours[-1])):
        removed = [Unsaid(item.thread, each.key, "remove the warning") for each in ours]
        return (Unlabelled(item.thread, (rules.label,)), *removed)
    if not ours:
        return (_warning(rules, item),)
    if rules.close_days is not None and ours[-1].created_us <= now_us - rules.close_days * DAY_US:
        return (Closed(item.thread, f"quiet for {rules.close_days} days after its warning"),)
    return ()


def _lives(item: Quiet, comments: Sequence[Comment], warning: Comment) -> bool:
    """True where something happened after the warning."""
    answered = any(each.created_us > warning.created_us for each in comments)
    return answered or item.updated_us > warning.created_us + OURS_US


def _warning(rules: StaleRules, item: Quiet) -> Said:
    end = "" if rules.close_days is None else f" It is closed in {rules.close_days} days if it stays so."
    body = (
        f"Nothing has happened here for {rules.quiet_days} days.{end} "
        "A comment, or any other change, is enough to keep it open."
    )
    return Said(item.thread, STALE_MARKER, body, "warn that it is quiet")


def label_made(rules: StaleRules, known: Sequence[str]) -> Iterator[Act]:
    """The label, where the repository does not have it."""
    if rules.label.casefold() not in {name.casefold() for name in known}:
        yield LabelMade(rules.label)
