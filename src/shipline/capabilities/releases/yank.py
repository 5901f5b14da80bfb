"""Taking a public version back: order it, ask every place that has it, write down what each did and what it cannot.

The release is yanked from the moment that the order is written: nothing deploys it any more, whatever a registry that
is down makes the rest wait for. What only a person can do stays open until the registry shows that it was done.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.outlets import good_before
from shipline.capabilities.releases.queries import RELEASES, matching_releases
from shipline.capabilities.releases.usecases import RESTING, append
from shipline.capabilities.releases.workflow import YANK_WORKFLOW
from shipline.domain.actor import SYSTEM, Actor
from shipline.domain.errors import NothingToDo, RefusedError, ShiplineError
from shipline.domain.event import Event
from shipline.domain.release import Release, ReleaseStatus, Yank
from shipline.domain.verdict import Answer
from shipline.engine.engine import Engine
from shipline.engine.journal import runs_of
from shipline.engine.rules import ENDED, RunStatus
from shipline.engine.workflow import Again, Done, Failed, Outcome, StepContext
from shipline.ports.registry import Finding
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction

REASON_CHARACTERS_MAX = 500
ROUNDS_MAX = 8
PAUSE_MAX_S = 60
# What nobody can take back.
REMAINS = ("the tag stays: others may have it",)


def yank_subject(release: Release) -> str:
    """The subject of the run that yanks a release."""
    return f"yank:{release.id}"


def order_yank(tx: Transaction, engine: Engine, release: Release, *, reason: str, actor: Actor = SYSTEM) -> Release:
    """Yank a release from now on; a run takes it back everywhere once the transaction has committed.

    One that was ordered before and stopped goes on. RefusedError where nothing of it is public, NothingToDo where it
    is taken back already.
    """
    current = RELEASES.find(tx, release.id, lock=True) or release
    if current.status is ReleaseStatus.YANKED:
        return _go_on(tx, engine, current)
    if current.status is not ReleaseStatus.PUBLISHED and not current.publications:
        raise RefusedError(
            f"{current.package} {current.version} was never published: it is {current.status.value}",
            todo="there is nothing to take back; `shipline release` goes on with it",
        )
    if current.status is ReleaseStatus.PREPARING:
        raise RefusedError(
            f"{current.package} {current.version} is being published", todo="wait until its release has ended"
        )
    for run in runs_of(tx, f"release:{current.id}"):
        if run.state.status is RunStatus.STOPPED:
            engine.abandon(tx, run.id)
    yanked = replace(current.to(ReleaseStatus.YANKED), yank_reason=reason[:REASON_CHARACTERS_MAX])
    RELEASES.save(tx, yanked)
    events = EventWriter(engine.ids, engine.clock, actor)
    append(tx, events, yanked, "ReleaseYanked", {"reason": yanked.yank_reason})
    engine.start(tx, YANK_WORKFLOW, subject=yank_subject(yanked), given={"release_id": yanked.id})
    return yanked


def _go_on(tx: Transaction, engine: Engine, release: Release) -> Release:
    runs = runs_of(tx, yank_subject(release))
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
    order_yank(tx, engine, release, reason=f"rolled back: {event.body.get('reason', '')}")


class YankSteps:
    """The action of each step of the yank's workflow."""

    def __init__(self, ground: ReleaseGround) -> None:
        self.ground = ground

    def registries(self, context: StepContext) -> Outcome:
        """Ask the next registry that serves the release. One that cannot now is asked again after the others."""
        release = self.ground.release(context)
        memory: dict[str, Any] = context.memory or {"failed": {}, "round": 1}
        serving = [publication.registry for publication in release.publications]
        known = {yank.place for yank in release.yanks} | set(memory["failed"])
        place = next((name for name in serving if name not in known), None)
        if place is None:
            return _ended(memory, idle="" if serving else "it was published to no registry")
        try:
            yank = self._ask(place, release)
        except ShiplineError as error:
            failed = memory["failed"] | {place: [error.diagnosis(), error.retryable]}
            return Again(0.0, memory | {"failed": failed}, f"{place}: {error.what}")
        return Again(0.0, memory, f"{place}: {_words(yank)}", save=lambda tx: self._note(tx, release, yank))

    def _ask(self, place: str, release: Release) -> Yank:
        clock = self.ground.events.clock
        outlet = next((outlet for outlet in self.ground.outlets if outlet.name == place), None)
        if outlet is None:
            return Yank(
                place, (), (f"{place} is not in shipline.toml any more: take {release.version} back there",), (), 0.0
            )
        with self.ground.store.begin() as tx:
            others = matching_releases(tx, package=release.package, status=ReleaseStatus.PUBLISHED)
        began_us = clock.now_us()
        answer = outlet.registry.yank(
            release.package, release.version, reason=release.yank_reason, back_to=good_before(release, others, place)
        )
        seconds = (clock.now_us() - began_us) / 1_000_000
        return Yank(place, answer.done, answer.by_hand, (*answer.not_done, *REMAINS), seconds)

    def _note(self, tx: Transaction, release: Release, yank: Yank) -> None:
        current = RELEASES.find(tx, release.id, lock=True) or release
        now = replace(current, yanks=(*current.yanks, yank))
        RELEASES.save(tx, now)
        body = {"place": yank.place, "done": list(yank.done), "by_hand": list(yank.by_hand)}
        body |= {"not_done": list(yank.not_done)}
        append(tx, self.ground.events, now, "PlaceYanked", body | {"seconds": yank.seconds})


