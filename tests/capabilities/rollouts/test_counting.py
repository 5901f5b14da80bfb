"""What is made of counts that come late, and of arms that were not counted at the same moments."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.rollouts import AnalysisSettings, AnalysisVerdict
from shipline.capabilities.rollouts.analysis import Arms, Observation
from shipline.capabilities.rollouts.observing.counting import Weighed, delayed, kept, observed
from shipline.capabilities.rollouts.rules import begin, decide
from shipline.domain.errors import InvalidValue
from shipline.ports.signals import EDGES_S, Counts, Reading, Window
from shipline.ports.target import Role
from shipline.statistics import e_process
from shipline.statistics.two_arms import TwoArms

SETTINGS = AnalysisSettings()
SECOND_US = 1_000_000


def counts(requests: int, errors: int = 0) -> Counts:
    return Counts(requests, errors, errors, (requests, *(0,) * len(EDGES_S)))


def arms(canary: tuple[int, int], baseline: tuple[int, int]) -> Arms:
    return Arms(counts(*canary), counts(*baseline))


def reading(since_s: float, until_s: float, canary: int = 100, baseline: int = 100) -> Reading:
    roles = {Role.CANARY: counts(canary), Role.BASELINE: counts(baseline)}
    window = Window(int(since_s * SECOND_US), int(until_s * SECOND_US), roles, roles)
    return Reading("1", roles, {}, window)


def at(*weights: tuple[float, float]) -> tuple[Weighed, ...]:
    return tuple(Weighed(int(since_s * SECOND_US), weight) for since_s, weight in weights)


# --- which weight ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since_s", "until_s", "weight"),
    [
        (100, 160, 0.1),
        (160, 200, 0.25),
        (200, 260, 0.4),
        (250, 250, 0.4),
    ],
)
def test_counts_belong_to_the_weight_that_was_in_effect_when_they_were_made(
    since_s: float, until_s: float, weight: float
) -> None:
    """By time, where it changed within. The weight of now says nothing about them."""
    weights = at((90, 0.1), (180, 0.4))
    seen = observed(reading(since_s, until_s), weights, now_us=300 * SECOND_US, delay_s=90.0)
    assert seen.weight == pytest.approx(weight)
    assert seen.seconds == until_s - since_s


def test_counts_of_now_have_the_weight_of_now() -> None:
    """As those of a proxy's own log."""
    roles = {Role.CANARY: counts(5), Role.BASELINE: counts(6)}
    seen = observed(Reading("1", roles, {}), at((0, 0.1), (9, 0.2)), now_us=10 * SECOND_US, delay_s=0.0)
    assert seen == Observation(counts(5), counts(6), 0.2)


@pytest.mark.parametrize(
    ("weights", "is_one_split"),
    [
        (at((0, 0.1), (170, 0.3), (210, 0.5)), True),
        (at((0, 0.1), (170, 0.3), (230, 0.8)), False),
        (at((0, 0.3), (120, 0.8)), False),
        (at((0, 0.3), (60, 0.8)), True),
        (at((0, 0.7), (170, 0.8)), False),
    ],
)
def test_nothing_is_compared_where_the_arms_were_split_in_two_ways(
    weights: tuple[Weighed, ...], *, is_one_split: bool
) -> None:
    """Up to a half both get as much. Beyond it each weight is a split of its own; what may have been counted with the
    window counts, too."""
    seen = observed(reading(160, 200), weights, now_us=260 * SECOND_US, delay_s=60.0)
    assert seen.is_one_split is is_one_split


def test_no_more_is_remembered_of_the_weights_than_may_be_asked_for() -> None:
    """A day of changes stays small."""
    weights = at(*((float(second), 0.1) for second in range(0, 5000, 10)))
    left = kept(weights, reading(4800, 4860), delay_s=60.0)
    assert left[0] == Weighed(4800 * SECOND_US, 0.1)
    assert left[-1] == weights[-1]
    assert len(kept(weights, reading(0, 60), delay_s=60.0)) == 100


