"""Imagined rollouts: the draws have the distributions that they claim, and the figures those that theory gives."""

from __future__ import annotations

import random
import statistics

import pytest
from scipy import stats  # type: ignore[import-untyped]

from shipline.capabilities.rollouts import (
    AnalysisSettings,
    AnalysisVerdict,
    ImaginedTraffic,
    chance_upper,
    forecast,
    imagine,
)
from shipline.capabilities.rollouts.simulation import _binomial, _poisson
from shipline.domain.errors import InvalidValue

SETTINGS = AnalysisSettings()
SAMPLES = 20_000


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - a simulation must be repeatable


@pytest.mark.parametrize("mean", [0.0, 0.3, 4.0, 49.0, 51.0, 5000.0])
def test_poisson_counts_have_the_mean_and_the_variance_of_their_law(mean: float) -> None:
    rng = seeded(1)
    counts = [_poisson(rng, mean) for _ in range(SAMPLES)]
    assert statistics.fmean(counts) == pytest.approx(mean, abs=5 * (mean / SAMPLES) ** 0.5 + 1e-9)
    assert statistics.pvariance(counts) == pytest.approx(mean, rel=0.06, abs=1e-9)


@pytest.mark.parametrize(
    ("trials", "chance"),
    [(0, 0.5), (1, 0.3), (40, 0.02), (1000, 0.01), (1000, 0.99), (7, 1.0), (9, 0.0), (100_000, 0.3)],
)
def test_binomial_counts_have_the_mean_and_the_variance_of_their_law(trials: int, chance: float) -> None:
    rng = seeded(2)
    counts = [_binomial(rng, trials, chance) for _ in range(SAMPLES)]
    variance = trials * chance * (1 - chance)
    assert all(0 <= count <= trials for count in counts)
    assert statistics.fmean(counts) == pytest.approx(trials * chance, abs=5 * (variance / SAMPLES) ** 0.5 + 1e-9)
    assert statistics.pvariance(counts) == pytest.approx(variance, rel=0.06, abs=1e-9)


@pytest.mark.parametrize(("hits", "runs"), [(0, 200), (3, 200), (50, 300), (10, 10)])
def test_the_bound_of_a_chance_is_that_of_clopper_and_pearson(hits: int, runs: int) -> None:
    exact = stats.binomtest(hits, runs, alternative="less").proportion_ci(0.95, method="exact").high
    assert chance_upper(hits, runs) == pytest.approx(exact, abs=1e-6)


def test_counts_that_come_late_put_everything_off() -> None:
    """A broken version is found after the delay, and a good one promoted no sooner."""
    good = forecast(SETTINGS, ImaginedTraffic(50.0, 0.001, 0.001), runs=20, rng=seeded(3), delay_s=90.0)
    assert (good.rolled_back, good.promote_s) == (0, SETTINGS.promote_after_s + 90.0)
    broken = forecast(SETTINGS, ImaginedTraffic(50.0, 0.001, 1.0), runs=20, rng=seeded(4), delay_s=90.0)
    assert broken.rolled_back == 20
    assert broken.rollback_s is not None
    assert 100.0 <= broken.rollback_s <= 130.0
    assert broken.failed_requests is not None
    assert broken.failed_requests <= 60


def test_a_good_version_is_promoted_and_a_broken_one_is_found_by_its_first_requests() -> None:
    good = forecast(SETTINGS, ImaginedTraffic(50.0, 0.001, 0.001), runs=100, rng=seeded(3))
    assert (good.promoted, good.promote_s) == (100 - good.rolled_back, SETTINGS.promote_after_s)
    assert good.rolled_back <= 2
    broken = forecast(SETTINGS, ImaginedTraffic(50.0, 0.001, 1.0), runs=100, rng=seeded(3))
    assert (broken.rolled_back, broken.promote_s) == (100, None)
    assert broken.failed_requests is not None
    assert broken.failed_requests <= 10


def test_where_there_is_hardly_any_traffic_nothing_is_decided() -> None:
    quiet = forecast(SETTINGS, ImaginedTraffic(0.05, 0.001, 0.011), runs=20, rng=seeded(4))
    assert (quiet.undecided, quiet.rollback_s, quiet.failed_requests) == (20, None, None)


def test_a_slower_version_is_found_though_nothing_fails() -> None:
    slow = ImaginedTraffic(50.0, 0.0, 0.0, slower=2.0)
    assert imagine(SETTINGS, slow, seeded(5)).verdict is AnalysisVerdict.ROLLBACK


def test_the_same_seed_gives_the_same_figures() -> None:
    traffic = ImaginedTraffic(20.0, 0.01, 0.05)
    first, second = (forecast(SETTINGS, traffic, runs=20, rng=seeded(6)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate_per_s": 0.0},
        {"stable_failing": -0.1},
        {"new_failing": 1.1},
        {"slower": 0.0},
        {"rate_per_s": float("nan")},
    ],
)
def test_traffic_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidValue):
        ImaginedTraffic(**({"rate_per_s": 1.0, "stable_failing": 0.1, "new_failing": 0.1} | wrong))
