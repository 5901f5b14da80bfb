"""Effects on the target and the proxy of an environment, each read back before anything is built upon it.

A provider that says that it is done, and is not, is found out here, and the step is tried again: what is recorded is
what holds. And whoever takes a step over lets both know of its fencing number first, so that the process which had
begun it, and was only paused, changes nothing any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from shipline.clients.route_sets import mismatches
from shipline.domain.errors import UnavailableError
from shipline.engine.workflow import Action, Outcome, StepContext
from shipline.ports.target import Group, GroupSpec, Target
from shipline.ports.traffic import Route, Traffic

WRONG_MAX = 3
NOBODY = "nobody"
"""A group that there never is."""


def lead(traffic: Traffic, routes: tuple[Route, ...], *, revision: int) -> None:
    """Make these routes hold. UnavailableError where the proxy took them and has others.

    What somebody has led elsewhere by hand is drift, and holds nothing up: the rest is shared as it was wanted.
    """
    traffic.apply(routes, revision=revision)
    wanted, there = ({route.group_id: route for route in one} for one in (routes, _of_ours(traffic.routes())))
    wrong = mismatches(wanted, there)
    if wrong:
        raise UnavailableError("the proxy does not hold the routes that it has taken", why="; ".join(wrong[:WRONG_MAX]))


def _of_ours(routes: tuple[Route, ...]) -> tuple[Route, ...]:
    """The routes with their shares of what goes to groups."""
    total = sum(route.share for route in routes)
    return tuple(replace(route, share=route.share / total) for route in routes) if total > 0 else routes


def run_group(target: Target, spec: GroupSpec, *, revision: int, leaving: tuple[str, ...] = ()) -> Group:
    """Order that the group runs, and return how it stands. UnavailableError where the target does not know of it."""
    target.run(spec, revision=revision, leaving=leaving)
    found = next((group for group in target.groups() if group.id == spec.id), None)
    if found is None or found.size != spec.size:
        held = "does not run" if found is None else f"has the size {found.size}"
        raise UnavailableError(f"the target was told to run {spec.size} of {spec.id}, which {held}")
    return found


def stop_group(target: Target, group_id: str, *, revision: int) -> None:
    """Stop a group. UnavailableError where the target has it still."""
    target.stop(group_id, revision=revision)
    if any(group.id == group_id for group in target.groups()):
        raise UnavailableError(f"the target was told to stop {group_id}, which runs on")


def close(traffic: Traffic, *, revision: int) -> None:
    """Stop the proxy. UnavailableError where it serves on."""
    traffic.close(revision=revision)
    try:
        traffic.routes()
    except UnavailableError:
        return
    raise UnavailableError("the proxy was told to stop, and runs on")


def claiming(target: Target, traffic: Traffic, actions: dict[str, Action]) -> dict[str, Action]:
    """The actions, each of which shuts out whoever was cut off before it."""
    return {name: partial(_claimed, target, traffic, action) for name, action in actions.items()}


def _claimed(
    target: Target, traffic: Traffic, action: Callable[[StepContext], Outcome], context: StepContext
) -> Outcome:
    if context.cut_off:
        _claim(target, traffic, revision=context.revision)
    return action(context)


def _claim(target: Target, traffic: Traffic, *, revision: int) -> None:
    """Let both know of a fencing number, and change nothing. The one's trouble keeps the other from nothing; where one
    could not be told, nothing else is done, and the step is tried again."""
    try:
        traffic.claim(revision=revision)
    finally:
        target.stop(NOBODY, revision=revision)
