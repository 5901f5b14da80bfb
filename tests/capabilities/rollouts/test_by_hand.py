"""Somebody has changed by hand what an environment serves: it is noticed, told once, adopted or restored."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipline.capabilities.releases import RELEASES
from shipline.capabilities.rollouts import (
    Drift,
    DriftAnswer,
    current_deployment,
    drift_of,
    environment_state,
    environments_document,
    look_for_drift,
    order_adoption,
    order_drift_looks,
    restore_recorded,
)
from shipline.capabilities.rollouts.upkeep.drifting import RUN_S_MAX
from shipline.domain.artifact import Artifact
from shipline.domain.errors import RefusedError, UsageError
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.rollout import RolloutPurpose, RolloutStatus
from shipline.engine.journal import runs_of, save_run
from shipline.engine.rules import RunStatus
from shipline.ports.target import GroupSpec, Role, StillLooking
from shipline.ports.traffic import Route
from shipline.testing.fakes.faults import Fault
from shipline.testing.fakes.target import FakeTarget
from tests.capabilities.events import bodies
from tests.capabilities.rollouts.rollout_world import DIGESTS, DRIFT_EVERY_S, PACKAGE, PERSON, PLACE, RolloutWorld


def released(place: RolloutWorld, version: str, *, status: ReleaseStatus = ReleaseStatus.PUBLISHED) -> None:
    artifact = Artifact("quotes.tar.gz", "sdist", DIGESTS[0], 1)
    release = Release(
        f"rel_{version}",
        PACKAGE,
        version,
        f"v{version}",
        status,
        1,
        created_us=1,
        commit="c0ffee",
        artifacts=(artifact,),
    )
    with place.world.store.begin() as tx:
        RELEASES.save(tx, release)


def by_hand(place: RolloutWorld, version: str, *, share: float = 1.0, digests: tuple[str, ...] = DIGESTS) -> None:
    """A group is started, and gets this share of the traffic; the rest stays where it was."""
    target, revision = place.fake_target, place.target.revision
    target.prepare(PACKAGE, version, digests)
    group = target.run(GroupSpec("by-hand", Role.CANARY, PACKAGE, version, 2, digests), revision=revision)
    place.world.clock.sleep(1)
    for tell in place.traffic.before_change:
        tell()
    kept = {name: replace(one, share=one.share * (1 - share)) for name, one in place.traffic.routes.items()}
    place.traffic.routes = kept | {"by-hand": Route("by-hand", Role.CANARY, version, share, group.endpoints)}


def look(place: RolloutWorld) -> list[tuple[str, str]]:
    return [one.key for one in look_for_drift(place.ground(place.world.store), PLACE).findings]


def adopt(place: RolloutWorld, reason: str = "the outage of friday") -> RunStatus:
    with place.world.store.begin() as tx:
        subject = order_adoption(tx, place.engine(), PLACE, reason, PERSON)
    place.settle()
    with place.world.store.begin() as tx:
        return runs_of(tx, subject)[-1].state.status


def on_record(place: RolloutWorld) -> str | None:
    with place.world.store.begin() as tx:
        found = current_deployment(tx, PLACE, PACKAGE)
    return None if found is None else found.version


def test_what_serves_as_recorded_has_no_drift(serving: RolloutWorld) -> None:
    assert look(serving) == []


def test_nothing_is_compared_while_it_changes(serving: RolloutWorld) -> None:
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    drift = look_for_drift(serving.ground(serving.world.store), PLACE)
    assert (drift.answer, drift.why_unknown) == (
        DriftAnswer.UNKNOWN,
        "the rollout of quotes 1.1.0 is under way there",
    )


def test_what_cannot_be_reached_is_not_well(serving: RolloutWorld) -> None:
    serving.fake_traffic.fault = Fault.UNAVAILABLE
    drift = look_for_drift(serving.ground(serving.world.store), PLACE)
    serving.fake_traffic.fault = None
    assert drift.answer is DriftAnswer.UNKNOWN
    serving.fake_traffic.kill()
    drift = look_for_drift(serving.ground(serving.world.store), PLACE)
    assert drift.why_unknown == "the proxy does not run"
    serving.fake_traffic.open(revision=serving.traffic.revision)


class LookingTarget(FakeTarget):
    """A target that finds out of itself what was changed by hand, at the second time of asking."""

    said: str | None = None
    asked = 0

    def stands_otherwise(self, group_id: str) -> str:
        self.asked += 1
        if self.said is None or self.asked % 2:
            raise StillLooking("a look is under way")
        return self.said


def test_a_target_that_can_look_for_itself_is_asked_where_all_else_is_as_recorded(serving: RolloutWorld) -> None:
    """What is not told yet is no drift, and none is not said either."""
    target = LookingTarget(serving.world.clock, serving.target)

    def looked() -> Drift:
        return look_for_drift(replace(serving.ground(serving.world.store), target=target), PLACE)

    drift = looked()
    assert (drift.answer, drift.is_pending, drift.why_unknown) == (DriftAnswer.UNKNOWN, True, "a look is under way")
    target.said = "output.page was changed"
    assert [one.kind for one in looked().findings] == ["content"]
    target.said = ""
    assert looked().is_pending
    assert looked().answer is DriftAnswer.NONE
    by_hand(serving, "1.1.0", share=0.25)
    assert looked().is_by_hand


def test_where_nothing_was_deployed_no_proxy_is_no_drift(place: RolloutWorld) -> None:
    assert look_for_drift(place.ground(place.world.store), PLACE).answer is DriftAnswer.NONE


def test_the_looks_tell_of_a_change_once_and_of_its_end(serving: RolloutWorld) -> None:
    """The page and the document have it; the run of the next day still knows it."""
    engine = serving.engine()

    def looking(seconds: float) -> None:
        with serving.world.store.begin() as tx:
            order_drift_looks(tx, engine, PLACE)
        serving.look(engine, seconds)

    looking(DRIFT_EVERY_S * 2)
    assert bodies(serving.world.store, "DriftFound") == []
    by_hand(serving, "1.1.0", share=0.25)
    looking(DRIFT_EVERY_S * 4)
    (found,) = bodies(serving.world.store, "DriftFound")
    assert found["by_hand"]
    assert found["findings"][0]["words"] == "1.1.0 has 25.0% of the traffic, and quotes 1.0.0 is on record"
    with serving.world.store.begin() as tx:
        (told,) = environments_document([environment_state(tx, PLACE)])["environments"]
        run = runs_of(tx, f"drift:{PLACE}")[-1]
    assert told["drift"]["findings"] == found["findings"]
    with serving.world.store.begin() as tx:
        save_run(tx, replace(run, state=replace(run.state, began_us=run.created_us - RUN_S_MAX * 1_000_000)))
    looking(DRIFT_EVERY_S)
    looking(DRIFT_EVERY_S)
    with serving.world.store.begin() as tx:
        assert len(runs_of(tx, f"drift:{PLACE}")) == 2
        memory = drift_of(tx, PLACE)
    assert memory is not None
    assert memory.is_by_hand
    assert len(bodies(serving.world.store, "DriftFound")) == 1
    with serving.world.store.begin() as tx:
        restore_recorded(tx, engine, PLACE, "tidy up", PERSON)
    looking(DRIFT_EVERY_S * 3)
    (gone,) = bodies(serving.world.store, "DriftGone")
    assert gone["seconds"] > DRIFT_EVERY_S * 4


def test_a_rollout_leaves_what_was_found_as_it_was(serving: RolloutWorld) -> None:
    """Nobody is told that nothing can be told while a version is on its way."""
    engine = serving.engine()
    with serving.world.store.begin() as tx:
        order_drift_looks(tx, engine, PLACE)
    serving.look(engine, 1)
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    serving.say(rollout, "pause")
    serving.look(engine, DRIFT_EVERY_S * 2)
    with serving.world.store.begin() as tx:
        memory = drift_of(tx, PLACE)
        run = runs_of(tx, f"drift:{PLACE}")[-1]
    assert memory is not None
    assert (memory.why_unknown, memory.findings) == ("", ())
    assert run.state.waiting_for == "Not compared now: the rollout of quotes 1.1.0 is under way there."


def test_what_serves_is_adopted_with_reason_and_actor(serving: RolloutWorld) -> None:
    """From then on it is the stable version: the next canary is compared with it."""
    released(serving, "1.1.0")
    by_hand(serving, "1.1.0")
    assert look(serving)[0] == ("version", "1.1.0")
    assert adopt(serving) is RunStatus.DONE
    assert (on_record(serving), serving.serving()) == ("1.1.0", {"1.1.0": 1.0})
    assert [kind for kind, _ in look(serving)] == ["stray"]
    (told,) = bodies(serving.world.store, "DeploymentAdopted")
    assert (told["reason"], told["commit"]) == ("the outage of friday", "c0ffee")
    with serving.world.store.begin() as tx:
        (served,) = environment_state(tx, PLACE).serves
    assert served.rollout is not None
    assert (served.rollout.strategy, served.rollout.ordered_by) == ("by-hand", "ann@tests")
    assert served.rollout.purpose is RolloutPurpose.ADOPTION
    rollout = serving.shipped("1.3.0")
    assert (rollout.strategy, rollout.stable_version, rollout.status) == ("canary", "1.1.0", RolloutStatus.PROMOTED)
    assert serving.alive() == ["1.3.0", "1.3.0"]


@pytest.mark.parametrize(
    ("case", "why"),
    [
        ("unknown", "quotes 1.1.0 is not known as released"),
        ("yanked", "quotes 1.1.0 is yanked, and only a published release can be adopted"),
        ("other bytes", "what runs as quotes 1.1.0 is not made of the artifacts of that release"),
        ("shared", "quotes 1.0.0 and quotes 1.1.0 share the traffic: lead all of it to one of them first"),
        ("same", "quotes 1.0.0 is on record already"),
    ],
)
def test_only_a_known_release_that_everybody_is_served_by_is_adopted(
    serving: RolloutWorld, case: str, why: str
) -> None:
    if case != "unknown":
        released(serving, "1.1.0", status=ReleaseStatus.YANKED if case == "yanked" else ReleaseStatus.PUBLISHED)
    if case != "same":
        digests = ("sha256:" + "0" * 64,) if case == "other bytes" else DIGESTS
        by_hand(serving, "1.1.0", share=0.5 if case == "shared" else 1.0, digests=digests)
    before = serving.serving()
    assert adopt(serving) is RunStatus.UNDONE
    assert bodies(serving.world.store, "AdoptionRefused")[-1]["reason"] == f"Record what runs: {why}"
    assert (on_record(serving), serving.serving()) == ("1.0.0", before)


def test_what_is_on_record_is_restored_by_a_way_back(serving: RolloutWorld) -> None:
    by_hand(serving, "1.1.0")
    with serving.world.store.begin() as tx:
        rollout = restore_recorded(tx, serving.engine(), PLACE, "it was not released", PERSON)
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.PROMOTED
    assert (serving.serving(), look(serving)) == ({"1.0.0": 1.0}, [])
    started = bodies(serving.world.store, "RolloutStarted")[-1]
    assert (started["purpose"], started["reason"]) == ("restore", "it was not released")
    assert bodies(serving.world.store, "DeploymentBegan")[-1]["purpose"] == "restore"


def test_both_need_a_reason_a_record_and_quiet(serving: RolloutWorld) -> None:
    engine = serving.engine()
    with serving.world.store.begin() as tx, pytest.raises(UsageError, match="adopting needs a reason"):
        order_adoption(tx, engine, PLACE, "  ", PERSON)
    with serving.world.store.begin() as tx, pytest.raises(RefusedError, match="nothing on record"):
        restore_recorded(tx, engine, "staging", "why not", PERSON)
    serving.deploy("1.1.0")
    with serving.world.store.begin() as tx, pytest.raises(RefusedError, match="is being rolled out to"):
        order_adoption(tx, engine, PLACE, "why not", PERSON)
