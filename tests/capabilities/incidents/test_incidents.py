"""Incidents open, escalate and are resolved as rollouts go, by the events that the rollouts' room writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from shipline.capabilities.incidents import (
    ROLLOUT_KINDS,
    all_incidents,
    follow_rollout,
    incident_of_rollout,
    incidents_document,
    open_incidents,
)
from shipline.capabilities.rollouts.queries import DEPLOYMENTS, ROLLOUTS
from shipline.capabilities.rollouts.usecases import follow_run, note_start
from shipline.domain.actor import SYSTEM
from shipline.domain.event import Event
from shipline.domain.incident import Incident, IncidentStatus
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.engine.journal import Run
from shipline.engine.rules import Phase, RunState, RunStatus
from shipline.store.event_writer import EventWriter
from shipline.store.tables import event as event_table
from shipline.testing.world import World
from tests.capabilities.rollouts.rollout_world import RolloutWorld


class Rollouts:
    """One rollout, driven by the states of its run as the engine reports them."""

    def __init__(self, world: World, rollout_id: str = "") -> None:
        self.world = world
        self.events = EventWriter(world.ids, world.clock)
        self.seen = 0
        self.rollout_id = rollout_id or world.ids.new("rol")
        if rollout_id:
            return
        rollout = Rollout(
            self.rollout_id, "quotes", "1.2.0", "production", "canary", RolloutStatus.STARTING, world.clock.now_us()
        )
        with world.store.begin() as tx:
            ROLLOUTS.save(tx, rollout)

    def expose(self) -> str:
        """The canary starts; returns its deployment's id."""
        rollout = self._rollout()
        with self.world.store.begin() as tx:
            note_start(tx, self.events, rollout, {"commit": "c0ffee"})
            return DEPLOYMENTS.where(tx, rollout_id=self.rollout_id)[0].id

    def suffer(self, failed_requests: int) -> None:
        """So many requests have failed by now."""
        rollout = replace(self._rollout(), failed_requests=failed_requests)
        with self.world.store.begin() as tx:
            ROLLOUTS.save(tx, rollout)

    def run_is(self, state: RunState) -> None:
        """The engine reports a state, two seconds later."""
        self.world.clock.sleep(2)
        given = {"rollout_id": self.rollout_id}
        run = Run("run", "rollout:production", "rollout", 1, None, None, 0, given, state)
        with self.world.store.begin() as tx:
            follow_run(tx, self.events, run)

    def fresh_events(self) -> list[Event]:
        """What a reactor of the room would be handed now."""
        query = select(event_table).where(event_table.c.kind.in_(ROLLOUT_KINDS), event_table.c.number > self.seen)
        events = []
        with self.world.store.begin() as tx:
            for row in tx.connection.execute(query.order_by(event_table.c.number)).mappings():
                self.seen = row["number"]
                copied = {name: row[name] for name in ("id", "stream", "kind", "time_us", "position")}
                events.append(Event(**copied, actor=SYSTEM, body=json.loads(row["content"])["body"]))
        return events

    def handle(self, events: list[Event]) -> None:
        for event in events:
            with self.world.store.begin() as tx:
                follow_rollout(tx, event)

    def incident(self) -> Incident | None:
        with self.world.store.begin() as tx:
            return incident_of_rollout(tx, self.rollout_id)

    def told(self) -> list[tuple[str, str | None]]:
        """The kinds of the events about incidents, each with its cause."""
        query = select(event_table.c.kind, event_table.c.cause).where(event_table.c.stream.like("incident:%"))
        with self.world.store.begin() as tx:
            return [(kind, cause) for kind, cause in tx.connection.execute(query.order_by(event_table.c.number))]

    def _rollout(self) -> Rollout:
        with self.world.store.begin() as tx:
            found = ROLLOUTS.find(tx, self.rollout_id)
        assert found is not None
        return found


TURNED = RunState(phase=Phase.UNDO, undone=True, reason="Watch the canary: 5 % of requests fail")
BACK = replace(TURNED, phase=Phase.CLOSING)
STUCK = replace(TURNED, status=RunStatus.FAILED, reason="restore: the proxy does not answer")


@pytest.fixture
def world(tmp_path: Path, store_url: str) -> Iterator[World]:
    made = World(3, tmp_path, url=store_url)
    yield made
    made.close()


@pytest.fixture
def rollouts(world: World) -> Rollouts:
    return Rollouts(world)


def test_an_exposed_version_that_is_turned_back_has_an_open_incident(rollouts: Rollouts) -> None:
    deployment_id = rollouts.expose()
    rollouts.suffer(7)
    rollouts.run_is(TURNED)
    rollouts.handle(rollouts.fresh_events())
    incident = rollouts.incident()
    assert incident is not None
    assert incident.status is IncidentStatus.OPEN
    assert (incident.deployment_id, incident.failed_requests) == (deployment_id, 7)
    assert incident.title == "quotes 1.2.0 is rolled back in production: 5 % of requests fail"
    assert incident.opened_us == rollouts.world.clock.now_us()


def test_it_is_resolved_with_the_final_count_once_all_traffic_is_back(rollouts: Rollouts) -> None:
    rollouts.expose()
    rollouts.suffer(7)
    rollouts.run_is(TURNED)
    rollouts.suffer(9)
    rollouts.run_is(BACK)
    events = rollouts.fresh_events()
    rollouts.world.clock.sleep(3600)
    rollouts.handle(events)
    incident = rollouts.incident()
    assert incident is not None
    assert (incident.status, incident.failed_requests) == (IncidentStatus.RESOLVED, 9)
    assert incident.resolved_us == incident.opened_us + 2_000_000, "the times are the rollout's, not the reactor's"
    assert rollouts.told() == [("IncidentOpened", events[0].id), ("IncidentResolved", events[1].id)]


