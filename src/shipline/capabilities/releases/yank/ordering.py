"""Ordering a yank: by a person, or by the analysis that found a version worse."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shipline.capabilities.releases.queries import RELEASES
from shipline.capabilities.releases.telling import append
from shipline.capabilities.releases.usecases import RESTING, has_begun
from shipline.capabilities.releases.workflow import YANK_WORKFLOW
from shipline.domain.actor import SYSTEM, Actor
from shipline.domain.errors import NothingToDo, RefusedError
from shipline.domain.event import Event
from shipline.domain.release import Release, ReleaseStatus
from shipline.engine.engine import Engine
from shipline.engine.journal import runs_of
from shipline.engine.rules import ENDED, RunStatus
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction

REASON_CHARACTERS_MAX = 500


def yank_subject(release: Release) -> str:
    """The subject of the run that yanks a release."""
    return f"yank:{release.id}"


@dataclass(frozen=True, slots=True)
class YankOrder:
    """What is ordered, by whom and why. `revert` proposes to take the release's changes back, too."""

    reason: str
    actor: Actor = SYSTEM
    revert: bool = False


def order_yank(tx: Transaction, engine: Engine, release: Release, order: YankOrder) -> Release:
    """Yank a release from now on; a run takes it back everywhere once the transaction has committed.

    A revert can be asked for later. One that was ordered before and stopped goes on. A release that is being published
    is ended where it is. RefusedError where nothing of it can be public, NothingToDo where it is taken back already.
    """
    current = RELEASES.find(tx, release.id, lock=True) or release
    if current.status is ReleaseStatus.YANKED:
        return _go_on(tx, engine, current, revert=order.revert)
    runs = runs_of(tx, f"release:{current.id}")
    if current.status is not ReleaseStatus.PUBLISHED and not has_begun(tx, runs, ("publish",)):
        raise RefusedError(
            f"{current.package} {current.version} was never published: it is {current.status.value}",
            todo="there is nothing to take back; `shipline release` goes on with it",
        )
    for run in runs:
        if run.state.status is RunStatus.STOPPED:
            engine.abandon(tx, run.id)
        elif current.status is ReleaseStatus.PREPARING:
            engine.send(tx, run.id, "abort", {"reason": "it is taken back"})
    yanked = replace(current.to(ReleaseStatus.YANKED), yank_reason=order.reason[:REASON_CHARACTERS_MAX])
    RELEASES.save(tx, yanked)
    events = EventWriter(engine.ids, engine.clock, order.actor)
    append(tx, events, yanked, "ReleaseYanked", {"reason": yanked.yank_reason})
    _start(tx, engine, yanked, revert=order.revert)
    return yanked


def _start(tx: Transaction, engine: Engine, release: Release, *, revert: bool) -> None:
    given = {"release_id": release.id, "revert": revert, "time_us": engine.clock.now_us() // 1_000_000 * 1_000_000}
    engine.start(tx, YANK_WORKFLOW, subject=yank_subject(release), given=given)


def _go_on(tx: Transaction, engine: Engine, release: Release, *, revert: bool) -> Release:
    """What is written down is not asked for again, so that a new run does what is left, and what is new."""
    runs = runs_of(tx, yank_subject(release))
    if revert and not any(run.input.get("revert") for run in runs):
        for run in runs:
            if run.state.status in RESTING:
                engine.abandon(tx, run.id)
        _start(tx, engine, release, revert=True)
        return release
    if all(run.state.status in ENDED for run in runs):
        places = [yank.place for yank in release.yanks if yank.is_open]
        raise NothingToDo(
            f"{release.package} {release.version} is yanked already: {release.yank_reason}",
            todo=f"what is left is for a person ({', '.join(places)}); then: shipline yank {release.version} --verify"
            if places
            else "",
        )
    for run in runs:
        if run.state.status in RESTING:
            engine.send(tx, run.id, "retry", {})
    return release


def order_yank_after_rollback(tx: Transaction, engine: Engine, event: Event) -> None:
    """React to a `RolloutRolledBack`: yank the release that the analysis found worse.

    An abort by a person says nothing about the version.
    """
    release = RELEASES.find(tx, str(event.body.get("release_id")))
    if release is None or release.status is not ReleaseStatus.PUBLISHED or not event.body.get("found_worse"):
        return
    order_yank(tx, engine, release, YankOrder(f"rolled back: {event.body.get('reason', '')}"))
