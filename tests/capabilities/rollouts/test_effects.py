"""Targets and proxies that say that they are done and are not; and processes that come back late."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipline.capabilities.rollouts.effects import close, lead, run_group, stop_group
from shipline.domain.errors import RefusedError, UnavailableError
from shipline.domain.rollout import RolloutStatus
from shipline.engine.journal import load_run, open_runs, save_run
from shipline.testing.fakes.faults import Fault
from tests.capabilities.rollouts.rollout_world import PLACE, RolloutWorld


def test_a_target_that_lies_is_found_out_by_what_it_runs(serving: RolloutWorld) -> None:
    target, (serves,) = serving.fake_target, serving.fake_target.groups()
    revision = serving.target.revision
    one = run_group(target, replace(serves.spec, id="idle"), revision=revision)
    target.fault = Fault.LYING
    for wanted in (replace(one.spec, id="another"), replace(one.spec, size=3)):
        with pytest.raises(UnavailableError, match="the target was told to run"):
            run_group(target, wanted, revision=revision)
    with pytest.raises(UnavailableError, match="runs on"):
        stop_group(target, one.id, revision=revision)


def test_a_proxy_that_lies_is_found_out_by_what_it_does(serving: RolloutWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serving.fake_traffic
    (old,) = proxy.routes()
    proxy.fault = Fault.LYING
    new = replace(old, group_id="new", version="1.1.0", share=0.1)
    with pytest.raises(UnavailableError) as lie:
        lead(proxy, (replace(old, share=0.9), new), revision=serving.traffic.revision)
    assert "new is not there" in lie.value.why
    monkeypatch.setattr(proxy, "close", lambda **_: None)
    with pytest.raises(UnavailableError, match="runs on"):
        close(proxy, revision=serving.traffic.revision)


@pytest.mark.parametrize("strategy", ["canary", "rolling", "blue-green"])
@pytest.mark.parametrize("liar", ["target", "proxy"])
def test_what_lies_all_the_time_ends_a_rollout_in_words(serving: RolloutWorld, strategy: str, liar: str) -> None:
    """Users are served by the stable version throughout, and nothing else is on record."""
    rollout = serving.deploy("1.1.0", strategy=strategy)
    serving.run_until(rollout, "prepare")
    fake = serving.fake_target if liar == "target" else serving.fake_traffic
    fake.fault = Fault.LYING
    serving.settle()
    fake.fault = None
    ended = serving.now(rollout)
    assert "told to run" in ended.reason or "does not hold the routes" in ended.reason
    assert serving.serving() == {"1.0.0": 1.0}
    if ended.status is RolloutStatus.FAILED:
        serving.say(rollout, "retry")
        serving.settle()
    assert serving.now(rollout).status is RolloutStatus.ROLLED_BACK


def test_who_takes_over_shuts_out_the_one_before_also_where_it_only_looks(serving: RolloutWorld) -> None:
    """Goal: nothing that a paused process still does has an effect. Method: it comes back with the number it had."""
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    serving.say(rollout, "pause")
    engine = serving.engine()
    with serving.world.store.begin() as tx:
        run = open_runs(tx, f"rollout:{PLACE}")[-1]
        late = run.revision + 1
        began = replace(run.state, started=True)
        save_run(tx, replace(run, revision=late, state=began, holder="node-that-stands-still", wake_us=None))
    engine.tick(run.id)
    with serving.world.store.begin() as tx:
        looked = load_run(tx, run.id)
    assert looked is not None
    assert looked.state.waiting_for.startswith("Paused")
    with pytest.raises(RefusedError):
        serving.fake_traffic.apply(serving.fake_traffic.routes(), revision=late)
    with pytest.raises(RefusedError):
        serving.fake_target.stop("nobody", revision=late)