def test_a_version_that_nobody_met_leaves_no_incident(rollouts: Rollouts) -> None:
    rollouts.run_is(TURNED)
    rollouts.run_is(BACK)
    events = rollouts.fresh_events()
    rollouts.handle(events)
    assert [event.kind for event in events] == ["RollbackBegan", "RolloutRolledBack"]
    assert rollouts.incident() is None
    assert rollouts.told() == []


def test_a_way_back_that_failed_keeps_it_open_and_asks_for_a_person(rollouts: Rollouts) -> None:
    rollouts.expose()
    rollouts.run_is(TURNED)
    rollouts.run_is(STUCK)
    rollouts.handle(rollouts.fresh_events())
    incident = rollouts.incident()
    assert incident is not None
    assert incident.status is IncidentStatus.OPEN
    assert incident.title.startswith("a person must look: quotes 1.2.0 is stuck on its way back in production: restore")
    assert [kind for kind, _ in rollouts.told()] == ["IncidentOpened", "IncidentEscalated"]


def test_a_person_who_ends_it_resolves_the_same_incident(rollouts: Rollouts) -> None:
    rollouts.expose()
    for state in (TURNED, STUCK, TURNED, BACK):
        rollouts.run_is(state)
    rollouts.handle(rollouts.fresh_events())
    with rollouts.world.store.begin() as tx:
        assert [incident.status for incident in all_incidents(tx)] == [IncidentStatus.RESOLVED]
        assert open_incidents(tx) == ()


def test_a_way_back_that_failed_opens_one_though_nobody_met_the_version(rollouts: Rollouts) -> None:
    rollouts.run_is(TURNED)
    rollouts.run_is(STUCK)
    rollouts.handle(rollouts.fresh_events())
    incident = rollouts.incident()
    assert incident is not None
    assert (incident.deployment_id, incident.failed_requests) == (None, None)
    with rollouts.world.store.begin() as tx:
        assert open_incidents(tx) == (incident,)


@pytest.mark.parametrize(
    ("states", "status", "kinds"),
    [
        ((), IncidentStatus.OPEN, ["IncidentOpened"]),
        (None, IncidentStatus.RESOLVED, ["IncidentOpened", "IncidentResolved"]),
        ((TURNED, BACK), IncidentStatus.OPEN, ["IncidentOpened", "IncidentEscalated"]),
    ],
    ids=["ordered", "done", "turned back"],
)
def test_a_way_back_that_a_person_orders_blames_what_serves(
    world: World, states: tuple[RunState, ...] | None, status: IncidentStatus, kinds: list[str]
) -> None:
    """It is over when all traffic is back. Where the way back is turned back itself, the bad version serves again."""
    place = RolloutWorld(world)
    place.shipped("1.0.0")
    place.shipped("1.1.0")
    (blamed,) = (one.id for one in place.deployments() if one.ended_us is None)
    rollout = place.deploy("1.0.0", rollback=True, reason="it loses quotes")
    rollouts = Rollouts(world, rollout.id)
    if states is None:
        place.settle()
    elif states:
        rollouts.expose()
    for state in states or ():
        rollouts.run_is(state)
    rollouts.handle(rollouts.fresh_events())
    incident = rollouts.incident()
    assert incident is not None
    assert (incident.status, incident.deployment_id) == (status, blamed)
    assert "quotes 1.0.0" in incident.title
    if status is not IncidentStatus.OPEN or not states:
        assert incident.title.endswith("is brought back, in the place of 1.1.0, in production: it loses quotes")
    assert [kind for kind, _ in rollouts.told()] == kinds


@pytest.mark.parametrize("states", [(TURNED, BACK), (TURNED, STUCK), (TURNED, STUCK, TURNED, BACK)])
def test_handling_events_twice_changes_nothing(rollouts: Rollouts, states: tuple[RunState, ...]) -> None:
    rollouts.expose()
    for state in states:
        rollouts.run_is(state)
    events = rollouts.fresh_events()
    for event in events:
        rollouts.handle([event, event])
    incident, told = rollouts.incident(), rollouts.told()
    rollouts.handle(events[-1:])
    assert (rollouts.incident(), rollouts.told()) == (incident, told)
    assert len(told) == 2 + (len(states) > 2)


def test_an_erased_event_leads_to_nothing(rollouts: Rollouts) -> None:
    rollouts.expose()
    rollouts.run_is(TURNED)
    rollouts.handle([replace(event, body={}) for event in rollouts.fresh_events()])
    assert rollouts.incident() is None


def test_the_document_names_its_schema_and_writes_times_out(rollouts: Rollouts) -> None:
    rollouts.expose()
    rollouts.run_is(TURNED)
    rollouts.handle(rollouts.fresh_events())
    with rollouts.world.store.begin() as tx:
        document = incidents_document(all_incidents(tx))
    assert document["schema"] == "shipline.incidents/1"
    (entry,) = document["incidents"]
    assert entry["opened"] == "2026-09-21T14:13:22.000+00:00"
    assert (entry["resolved"], entry["status"]) == (None, "open")
    assert set(entry) == {
        *("id", "title", "environment", "status", "deployment_id", "rollout_id", "failed_requests"),
        *("opened", "resolved"),
    }
