"""Requests in the background go on while somebody asks for them, and end by themselves."""

from __future__ import annotations

from shipline.bootstrap.synthetic import KeptLoad, synthetic_of
from shipline.capabilities.rollouts import NoSender
from shipline.configuration import EnvironmentSettings, RehearsalSettings
from shipline.domain.errors import UnavailableError
from shipline.ports.load import LoadPlan
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.load import FakeLoad
from shipline.testing.fakes.traffic import FakeTraffic
from tests.machine import wait_until


def plan(rate_per_s: float) -> LoadPlan:
    return LoadPlan("service.test:80", rate_per_s=rate_per_s, seconds=3600.0)


def test_nobody_who_asks_no_more_has_to_end_it() -> None:
    """What was sent is told once, with the next word."""
    clock = FakeClock()
    kept = KeptLoad(FakeLoad(passes=clock.sleep), plan, clock)
    assert kept.keep(40.0, 2.0) == 0
    wait_until(lambda: kept._thread is None, "the end of the load")
    assert (kept.keep(0.0, 0.0), kept.keep(0.0, 0.0)) == (80, 0)


def test_another_rate_goes_on_at_once() -> None:
    """Not only with the next word: what is missing is another with each look."""
    clock, rates = FakeClock(), list[float]()
    kept: KeptLoad

    def passes(seconds: float) -> None:
        clock.sleep(seconds)
        if len(rates) == 1:
            kept.keep(30.0, 1.0)

    def noted(rate_per_s: float) -> LoadPlan:
        rates.append(rate_per_s)
        return plan(rate_per_s)

    kept = KeptLoad(FakeLoad(passes=passes), noted, clock)
    kept.keep(40.0, 1.0)
    wait_until(lambda: kept._thread is None, "the end of the load")
    assert rates == [40.0, 30.0]


def test_an_address_that_is_not_known_now_is_asked_for_again() -> None:
    def unknown(_rate_per_s: float) -> LoadPlan:
        raise UnavailableError("the gateway has no address yet")

    load = FakeLoad()
    kept = KeptLoad(load, unknown, FakeClock())
    for _ in range(2):
        kept.keep(1.0, 1.0)
        wait_until(lambda: kept._thread is None, "the end of the load")
    assert load.plans == []


def test_only_where_it_is_allowed() -> None:
    clock = FakeClock()
    for settings in (RehearsalSettings(), RehearsalSettings(synthetic_rate=5), RehearsalSettings(allowed=True)):
        where = EnvironmentSettings("staging", rehearsal=settings)
        assert isinstance(synthetic_of(FakeLoad, where, FakeTraffic(clock), clock).sender, NoSender)
    where = EnvironmentSettings("staging", rehearsal=RehearsalSettings(allowed=True, synthetic_rate=5))
    assert synthetic_of(FakeLoad, where, FakeTraffic(clock), clock).missing_per_s(2.0) == 3.0
