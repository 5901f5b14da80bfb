"""The durable steps of a yank: each kind of place is asked once, then those that could not answer are asked again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.queries import RELEASES
from shipline.capabilities.releases.telling import append
from shipline.capabilities.releases.yank.mark import MarkPlace
from shipline.capabilities.releases.yank.page import PagePlace
from shipline.capabilities.releases.yank.places import Place, registry_places
from shipline.capabilities.releases.yank.revert import RevertPlace
from shipline.capabilities.releases.yank.tags import TagsPlace
from shipline.domain.errors import ShiplineError
from shipline.domain.release import Release, Yank
from shipline.engine.journal import runs_of
from shipline.engine.rules import RunStatus
from shipline.engine.workflow import Again, Done, Failed, Outcome, StepContext
from shipline.store.transaction import Transaction

ROUNDS_MAX = 8
PAUSE_MAX_S = 60


class YankSteps:
    """The action of each step of the yank's workflow.

    No place keeps the others waiting: one that cannot now is noted, and `rest` asks it again.
    """

    def __init__(self, ground: ReleaseGround) -> None:
        self.ground = ground

    def mark(self, context: StepContext) -> Outcome:
        """Have git remember it first: a registry may remove the files and forget them."""
        places = (MarkPlace(self.ground),)
        return self._each(context, self.ground.release(context), places, idle="it has no tag")

    def registries(self, context: StepContext) -> Outcome:
        """Ask each registry that serves the release, or may, once nothing more of it is on its way there."""
        release = self.ground.release(context)
        with self.ground.store.begin() as tx:
            runs = runs_of(tx, f"release:{release.id}")
        if release.published_us is None and any(run.state.status is RunStatus.ACTIVE for run in runs):
            return Again(0.5, context.memory or {"failed": {}}, "its release has to end what it was at")
        return self._each(
            context, release, registry_places(self.ground, release), idle="it was published to no registry"
        )

    def tags(self, context: StepContext) -> Outcome:
        """Let the tags that follow the releases go back."""
        return self._each(context, self.ground.release(context), (TagsPlace(self.ground),), idle="")

    def page(self, context: StepContext) -> Outcome:
        """Mark the release's page on the forge."""
        idle = "no forge is configured" if self.ground.forge is None else "the forge has no page of it"
        return self._each(context, self.ground.release(context), (PagePlace(self.ground.forge),), idle=idle)

    def revert(self, context: StepContext) -> Outcome:
        """Propose to take its changes back, if that was asked for."""
        places = _reverts(self.ground, context)
        return self._each(context, self.ground.release(context), places, idle="it was not asked for")

    def rest(self, context: StepContext) -> Outcome:
        """Ask again those that could not answer, round by round; a stop names those that are left."""
        release = self.ground.release(context)
        memory = context.memory or {"failed": _noted(context), "round": 0, "asked": []}
        failed, asked = memory["failed"], memory["asked"]
        recorded = {yank.place for yank in release.yanks} | set(memory.get("empty", ()))
        places = {place.name: place for place in self._places(context, release)}
        left = [name for name in failed if name not in recorded and name in places]
        name = next((name for name in left if name not in asked), None)
        if name is not None:
            now = memory | {"asked": [*asked, name]}
            return self._ask(places[name], release, now)
        words = "\n".join(f"{name}: {failed[name][0]}" for name in left)
        if not left:
            return Done(idle="" if failed else "all have answered")
        if memory["round"] >= ROUNDS_MAX or not any(failed[name][1] for name in left):
            return Failed(words)
        pause_s = min(2 ** (memory["round"] + 1), PAUSE_MAX_S)
        given_up = [name for name in left if not failed[name][1]]
        again = memory | {"round": memory["round"] + 1, "asked": given_up}
        return Again(pause_s, again, f"asked again in {pause_s} s: {words}")

    def _places(self, context: StepContext, release: Release) -> tuple[Place, ...]:
        forge = PagePlace(self.ground.forge)
        return (
            MarkPlace(self.ground),
            *registry_places(self.ground, release),
            TagsPlace(self.ground),
            forge,
            *_reverts(self.ground, context),
        )

    def _each(self, context: StepContext, release: Release, places: Iterable[Place], *, idle: str) -> Outcome:
        """Ask the next place that was not asked yet."""
        memory: dict[str, Any] = context.memory or {"failed": {}}
        seen = {yank.place for yank in release.yanks} | set(memory["failed"]) | set(memory.get("asked", ()))
        place = next((one for one in places if one.name not in seen), None)
        if place is None:
            had = any(one.name in seen - set(memory.get("empty", ())) for one in places)
            return Done({"failed": memory["failed"]}, idle="" if had else idle)
        return self._ask(place, release, memory | {"asked": [*memory.get("asked", ()), place.name]})

    def _ask(self, place: Place, release: Release, memory: dict[str, Any]) -> Outcome:
        clock = self.ground.events.clock
        began_us = clock.now_us()
        try:
            answer = place.take_back(release)
        except ShiplineError as error:
            failed = memory["failed"] | {place.name: [error.diagnosis(), error.retryable]}
            return Again(0.0, memory | {"failed": failed}, f"{place.name}: {error.what}")
        if answer is None:
            empty = [*memory.get("empty", ()), place.name]
            return Again(0.0, memory | {"empty": empty}, f"{place.name}: nothing of it is there")
        seconds = (clock.now_us() - began_us) / 1_000_000
        yank = Yank(place.name, answer.done, answer.by_hand, answer.not_done, seconds)
        return Again(0.0, memory, f"{place.name}: {_words(yank)}", save=lambda tx: self._note(tx, release, yank))

    def _note(self, tx: Transaction, release: Release, yank: Yank) -> None:
        current = RELEASES.find(tx, release.id, lock=True) or release
        now = replace(current, yanks=(*current.yanks, yank))
        RELEASES.save(tx, now)
        body = {"place": yank.place, "done": list(yank.done), "by_hand": list(yank.by_hand)}
        body |= {"not_done": list(yank.not_done)}
        append(tx, self.ground.events, now, "PlaceYanked", body | {"seconds": yank.seconds})


def _reverts(ground: ReleaseGround, context: StepContext) -> tuple[Place, ...]:
    asked = bool(context.input.get("revert"))
    return (RevertPlace(ground, int(context.input["time_us"])),) if asked else ()


def _noted(context: StepContext) -> dict[str, list[Any]]:
    """The places that could not answer in the steps before: their diagnosis, and whether another try may help."""
    return {name: said for result in context.results.values() for name, said in result.get("failed", {}).items()}


def _words(yank: Yank) -> str:
    said = "; ".join(yank.done) or "nothing that a program can do"
    return f"{said} ({yank.seconds:.1f} s)"
