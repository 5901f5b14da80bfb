"""From deliveries to looks: nothing is lost and nothing doubled, whoever dies, repeats or comes late."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.automation import (
    AUTOMATION_WORKFLOW,
    LOOK,
    Carried,
    Command,
    DeliveryStatus,
    Duties,
    Looked,
    LookStep,
    NewDelivery,
    automation_workflow,
    count_deliveries,
    event_name,
    find_delivery,
    follow_command,
    forget_deliveries,
    handle_deliveries,
    keep_deliveries,
    latest_deliveries,
    open_pulls_of,
    order_look,
    reconcile,
    replay_delivery,
)
from shipline.capabilities.automation.deliveries import KEPT_US, lock_waiting, waiting_deliveries
from shipline.domain.errors import RefusedError, ShiplineError, UnavailableError, UnknownName
from shipline.engine.engine import Catalogue, Engine
from shipline.engine.journal import Run, runs_of
from shipline.ports.forge import PullRequest, PullState
from shipline.store.database import Store
from shipline.store.event_writer import EventWriter
from shipline.store.log import RecordedEvent, read_latest
from shipline.store.transaction import Transaction
from shipline.testing.kills import Countdown, Killed, MortalStore
from shipline.testing.world import World
from tests.capabilities.automation.payloads import github_push

DUTIES = Duties(("main", "next"))


def duties() -> Duties:
    return DUTIES


@dataclass
class Place:
    """A forge of branches, and what a hand has brought about for each: it has looked at this commit. `troubles` are
    raised first, `meanwhile` is called in the middle of a look."""

    tips: dict[str, str] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    looks: int = 0
    troubles: list[ShiplineError] = field(default_factory=list)
    meanwhile: Any = None

    def hand(self, command: Command, _memory: dict[str, Any]) -> Carried:
        self.looks += 1
        if self.troubles:
            raise self.troubles.pop(0)
        tip = self.tips.get(command.about, "")
        if self.meanwhile is not None:
            self.meanwhile()
        changed = self.seen.get(command.about) != tip
        self.seen[command.about] = tip
        return Carried(f"looked at {tip}", changed=changed)


class Scene:
    """A world with engines that see to a place."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.place = Place()
        self.pushes = 0

    def engine(self, store: Store | None = None) -> Engine:
        events = EventWriter(self.world.ids, self.world.clock)
        made: list[Engine] = []

        def follow(tx: Transaction, run: Run) -> None:
            follow_command(tx, made[0], run)

        actions = {f"{AUTOMATION_WORKFLOW}.{LOOK}": LookStep({"release": self.place.hand}, events)}
        catalogue = Catalogue({AUTOMATION_WORKFLOW: automation_workflow()}, actions, {AUTOMATION_WORKFLOW: follow})
        made.append(self.world.engine(catalogue, store))
        return made[0]

    def push(self, branch: str = "main", store: Store | None = None) -> NewDelivery:
        """Something comes to a branch, and its hook is kept."""
        self.pushes += 1
        tip = f"{self.pushes:040x}"
        self.place.tips[branch] = tip
        payload = json.dumps(github_push(f"refs/heads/{branch}", after=tip)).encode()
        new = NewDelivery("github", f"guid-{self.pushes}", "push", payload)
        self.keep(new, store=store)
        return new

    def keep(self, *new: NewDelivery, store: Store | None = None) -> None:
        keep_deliveries(store or self.world.store, new, self.world.clock.now_us())

    def settle(self, engine: Engine | None = None) -> None:
        """Until nothing waits and nothing is under way."""
        used = engine or self.engine()
        while handle_deliveries(used.store, used, duties):
            pass
        self.world.run_until_quiet(used)


@pytest.fixture
def scene(tmp_path: Path, store_url: str) -> Iterator[Scene]:
    world = World(1, tmp_path, url=store_url)
    yield Scene(world)
    world.close()


def deliveries(scene: Scene) -> list[tuple[str, int, str]]:
    with scene.world.store.begin() as tx:
        return [(each.status.value, each.repeats, each.said) for each in latest_deliveries(tx, limit=100)]


def events(scene: Scene) -> tuple[RecordedEvent, ...]:
    return read_latest(scene.world.store, 10, "automation:release:main")


def test_a_push_has_its_branch_looked_at(scene: Scene) -> None:
    scene.push()
    scene.settle()
    assert scene.place.seen == scene.place.tips
    with scene.world.store.begin() as tx:
        (one,) = latest_deliveries(tx, limit=10)
        assert (one.status, one.commands, one.repeats) == (DeliveryStatus.HANDLED, ("release:main",), 0)
    assert [each.event.kind for each in events(scene)] == ["AutomationActed"]


