"""Figures from a log in a store, of each kind, and the document that they are published as."""

from __future__ import annotations

import json
from datetime import UTC

import pytest

from shipline.capabilities.metrics import Window, dora, metrics_document
from shipline.domain.actor import SYSTEM
from shipline.store.database import Store
from shipline.store.log import erase
from tests.capabilities.metrics.stories import DAY, Story, at

WINDOW = Window(at(0), at(2 * DAY), UTC)
FIGURES = (
    *("deployment_frequency", "lead_time_median", "lead_time_p90", "change_fail_rate"),
    *("recovery_time_median", "rework_rate"),
)


@pytest.fixture
def story(store: Store) -> Story:
    """A good version after the first one, then a bad one that was turned back."""
    told = Story()
    told.release("1.0.0", after=None, commits={"a": -500})
    told.deploy("1.0.0", minute=1)
    told.release("1.1.0", after="1.0.0", commits={"b": 5, "c": 15}, minute=20)
    told.deploy("1.1.0", minute=25)
    bad = told.expose("1.2.0", minute=30)
    told.turn_back(bad, minute=31, restored=32)
    told.incident(bad, opened=31, resolved=32)
    with store.begin() as tx:
        for event in told.events:
            tx.append(event)
    return told


def test_the_five_figures_come_from_the_log_alone(store: Store, story: Story) -> None:
    assert story.events
    project = dora(store, WINDOW, now_us=at(DAY), environments=("production",)).project
    assert [getattr(project, name).value for name in FIGURES] == pytest.approx([1, 15 * 60, 19 * 60, 1 / 3, 120, 0])


def test_what_had_not_happened_yet_is_not_known(store: Store, story: Story) -> None:
    assert story.events
    project = dora(store, WINDOW, now_us=at(31.5), environments=("production",)).project
    assert (project.recovery_time_median.value, project.left_out.open_recoveries) == (None, 1)


def test_erased_events_are_counted(store: Store, story: Story) -> None:
    with store.begin() as tx:
        erase(tx, story.events[-1].id, erasure_id="evt_erasure", actor=SYSTEM, time_us=at(40))
    report = dora(store, WINDOW, now_us=at(DAY), environments=("production",))
    assert report.erased_events == 1


def test_every_figure_of_the_document_has_value_unit_sample_and_reason(store: Store, story: Story) -> None:
    assert story.events
    report = dora(store, WINDOW, now_us=at(DAY), environments=("production",))
    document = json.loads(json.dumps(metrics_document(report), allow_nan=False))
    assert document["schema"] == "shipline.metrics/1"
    assert document["window"] == {
        "from": "2026-11-01T00:00:00+00:00",
        "to": "2026-11-03T00:00:00+00:00",
        "time_zone": "UTC",
        "days": 2,
    }
    (service,) = document["services"]
    assert (service["package"], service["environment"]) == ("quotes", "production")
    for part in (document["project"], service):
        assert set(FIGURES) <= set(part)
        assert all(set(part[name]) == {"value", "unit", "n", "reason"} for name in FIGURES)
        assert part["daily"] == [{"day": "2026-11-01", "deployments": 2}, {"day": "2026-11-02", "deployments": 0}]


def test_without_any_event_every_value_is_null(store: Store) -> None:
    document = metrics_document(dora(store, WINDOW, now_us=at(DAY), environments=("production",)))
    assert document["services"] == []
    for name in FIGURES:
        assert document["project"][name]["value"] is None
        assert document["project"][name]["reason"]
