"""Whether what serves can be counted, tried before a canary begins: it could be compared with nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.capabilities.rollouts.observing.counting import counted_as
from shipline.domain.errors import UnavailableError
from shipline.domain.verdict import Answer
from shipline.ports.signals import Signals
from shipline.ports.target import Group, Role, Target
from shipline.ports.traffic import Traffic


@dataclass(frozen=True, slots=True)
class CountsTrial:
    """What came of asking for counts: PASS, FAIL (a canary would be refused) or, where nobody could ask, UNKNOWN; and
    why, in words for people."""

    answer: Answer
    words: str


def stable_groups(target: Target, traffic: Traffic) -> tuple[Group, ...]:
    """The groups that the proxy sends traffic to as stable, as far as they live. UnavailableError without a proxy."""
    return tuple(group for group in groups_led_to(target, traffic) if group.lives)


def groups_led_to(target: Target, traffic: Traffic) -> tuple[Group, ...]:
    """The groups that the proxy sends traffic to as stable, also those whose copies have all died."""
    there = {group.id: group for group in target.groups()}
    serving = [route.group_id for route in traffic.routes() if route.role is Role.STABLE and route.share > 0]
    return tuple(there[name] for name in serving if name in there)


def try_counts(target: Target, traffic: Traffic, signals: Signals) -> CountsTrial:
    """Ask the source of counts for those of what serves now. Nothing is changed.

    Where the proxy does not run or nothing serves, nobody knows yet: later steps wait for that.
    """
    try:
        stable = stable_groups(target, traffic)
        if not stable:
            return CountsTrial(Answer.UNKNOWN, "Nothing serves that requests could be counted of.")
        trouble = signals.trouble(tuple(counted_as(one, Role.STABLE) for one in stable))
    except UnavailableError as error:
        todo = f"\nWhat to do: {error.todo}." if error.todo else ""
        return CountsTrial(Answer.UNKNOWN, f"Nobody knows yet: {error.sentence()}.{todo}")
    if trouble:
        return CountsTrial(Answer.FAIL, trouble)
    named = ", ".join(dict.fromkeys(f"{one.package} {one.version}" for one in stable))
    return CountsTrial(Answer.PASS, f"The requests of {named} can be counted.")
