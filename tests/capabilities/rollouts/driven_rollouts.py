"""What whole rollouts that a controller carries out must do, whoever it is: a suite for models and clusters."""

from __future__ import annotations

from shipline.capabilities.rollouts import (
    Verification,
    analysis_of,
    current_deployment,
    look_for_drift,
    verdict_now,
)
from shipline.capabilities.rollouts.upkeep.drift import DriftAnswer
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.domain.verdict import Answer
from shipline.ports.controller import Phase
from shipline.testing.conformance.controller import BETTER, BROKEN, GOOD
from shipline.testing.fakes.faults import Fault
from tests.capabilities.events import bodies
from tests.capabilities.rollouts.driven_world import DrivenPlace
from tests.capabilities.rollouts.rollout_world import PLACE
from tests.clusters import digests_of


def look_until(place: DrivenPlace, rollout: Rollout, words: str, *, seconds: float = 2.0) -> Rollout:
    """Work until it says that it waits for this."""
    engine = place.engine()
    for _ in range(300):
        place.look(engine, seconds)
        now = place.now(rollout)
        if words in now.waiting_for:
            return now
    raise AssertionError(f"never waited for {words!r}; last: {place.now(rollout).waiting_for!r}")


class DrivenRollouts:
    """`place` is an environment where GOOD serves, driven by one of the controllers."""

    def test_a_good_version_is_watched_and_let_on(self, place: DrivenPlace) -> None:
        """The analysis has its history, the record its deployment, and nothing has drifted."""
        ended = place.ended(BETTER)
        assert (ended.status, ended.strategy, ended.stable_version) == (RolloutStatus.PROMOTED, "driven", GOOD)
        assert ended.reason == ""
        state = place.state()
        assert state.phase is Phase.SETTLED
        assert state.stable is not None
        assert state.stable.content.version == BETTER
        with place.world.store.begin() as tx:
            points = analysis_of(tx, ended.id)
            served = current_deployment(tx, PLACE, "quotes")
        assert points[-1].verdict == "promote"
        assert sum(point.canary_requests for point in points) > 0
        assert served is not None
        assert served.version == BETTER
        assert bodies(place.world.store, "ControllerPromoted")[0]["before_evidence"] is False
        assert look_for_drift(place.ground(place.world.store), PLACE).answer is DriftAnswer.NONE

    def test_a_bad_version_is_turned_back_by_the_controllers_own_means(self, place: DrivenPlace) -> None:
        """The image is set back, so that the controller has nothing left to do."""
        place.behave(BETTER, error_rate=0.5)
        ended = place.ended(BETTER)
        assert ended.status is RolloutStatus.ROLLED_BACK
        assert "requests failed" in ended.reason or "fails more often" in ended.reason
        state = place.state()
        assert (state.phase, state.wanted.version, state.weight) == (Phase.SETTLED, GOOD, 0.0)
        (told,) = bodies(place.world.store, "RolloutRolledBack")
        assert told["found_worse"]
        assert [one.failed for one in place.deployments()] == [False, True]

    def test_the_controllers_own_rollback_is_recorded_with_its_reason(self, place: DrivenPlace) -> None:
        place.cluster.model.failing.update(digests_of(BETTER))
        ended = place.ended(BETTER)
        assert ended.status is RolloutStatus.ROLLED_BACK
        assert "has turned back by itself: " in ended.reason
        assert bodies(place.world.store, "ControllerTurnedBack")[0]["words"]
        assert place.state().wanted.version == GOOD
        assert not bodies(place.world.store, "RolloutRolledBack")[0]["found_worse"]

    def test_copies_that_do_not_become_ready_end_it(self, place: DrivenPlace) -> None:
        ended = place.ended(BROKEN)
        assert ended.status is RolloutStatus.ROLLED_BACK
        assert place.state().wanted.version == GOOD

    def test_a_controller_that_does_nothing_is_not_waited_for(self, place: DrivenPlace) -> None:
        """The image is back where it was, and the words say what may be wrong."""
        place.cluster.model.asleep = True
        rollout = place.order(BETTER)
        place.look(place.engine(), 310.0)
        place.cluster.model.asleep = False
        place.settle()
        now = place.now(rollout)
        assert now.status is RolloutStatus.ROLLED_BACK
        assert "has not begun to bring 1.1.0 there within 300 s" in now.reason
        assert place.state().wanted.version == GOOD
        assert len(place.deployments()) == 1

    def test_a_person_aborts(self, place: DrivenPlace) -> None:
        rollout = place.order(BETTER)
        look_until(place, rollout, "20% of the traffic")
        place.say(rollout, "abort")
        place.settle()
        assert place.now(rollout).status is RolloutStatus.ROLLED_BACK
        assert place.state().wanted.version == GOOD

    def test_a_person_promotes_and_the_record_says_so(self, place: DrivenPlace) -> None:
        """Argo skips what is left. Flagger goes through its steps, and hears yes at each."""
        rollout = place.order(BETTER)
        look_until(place, rollout, "20% of the traffic")
        place.say(rollout, "promote")
        place.settle()
        assert place.now(rollout).status is RolloutStatus.PROMOTED
        assert bodies(place.world.store, "ControllerPromoted")[0]["before_evidence"] is False
        with place.world.store.begin() as tx:
            assert any("Promoted by a person" in point.reason for point in analysis_of(tx, rollout.id))

    def test_a_person_pauses_and_resumes(self, place: DrivenPlace) -> None:
        """While it is paused no weight rises, however good it is; it goes on being watched."""
        rollout = place.order(BETTER)
        look_until(place, rollout, "20% of the traffic")
        place.say(rollout, "pause")
        engine = place.engine()
        place.look(engine, 120.0)
        now = place.now(rollout)
        assert (now.status, now.weight) == (RolloutStatus.PAUSED, 0.2)
        assert now.waiting_for.startswith("Paused until a person")
        place.say(rollout, "resume")
        place.settle()
        assert place.now(rollout).status is RolloutStatus.PROMOTED

    def test_the_way_back_after_a_promotion(self, place: DrivenPlace) -> None:
        """A rollback sets the version before, and needs no evidence."""
        place.ended(BETTER)
        began_us = place.world.clock.now_us()
        back = place.ended(GOOD, back=True)
        assert back.status is RolloutStatus.PROMOTED
        assert place.state().wanted.version == GOOD
        limit_s = 60 if place.cluster.kind == "argo-rollouts" else 300
        assert (place.world.clock.now_us() - began_us) / 1e6 < limit_s

    def test_what_fails_its_verification_goes_back_although_it_is_promoted(self, place: DrivenPlace) -> None:
        place.verifications = (Verification("smoke", ("false",), attempts=1, every_s=1, timeout_s=5),)
        ended = place.ended(BETTER)
        assert ended.status is RolloutStatus.ROLLED_BACK
        state = place.state()
        assert (state.phase, state.wanted.version) == (Phase.SETTLED, GOOD)

    def test_an_image_that_somebody_sets_meanwhile_is_left_alone(self, place: DrivenPlace) -> None:
        rollout = place.order(BETTER)
        look_until(place, rollout, "20% of the traffic")
        other = f"{place.cluster.host}/team/quotes:by-hand"
        place.cluster.set_by_hand(other)
        place.settle()
        now = place.now(rollout)
        assert now.status is RolloutStatus.ROLLED_BACK
        assert "somebody has set the image to" in now.reason
        assert place.state().wanted.image == other

    def test_a_verdict_is_about_the_image_that_the_rollout_has_set(self, place: DrivenPlace) -> None:
        """Somebody sets another one between two looks: what was proved is not what is there, so nothing lets it on."""
        rollout = place.order(BETTER)
        engine = place.engine()
        for _ in range(300):
            place.look(engine, 2.0)
            if place.verdict().answer is Answer.PASS:
                break
        assert place.verdict().answer is Answer.PASS
        other = f"{place.cluster.host}/team/quotes@{digests_of(BROKEN)[0]}"
        place.cluster.set_by_hand(other)
        verdict = place.verdict()
        assert (verdict.answer, verdict.begins, verdict.rises, verdict.holds) == (Answer.UNKNOWN, False, False, False)
        assert verdict.rollout is not None
        assert verdict.rollout.id == rollout.id
        assert other in verdict.reason

    def test_a_source_of_counts_that_is_down_is_no_verdict(self, place: DrivenPlace) -> None:
        """Nothing is let on and nothing turned back; whoever asks hears that nobody knows."""
        place.users.requests_per_s = 0.5
        rollout = place.order(BETTER)
        look_until(place, rollout, "20% of the traffic")
        place.fake_signals.fault = Fault.UNAVAILABLE
        place.look(place.engine(), 90.0)
        assert place.now(rollout).status is RolloutStatus.RUNNING
        with place.world.store.begin() as tx:
            verdict = verdict_now(tx, PLACE, place.world.clock.now_us(), fresh_s=60.0, evidence_calm=10.0)
        assert verdict.answer is Answer.UNKNOWN
        assert not verdict.rises
        assert not verdict.holds
        place.fake_signals.fault = None
