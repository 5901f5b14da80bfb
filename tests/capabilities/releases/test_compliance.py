"""Frameworks that are required: a release with a gap is refused, and the log says so; what is kept is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipline.capabilities.gates import ControlState, built_in, read_framework
from shipline.capabilities.releases import coverages_of
from shipline.domain.release import ReleaseStatus
from shipline.store.log import sequence
from shipline.testing.world import World
from tests.capabilities.events import bodies
from tests.capabilities.releases.release_world import ReleaseWorld
from tests.store.logs import KEY

OURS = """
schema = 1
name = "ours"
title = "Ours"
source = "here"
[[control]]
id = "tested"
title = "Tests were run, and the gate was asked just now"
rule = "tests.failed == 0"
gates = ["tests pass"]
[[control]]
id = "published"
title = "It is bundled"
events = ["EvidenceBundled"]
published = true
[[control]]
id = "scanned"
title = "It was scanned"
rule = "findings.critical == 0"
"""


@pytest.fixture
def made(tmp_path: Path) -> ReleaseWorld:
    return ReleaseWorld(World(11, tmp_path), tmp_path)


def test_a_release_with_a_gap_is_refused_and_the_attempt_is_in_the_log(made: ReleaseWorld) -> None:
    """What is not known is no permission; where the framework asks for less, the same release goes on."""
    made.frameworks = (read_framework(OURS.encode(), where="ours.toml"),)
    refused = made.released()
    assert refused.status is ReleaseStatus.REFUSED
    assert made.registry.uploads == []
    told = [body for body in bodies(made.world.store, "GateDecided") if body["gate"] == "compliance ours"]
    assert [body["answer"] for body in told] == ["UNKNOWN"]
    assert told[0]["reasons"][0].startswith("scanned is not kept: findings.critical == 0 has no answer")
    assert "compliance ours says UNKNOWN" in bodies(made.world.store, "ReleaseRefused")[0]["reason"]
    made.frameworks = (read_framework(OURS.partition('[[control]]\nid = "scanned"')[0].encode(), where="ours.toml"),)
    assert made.released().status is ReleaseStatus.PUBLISHED


def test_a_gate_that_the_commit_alone_brings_shows_nothing_of_a_framework(made: ReleaseWorld) -> None:
    """A framework that the policy requires names a gate that the policy has not: a commit could bring one that says
    PASS to everything, under that name. It is asked, and may refuse; the control stays open."""
    made.frameworks = (read_framework(OURS.partition('[[control]]\nid = "scanned"')[0].encode(), where="ours.toml"),)
    made.added_gates = frozenset({("release", "tests pass")})
    assert made.released().status is ReleaseStatus.REFUSED
    reason = bodies(made.world.store, "ReleaseRefused")[0]["reason"]
    assert "tested is not kept: the gate tests pass was not asked" in reason
    made.added_gates = frozenset({("dev", "tests pass")})
    assert made.released().status is ReleaseStatus.PUBLISHED


def test_what_a_published_release_keeps_is_shown_with_its_place_in_the_log(made: ReleaseWorld) -> None:
    """Of SLSA all that a release can show; hosted builds are not, and do not count as kept."""
    release = made.released()
    sequence(made.world.store, KEY)
    ground = made.ground(made.world.store)
    slsa, soc2 = coverages_of(ground, release, (built_in("slsa"), built_in("soc2")))
    assert {state: slsa.count(state) for state in ControlState} == {
        ControlState.GAP: 0,
        ControlState.LATER: 0,
        ControlState.MET: 4,
        ControlState.ORGANISATIONAL: 3,
    }
    places = [shown.place for one in slsa.controls for shown in one.shown if shown.event_id is not None]
    assert len(places) >= 4
    assert None not in places
    gaps = [one.control.id for one in soc2.controls if one.state is ControlState.GAP]
    assert gaps == ["CC8.1: approved", "CC6.8", "CC7.1"]