def test_what_comes_late_is_waited_for() -> None:
    """The budget, the ramp and the end reckon with it; without a delay nothing changes."""
    late = delayed(SETTINGS, 90.0)
    assert delayed(SETTINGS, 0.0) is SETTINGS
    assert (late.react_s, late.ramp_every_s, late.promote_after_s, late.deadline_s) == (110.0, 100.0, 810.0, 3690.0)
    assert begin(late, rate_per_s=50.0)[1] == SETTINGS.weight_min
    assert begin(late, rate_per_s=2.0)[1] == pytest.approx(begin(SETTINGS, rate_per_s=2.0)[1] / 10)


# --- what bears evidence ---------------------------------------------------------------------------------------------


def decided(observation: Observation) -> AnalysisVerdict:
    state, _ = begin(SETTINGS, rate_per_s=50.0)
    return decide(SETTINGS, state, observation, 60.0).verdict


def test_an_incident_that_has_reached_only_the_counts_of_one_arm_is_no_evidence() -> None:
    """Both arms fail in the last seconds, and the canary was scraped after them."""
    whole = Observation(counts(3000, 400), counts(2700), 0.1, seconds=60.0)
    assert decided(whole) is AnalysisVerdict.ROLLBACK
    doubtful = replace(whole, least=arms((3000, 400), (2500, 0)), most=arms((3000, 400), (3500, 600)))
    assert decided(doubtful) is AnalysisVerdict.CONTINUE


def test_a_canary_that_fails_is_found_all_the_same() -> None:
    """Whatever is in doubt."""
    seen = Observation(
        counts(100, 100),
        counts(100),
        0.1,
        seconds=60.0,
        least=arms((75, 75), (75, 0)),
        most=arms((125, 125), (125, 0)),
    )
    assert decided(seen) is AnalysisVerdict.ROLLBACK


def test_arms_that_were_split_in_two_ways_are_no_evidence() -> None:
    """But every request is in the sums, and a canary that fails outright is stopped by its guard when it can be."""
    seen = Observation(counts(100, 90), counts(100), 0.1, seconds=60.0, is_one_split=False)
    state, _ = begin(SETTINGS, rate_per_s=50.0)
    decision = decide(SETTINGS, state, seen, 60.0)
    assert decision.verdict is AnalysisVerdict.CONTINUE
    assert decision.state.total.canary.requests == 100
    assert decision.state.errors == state.errors


def test_the_seconds_of_the_counts_are_summed_and_not_those_of_the_clock() -> None:
    """Else the rate would be taken for too small while counts are under way, and the canary given too much."""
    state, _ = begin(SETTINGS, rate_per_s=50.0)
    for now_s, seconds in ((10.0, 0.0), (20.0, 0.0), (90.0, 60.0)):
        state = decide(SETTINGS, state, Observation(counts(0), counts(0), 0.1, seconds=seconds), now_s).state
    assert state.share_s == pytest.approx(6.0)


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_a_length_that_is_none_is_refused(seconds: float) -> None:
    state, _ = begin(SETTINGS, rate_per_s=50.0)
    with pytest.raises(InvalidValue, match="length"):
        decide(SETTINGS, state, Observation(counts(0), counts(0), 0.1, seconds=seconds), 10.0)


SMALL = st.integers(0, 40)


@given(st.tuples(SMALL, SMALL), st.tuples(SMALL, SMALL), st.tuples(SMALL, SMALL), st.tuples(SMALL, SMALL))
def test_a_bet_on_doubtful_counts_never_wins_more_than_one_on_the_true_ones(
    canary: tuple[int, int], baseline: tuple[int, int], less: tuple[int, int], more: tuple[int, int]
) -> None:
    """Whatever the true counts between the least and the most are; and where all of the baseline may have failed, the
    bet does not win."""
    mixture = SETTINGS.errors_mixture
    true = TwoArms(canary[0], sum(canary), baseline[0], sum(baseline))
    sure, possible = max(0, true.baseline_requests - less[1]), true.baseline_failures + more[1]
    doubtful = TwoArms(max(0, canary[0] - less[0]), true.canary_requests + more[0], min(possible, sure), sure)
    wins = e_process.log_likelihood_ratios(mixture, doubtful)
    best = e_process.log_likelihood_ratios(mixture, true)
    for mine, others in zip(wins, best, strict=True):
        assert mine <= max(others, 0.0) + 1e-9 if possible >= sure else mine <= others + 1e-9


