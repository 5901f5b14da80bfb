"""The five DORA figures, from events: each definition, and the traps that other tools fell into."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.metrics.rules import Dora, Report, Window, last_days, make_report, quantile, tell
from shipline.domain.errors import InvalidValue
from tests.capabilities.metrics.stories import DAY, MINUTE_US, START_US, Story, at

TEN_DAYS = Window(at(0), at(10 * DAY), UTC)


def report(*stories: Story, window: Window = TEN_DAYS, environments: tuple[str, ...] = ("production",)) -> Report:
    events = [event for story in stories for event in story.events]
    return make_report(tell(events), window, environments, made_us=at(20 * DAY), erased_events=0)


def figures(*stories: Story, window: Window = TEN_DAYS) -> Dora:
    return report(*stories, window=window).project


def story_with_lead_times(*minutes: float) -> Story:
    """One deployment whose commits were made so many minutes before it."""
    told = Story()
    told.release("1.0.0", after=None, commits={"first": -500})
    told.deploy("1.0.0", minute=1)
    told.release("1.1.0", after="1.0.0", commits={f"c{n}": 300 - each for n, each in enumerate(minutes)})
    told.deploy("1.1.0", minute=300)
    return told


# --- lead time -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "median"), [((10, 30), 20), ((5, 5, 100, 200), 52.5), ((0, 0, 60), 0), ((7,), 7), ((9, 1, 5), 5)]
)
def test_the_lead_time_is_the_median_over_commits(minutes: tuple[float, ...], median: float) -> None:
    """The middle of two values is their mean, and a measured zero is zero."""
    figure = figures(story_with_lead_times(*minutes)).lead_time_median
    assert (figure.value, figure.unit, figure.n, figure.reason) == (median * 60, "seconds", len(minutes), None)


def test_the_90th_percentile_lies_between_its_neighbours() -> None:
    figure = figures(story_with_lead_times(*range(0, 110, 10))).lead_time_p90
    assert figure.value == 90 * 60
    assert figures(story_with_lead_times(10, 30)).lead_time_p90.value == pytest.approx(28 * 60)


def test_a_first_deployment_is_a_baseline_without_lead_time() -> None:
    told = Story()
    told.release("1.0.0", after=None, commits={"a": -500})
    told.deploy("1.0.0", minute=5)
    dora = figures(told)
    assert dora.lead_time_median.value is None
    assert dora.lead_time_median.reason == "a first deployment is the baseline and has no lead time"
    assert dora.left_out.baselines == 1
    assert dora.deployment_frequency.value == 0.1


def test_negative_lead_times_are_dropped_and_counted() -> None:
    dora = figures(story_with_lead_times(10, 30, -5))
    assert (dora.lead_time_median.value, dora.lead_time_median.n) == (20 * 60, 2)
    assert dora.left_out.negative_lead_times == 1
    alone = figures(story_with_lead_times(-5)).lead_time_median
    assert (alone.value, alone.reason) == (None, "every commit's time is later than its deployment: clocks disagree")


def test_versions_that_were_skipped_bring_their_commits_with_the_next_one() -> None:
    told = Story()
    told.release("1.0.0", after=None, commits={"a": -500})
    told.deploy("1.0.0", minute=0)
    told.release("1.1.0", after="1.0.0", commits={"b": 100})
    told.release("1.2.0", after="1.1.0", commits={"c": 180})
    told.deploy("1.2.0", minute=200)
    figure = figures(told).lead_time_median
    assert (figure.value, figure.n) == (60 * 60, 2)


def test_a_version_that_was_turned_back_brings_its_commits_with_the_next_one() -> None:
    told = Story()
    told.release("1.0.0", after=None, commits={"a": -500})
    told.deploy("1.0.0", minute=0)
    told.release("1.1.0", after="1.0.0", commits={"b": 10})
    told.turn_back(told.expose("1.1.0", minute=20), minute=21, restored=22)
    told.release("1.1.1", after="1.1.0", commits={"c": 40})
    told.deploy("1.1.1", minute=50)
    figure = figures(told).lead_time_median
    assert (figure.value, figure.n) == (25 * 60, 2)


def test_a_maintenance_version_brings_only_what_the_one_before_did_not_have() -> None:
    told = Story()
    told.release("1.0.0", after=None, commits={"a": -500})
    told.release("2.0.0", after="1.0.0", commits={"b": 1})
    told.release("1.0.1", after="1.0.0", commits={"fix": 50})
    told.deploy("2.0.0", minute=10)
    told.deploy("1.0.1", minute=60)
    figure = figures(told).lead_time_median
    assert (figure.value, figure.n) == (10 * 60, 1)


def test_a_rollback_has_no_lead_time_and_a_redeployment_brings_no_commits() -> None:
    told = story_with_lead_times(10)
    told.deploy("1.1.0", minute=400)
    told.deploy("1.0.0", minute=500, rollback=True)
    dora = figures(told)
    assert dora.lead_time_median.n == 1
    assert dora.deployment_frequency.n == 4
    assert dora.left_out.deployments_without_known_commits == 0


def test_a_version_that_the_log_does_not_know_is_counted_as_left_out() -> None:
    told = Story()
    told.deploy("1.0.0", minute=0)
    told.deploy("1.1.0", minute=10)
    dora = figures(told)
    assert dora.left_out.deployments_without_known_commits == 1
    assert dora.lead_time_median.reason == "the log does not know the commits of what was deployed in this window"


# --- frequency and windows -----------------------------------------------------------------------------------------


def test_frequency_counts_distinct_deployments_over_all_days() -> None:
    told = Story()
    told.deploy("1.0.0", minute=5)
    told.deploy("1.1.0", minute=3 * DAY)
    told.events.append(told.events[-1])
    dora = figures(told)
    assert (dora.deployment_frequency.value, dora.deployment_frequency.n) == (0.2, 2)
    assert [day.deployments for day in dora.daily] == [1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    assert dora.daily[3].day == "2026-11-04"


def test_a_window_holds_its_start_and_not_its_end() -> None:
    told = Story()
    told.deploy("1.0.0", minute=DAY)
    told.deploy("1.1.0", minute=2 * DAY)
    assert figures(told, window=Window(at(DAY), at(2 * DAY), UTC)).deployment_frequency.n == 1
    assert figures(told, window=Window(at(DAY) + 1, at(2 * DAY) + 1, UTC)).deployment_frequency.n == 1


def test_a_deployment_belongs_to_when_it_finished() -> None:
    told = Story()
    told.deploy("1.0.0", began=-30, minute=30)
    assert figures(told).deployment_frequency.n == 1


def test_days_begin_at_midnight_in_the_window_s_time_zone() -> None:
    """02:00 UTC is still the day before in a zone seven hours behind."""
    behind = timezone(timedelta(hours=-7))
    told = Story()
    told.deploy("1.0.0", minute=DAY + 2 * 60)
    window = last_days(3, now_us=at(2 * DAY), zone=behind)
    assert window.start_us == at(-DAY + 7 * 60)
    days = figures(told, window=window).daily
    assert [(day.day, day.deployments) for day in days] == [("2026-10-31", 0), ("2026-11-01", 1), ("2026-11-02", 0)]


def test_a_day_on_which_clocks_change_is_one_day() -> None:
    try:
        berlin = ZoneInfo("Europe/Berlin")
    except ZoneInfoNotFoundError:
        pytest.skip("this machine has no time zone database")
    window = last_days(2, now_us=at(-6 * DAY), zone=berlin)  # 2026-10-26; the day before had 25 hours.
    assert window.end_us - window.start_us == 49 * 60 * MINUTE_US
    assert len(window.days()) == 2


@pytest.mark.parametrize("days", [0, -1, 10_000])
def test_a_number_of_days_that_makes_no_window_is_refused(days: int) -> None:
    with pytest.raises(InvalidValue):
        last_days(days, now_us=START_US, zone=UTC)


# --- failures, recovery, rework ------------------------------------------------------------------------------------


def test_three_incidents_on_one_of_two_deployments_are_one_failure() -> None:
    told = Story()
    bad = told.deploy("1.0.0", minute=0)
    told.deploy("1.1.0", minute=100)
    for opened in (10, 20, 30):
        told.incident(bad, opened=opened, resolved=opened + 30)
    dora = figures(told)
    assert (dora.change_fail_rate.value, dora.change_fail_rate.n) == (0.5, 2)
    assert (dora.recovery_time_median.value, dora.recovery_time_median.n) == (60 * 60, 1)


def test_an_exposed_canary_that_was_turned_back_is_a_failed_deployment() -> None:
    """It is one of the deployments that failed, and not one of those that finished."""
    told = Story()
    told.deploy("1.0.0", minute=0)
    bad = told.expose("1.1.0", minute=60)
    told.turn_back(bad, minute=62, restored=63)
    told.incident(bad, opened=62, resolved=63)
    dora = figures(told)
    assert (dora.change_fail_rate.value, dora.change_fail_rate.n) == (0.5, 2)
    assert (dora.deployment_frequency.n, dora.rework_rate.n) == (1, 1)
    assert dora.recovery_time_median.value == 3 * 60
    assert dora.left_out.open_recoveries == 0


def test_a_canary_that_made_room_for_a_newer_one_is_no_deployment_and_no_failure() -> None:
    told = Story()
    told.deploy("1.0.0", minute=0)
    told.turn_back(told.expose("1.1.0", minute=60), minute=62, restored=63, by="quotes 1.2.0")
    dora = figures(told)
    assert (dora.change_fail_rate.value, dora.change_fail_rate.n, dora.deployment_frequency.n) == (0, 1, 1)


@pytest.mark.parametrize("purpose", ["drill", "restore"])
def test_a_way_back_that_changes_nothing_for_anybody_counts_nowhere(purpose: str) -> None:
    """Neither as deployments, nor as the failure of the version that made way, nor as its recovery."""
    told = Story()
    told.deploy("1.0.0", minute=0)
    told.deploy("1.1.0", minute=100)
    before = figures(told)
    told.deploy("1.0.0", minute=130, rollback=True, purpose=purpose)
    told.deploy("1.1.0", minute=131, rollback=True, purpose=purpose)
    assert figures(told) == before


def test_a_rollout_that_nobody_met_is_no_deployment() -> None:
    told = Story()
    told.deploy("1.0.0", minute=0)
    told.turn_back(None, minute=5, restored=6)
    assert figures(told).change_fail_rate.value == 0


def test_the_change_fail_rate_never_exceeds_one() -> None:
    told = Story()
    for minute in (0, 10, 20):
        told.turn_back(told.expose("1.0.0", minute=minute), minute=minute + 1, restored=minute + 2)
    dora = figures(told)
    assert (dora.change_fail_rate.value, dora.change_fail_rate.n) == (1, 3)
    assert dora.deployment_frequency.value is None


def test_a_rollback_marks_the_one_before_failed_and_ends_its_recovery() -> None:
    told = Story()
    told.deploy("1.0.0", minute=0)
    bad = told.deploy("1.1.0", minute=100)
    told.incident(bad, opened=105, resolved=500)
    told.deploy("1.0.0", minute=130, rollback=True)
    dora = figures(told)
    assert dora.change_fail_rate.value == pytest.approx(1 / 3)
    assert dora.recovery_time_median.value == 30 * 60
    assert dora.rework_rate.value == pytest.approx(1 / 3)


def test_what_has_not_recovered_is_counted_apart() -> None:
    told = Story()
    told.incident(told.deploy("1.0.0", minute=0), opened=1, resolved=None)
    dora = figures(told)
    assert (dora.recovery_time_median.value, dora.left_out.open_recoveries) == (None, 1)
    assert dora.recovery_time_median.reason == "failed and not recovered yet: 1"
    told.incident(told.deploy("1.1.0", minute=50), opened=51, resolved=60)
    dora = figures(told)
    assert (dora.recovery_time_median.value, dora.left_out.open_recoveries) == (10 * 60, 1)


def test_one_of_two_incidents_still_open_means_not_recovered() -> None:
    told = Story()
    bad = told.deploy("1.0.0", minute=0)
    told.incident(bad, opened=1, resolved=5)
    told.incident(bad, opened=2, resolved=None)
    assert figures(told).left_out.open_recoveries == 1


def test_an_incident_that_ended_before_its_deployment_finished_is_dropped_and_counted() -> None:
    told = Story()
    told.incident(told.deploy("1.0.0", began=0, minute=10), opened=2, resolved=5)
    dora = figures(told)
    assert (dora.recovery_time_median.value, dora.left_out.negative_recovery_times) == (None, 1)


def test_what_is_deployed_while_an_incident_of_the_service_is_open_is_rework() -> None:
    told = Story()
    bad = told.deploy("1.0.0", minute=0)
    told.incident(bad, opened=10, resolved=60)
    told.deploy("1.0.1", began=30, minute=50)
    told.deploy("1.1.0", began=60, minute=90)
    other = Story(package="other")
    other.deploy("3.0.0", minute=30)
    rates = {service.package: service.dora.rework_rate for service in report(told, other).services}
    assert rates["quotes"].value == pytest.approx(1 / 3)
    assert rates["other"].value == 0


def test_an_incident_without_a_known_cause_fails_no_deployment() -> None:
    told = Story()
    told.deploy("1.0.0", minute=0)
    told.incident(None, opened=5, resolved=6)
    told.incident("dep_unknown", opened=5, resolved=6)
    assert figures(told).change_fail_rate.value == 0


# --- no data, services, project ------------------------------------------------------------------------------------


def test_no_data_is_none_with_a_reason_and_never_zero() -> None:
    dora = figures()
    first = (dora.deployment_frequency, dora.lead_time_median, dora.lead_time_p90, dora.change_fail_rate)
    for figure in (*first, dora.recovery_time_median, dora.rework_rate):
        assert (figure.value, figure.n) == (None, 0)
        assert figure.reason is not None
    assert sum(day.deployments for day in dora.daily) == 0


def test_without_a_production_environment_the_reason_says_so() -> None:
    told = report(Story(), environments=())
    assert told.project.change_fail_rate.reason == "no environment is marked as production"
    assert told.services == ()


def test_services_are_measured_apart_and_the_project_from_all_deployments() -> None:
    quotes, api, staging = Story(), Story(package="api"), Story(environment="staging")
    quotes.incident(quotes.deploy("1.0.0", minute=0), opened=1, resolved=3)
    for minute in (10, 20, 30):
        api.deploy(f"{minute}.0", minute=minute)
    staging.deploy("9.0.0", minute=0)
    made = report(quotes, api, staging)
    places = [(service.package, service.environment) for service in made.services]
    assert places == [("api", "production"), ("quotes", "production")]
    assert [service.dora.change_fail_rate.value for service in made.services] == [0, 1]
    assert made.project.change_fail_rate.value == 0.25


def test_erased_and_foreign_events_change_nothing() -> None:
    told = Story()
    told.deploy("1.0.0", minute=0)
    noise = [replace(told.events[0], body={}), replace(told.events[0], kind="SomethingElse")]
    assert tell([*noise, *told.events]) == tell(told.events)


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=50), st.floats(0, 1))
def test_a_quantile_lies_within_its_values(values: list[float], level: float) -> None:
    assert min(values) * (1 - 1e-9) <= quantile(values, level) <= max(values) * (1 + 1e-9)