def test_the_same_delivery_again_is_counted_and_nothing_else(scene: Scene) -> None:
    """Before and after it was handled; the same name with other bytes is another one."""
    new = scene.push()
    scene.keep(new, new)
    scene.settle()
    scene.keep(new)
    scene.settle()
    assert scene.place.looks == 1
    assert [each[:2] for each in deliveries(scene)] == [("handled", 3)]
    scene.keep(NewDelivery(new.hook, new.identity, new.event, new.payload.replace(b'"id": 7', b'"id": 8')))
    scene.settle()
    assert scene.place.looks == 2


def test_a_text_that_no_database_takes_keeps_no_other_delivery_waiting(scene: Scene) -> None:
    """Half of a character and NUL, which JSON can name; where the forge names the event, and in what it says."""
    body = json.dumps({"milestone": {"number": 1, "title": "\ud800\0"}, "action": "closed\udfff"}).encode()
    named = event_name("gitlab", {}, {"object_kind": "\ud800\0push"})
    scene.keep(NewDelivery("github", "guid-a", "milestone", body), NewDelivery("gitlab", "guid-b", named, b"{}"))
    scene.push()
    scene.settle()
    assert scene.place.seen == scene.place.tips
    assert {status for status, *_ in deliveries(scene)} == {"handled", "ignored"}


def test_many_at_once_are_one_look(scene: Scene) -> None:
    """Whatever their order: the look sees what is so then."""
    for _ in range(20):
        scene.push()
    scene.settle()
    assert (scene.place.seen, scene.place.looks) == (scene.place.tips, 1)


def test_what_comes_in_the_middle_of_a_look_is_looked_at_once_more(scene: Scene) -> None:
    engine, store = scene.engine(), scene.world.store

    def meanwhile() -> None:
        scene.place.meanwhile = None
        for _ in range(3):
            scene.push()
            handle_deliveries(store, engine, duties)

    scene.place.meanwhile = meanwhile
    scene.push()
    scene.settle(engine)
    assert (scene.place.seen, scene.place.looks) == (scene.place.tips, 2)


def test_what_is_ordered_between_the_last_look_and_the_end_of_its_run_is_not_lost(scene: Scene) -> None:
    """A look has ended and its run has not: the word comes too late for both, and begins another run."""
    engine = scene.engine()
    with scene.world.store.begin() as tx:
        run_id = order_look(tx, engine, Command("release", "main"))
    engine.tick(run_id)
    scene.push()
    handle_deliveries(scene.world.store, engine, duties)
    scene.world.run_until_quiet(engine)
    assert (scene.place.seen, scene.place.looks) == (scene.place.tips, 2)


@pytest.mark.parametrize("fatal", range(1, 17))
def test_a_process_may_die_anywhere(tmp_path: Path, sqlite_url: str, fatal: int) -> None:
    """Before and after each commit; what was acknowledged comes to the same end, and is looked at."""
    scene = Scene(World(fatal, tmp_path, url=sqlite_url))
    mortal = MortalStore(scene.world.store, Countdown(fatal))
    try:
        engine = scene.engine(mortal)
        for branch in ("main", "next"):
            scene.push(branch, mortal)
            handle_deliveries(mortal, engine, duties)
            scene.world.run_until_quiet(engine)
    except Killed:
        pass
    else:
        assert fatal > 12, "there are more places to die"
    scene.settle()
    kept = {each.payload for each in _all(scene)}
    told = {branch: tip for branch, tip in scene.place.tips.items() if any(tip in payload for payload in kept)}
    assert scene.place.seen == told
    scene.world.close()


def _all(scene: Scene) -> list[Any]:
    with scene.world.store.begin() as tx:
        return [find_delivery(tx, each.number) for each in latest_deliveries(tx, limit=100)]


def test_trouble_that_passes_is_waited_out(scene: Scene) -> None:
    """For hours if need be; events that come meanwhile wake it."""
    scene.place.troubles = [UnavailableError("the forge is down") for _ in range(40)]
    scene.push()
    scene.settle()
    assert (scene.place.seen, scene.place.looks) == (scene.place.tips, 41)