# --- a whole rollout, scraped ----------------------------------------------------------------------------------------


def scraped_rollout(
    seed: int, *, failing: float, incidents: bool, cautious: bool = True
) -> tuple[AnalysisVerdict, float]:
    """Play a rollout whose arms are scraped every 15 s, each at its own moments, and counted in windows of 60 s."""
    scrape_s, window_s, lag_s = 15, 60, 30
    rng = random.Random(seed)  # noqa: S311 - a simulation must be repeatable
    settings = delayed(SETTINGS, float(window_s + lag_s))
    offset = rng.randrange(1, scrape_s)
    made: list[tuple[int, int, int, int]] = []  # By second: the canary's requests and failures, the baseline's.
    state, weight = begin(settings, rate_per_s=200.0)
    weights, since_s, now_s = at((0, weight)), 0, 0
    rough_until = 0
    while True:
        for _ in range(int(settings.tick_s)):
            if incidents and rng.random() < 3 / 3600:
                rough_until = len(made) + rng.randrange(20, 120)
            shared = 0.3 if len(made) < rough_until else 0.005
            sent = [sum(rng.random() < 0.2 for _ in range(int(1000 * weight))) for _ in range(2)]
            lost = [
                sum(rng.random() < chance for _ in range(number))
                for number, chance in zip(sent, (max(shared, failing), shared), strict=True)
            ]
            made.append((sent[0], lost[0], sent[1], lost[1]))
        now_s += int(settings.tick_s)
        until_s = (now_s - lag_s) // scrape_s * scrape_s
        if until_s - since_s < window_s:
            found = reading(since_s, since_s, 0, 0)
        else:
            found = _scraped(made, since_s, until_s, offset, scrape_s)
            since_s = until_s
        seen = observed(found, weights, now_us=now_s * SECOND_US, delay_s=float(window_s + lag_s))
        if not cautious:
            seen = replace(seen, least=None, most=None)
        decision = decide(settings, state, seen, float(now_s))
        if decision.verdict is not AnalysisVerdict.CONTINUE:
            return decision.verdict, float(now_s)
        state = decision.state
        if decision.weight != weight:
            weight, weights = decision.weight, (*weights, Weighed(now_s * SECOND_US, decision.weight))


def _scraped(made: list[tuple[int, int, int, int]], since_s: int, until_s: int, offset: int, scrape_s: int) -> Reading:
    """The canary is scraped at the window's ends, the baseline `offset` seconds after each of these moments."""

    def arm(first: int, last: int, place: int) -> Counts:
        span = made[max(0, first) : last]
        requests, errors = sum(one[place] for one in span), sum(one[place + 1] for one in span)
        return counts(requests, errors)

    canary = arm(since_s, until_s, 0)
    before, after = since_s - scrape_s + offset, until_s - scrape_s + offset

    def roles(baseline: Counts) -> dict[Role, Counts]:
        return {Role.CANARY: canary, Role.BASELINE: baseline}

    window = Window(
        since_s * SECOND_US,
        until_s * SECOND_US,
        roles(arm(before + scrape_s, after, 2)),
        roles(arm(before, after + scrape_s, 2)),
    )
    return Reading("1", roles(arm(before, after, 2)), {}, window)


def test_a_broken_version_is_found_as_soon_as_it_is_counted() -> None:
    """One window and the lag later than with a proxy's log."""
    for seed in range(3):
        verdict, seconds = scraped_rollout(seed, failing=0.5, incidents=False)
        assert (verdict, seconds <= 200.0) == (AnalysisVerdict.ROLLBACK, True)


@pytest.mark.parametrize("seed", [15, 22, 28])
def test_an_incident_between_the_scrapes_of_the_arms_turns_no_good_version_back(seed: int) -> None:
    """It would, if the counts were taken as they are: in one of ten of these rollouts, of which three are played."""
    careless, _ = scraped_rollout(seed, failing=0.0, incidents=True, cautious=False)
    careful, _ = scraped_rollout(seed, failing=0.0, incidents=True)
    assert (careless, careful) == (AnalysisVerdict.ROLLBACK, AnalysisVerdict.PROMOTE)