def verify_yank(ground: ReleaseGround, release: Release) -> tuple[Release, dict[str, Finding]]:
    """Ask every registry of a yanked release whether it shows so, and write down where it does.

    Returns the release as it is then, and what each place said.
    """
    if release.status is not ReleaseStatus.YANKED:
        raise RefusedError(
            f"{release.package} {release.version} is {release.status.value}, not yanked",
            todo=f"shipline yank {release.version} --reason TEXT",
        )
    outlets = {outlet.name: outlet for outlet in ground.outlets}
    gone = Finding(Answer.UNKNOWN, "it is not in shipline.toml any more, so it cannot be asked")
    found = {
        yank.place: outlets[yank.place].registry.verify_yank(release.package, release.version)
        if yank.place in outlets
        else gone
        for yank in release.yanks
    }
    with ground.store.begin() as tx:
        current = RELEASES.find(tx, release.id, lock=True) or release
        for place, finding in found.items():
            if finding.answer is Answer.PASS:
                current = _verified(tx, ground, current, place, finding)
    return current, found


def _verified(tx: Transaction, ground: ReleaseGround, release: Release, place: str, finding: Finding) -> Release:
    if any(yank.place == place and yank.verified_us is not None for yank in release.yanks):
        return release
    now_us = ground.events.clock.now_us()
    yanks = tuple(replace(yank, verified_us=now_us) if yank.place == place else yank for yank in release.yanks)
    verified = replace(release, yanks=yanks)
    RELEASES.save(tx, verified)
    append(tx, ground.events, verified, "YankVerified", {"place": place, "words": finding.words})
    return verified


def _ended(memory: dict[str, Any], *, idle: str) -> Outcome:
    """All were asked: done, another round for those that were down, or a stop that names what went wrong."""
    failed = memory["failed"]
    if not failed:
        return Done(idle=idle)
    words = "\n".join(f"{place}: {diagnosis}" for place, (diagnosis, _) in failed.items())
    again = {place: said for place, said in failed.items() if not said[1]}
    if len(again) < len(failed) and memory["round"] < ROUNDS_MAX:
        pause_s = min(2 ** memory["round"], PAUSE_MAX_S)
        return Again(pause_s, {"failed": again, "round": memory["round"] + 1}, f"asked again in {pause_s} s: {words}")
    return Failed(words)


def _words(yank: Yank) -> str:
    said = "; ".join(yank.done) or "nothing that a program can do"
    return f"{said} ({yank.seconds:.1f} s)"