def test_trouble_that_stays_is_told_and_the_next_event_tries_again(scene: Scene) -> None:
    scene.place.troubles = [RefusedError("somebody has committed to the branch", todo="merge it")]
    scene.push()
    scene.settle()
    (told,) = [each.event for each in events(scene)]
    assert (told.kind, told.body["todo"]) == ("AutomationHeldUp", "merge it")
    scene.push()
    scene.settle()
    assert scene.place.seen == scene.place.tips


def test_what_cannot_be_understood_is_set_aside(scene: Scene) -> None:
    """And holds nothing up that comes after it."""
    scene.keep(NewDelivery("github", "1", "push", b"{}"), NewDelivery("github", "2", "stars", b"{}"))
    scene.keep(NewDelivery("gitlab", "3", "push", b'{"ref": "refs/heads/topic"}'))
    scene.push()
    scene.settle()
    assert [each[0] for each in deliveries(scene)] == ["handled", "ignored", "ignored", "unreadable"]
    assert "it lacks ref" in deliveries(scene)[-1][2]
    assert scene.place.seen == scene.place.tips


def test_a_delivery_is_replayed(scene: Scene) -> None:
    scene.push()
    scene.settle()
    with scene.world.store.begin() as tx:
        number = latest_deliveries(tx, limit=1)[0].number
        assert replay_delivery(tx, number).number == number
        with pytest.raises(UnknownName):
            replay_delivery(tx, number + 1)
    scene.settle()
    assert scene.place.looks == 2


def pull(number: int, state: PullState = PullState.OPEN, title: str = "feat: x") -> PullRequest:
    return PullRequest(number, title, "", "topic", "main", state, "")


def test_what_no_hook_told_is_found_by_looking(scene: Scene) -> None:
    """Each difference once; what a hook has told is none, and neither is what was found before."""
    engine, store = scene.engine(), scene.world.store
    scene.push()
    scene.settle(engine)

    def look(*pulls: PullRequest, ended: tuple[PullRequest, ...] = ()) -> int:
        with store.begin() as tx:
            found = reconcile(tx, engine, Looked({"main": scene.place.tips["main"]}, pulls, ended))
        scene.settle(engine)
        return found

    assert look() == 0
    scene.place.tips["main"] = "c" * 40
    assert [look(pull(4)), look(pull(4)), look(pull(4, title="fix: y"))] == [2, 0, 1]
    assert scene.place.seen == scene.place.tips
    with store.begin() as tx:
        assert open_pulls_of(tx, "main") == (4,)
    looks = scene.place.looks
    assert look(ended=(pull(4, PullState.MERGED),)) == 1
    assert scene.place.looks == looks + 1
    with store.begin() as tx:
        assert open_pulls_of(tx, "main") == ()


def test_what_went_back_and_forth_is_found_each_time(scene: Scene) -> None:
    """The same difference may come again, and is no repetition of the first."""
    engine = scene.engine()
    for tip in ("a" * 40, "b" * 40, "a" * 40, "b" * 40):
        scene.place.tips["main"] = tip
        with scene.world.store.begin() as tx:
            assert reconcile(tx, engine, Looked({"main": tip})) == 1
        scene.settle(engine)
        assert scene.place.seen == {"main": tip}


def test_old_deliveries_are_forgotten_and_waiting_ones_are_not(scene: Scene) -> None:
    scene.push()
    scene.settle()
    scene.push("topic")
    scene.world.clock.jump_to(scene.world.clock.now_us() + KEPT_US + 1_000_000)
    with scene.world.store.begin() as tx:
        assert forget_deliveries(tx, scene.world.clock.now_us()) == 1
        assert count_deliveries(tx) == {"waiting": 1, "repeats": 0}


def test_two_nodes_do_not_double_what_they_share(tmp_path: Path, postgresql_url: str) -> None:
    """While one has taken deliveries up and not committed, the other passes them over."""
    scene = Scene(World(3, tmp_path, url=postgresql_url))
    one, other = scene.engine(), scene.engine()
    scene.push()
    with scene.world.store.begin() as tx:
        (waiting,) = waiting_deliveries(tx, limit=10)
        assert lock_waiting(tx, (waiting.number,)) == {waiting.number}
        assert handle_deliveries(scene.world.store, other, duties) == 0
    assert [handle_deliveries(scene.world.store, each, duties) for each in (one, other)] == [1, 0]
    scene.world.run_until_quiet(other)
    with scene.world.store.begin() as tx:
        assert len(runs_of(tx, "automation:release:main")) == 1
    assert scene.place.looks == 1
    scene.world.close()
