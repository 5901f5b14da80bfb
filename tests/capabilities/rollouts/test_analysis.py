"""Settings, states and observations of the analysis."""

from __future__ import annotations

import json
import math

import pytest

from shipline.capabilities.rollouts import AnalysisSettings, AnalysisState, Observation, begin, decide
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import InvalidValue
from shipline.ports.signals import EDGES_S, Counts


def test_a_state_survives_json_exactly_and_stays_small() -> None:
    """What one process saved is what the next one decides from."""
    settings = AnalysisSettings()
    state, weight = begin(settings, rate_per_s=30)
    histogram = (0,) * 40 + (100,) + (0,) * (len(EDGES_S) - 40)
    for tick in range(1, 200):
        counts = Counts(requests=100, errors=3, error_clients=1, histogram=histogram)
        state = decide(settings, state, Observation(counts, counts, weight), 10.0 * tick).state
    text = json.dumps(to_json(state))
    assert from_json(AnalysisState, json.loads(text)) == state
    assert len(text) < 2_500


def test_settings_come_from_a_configuration_table() -> None:
    """The table is read strictly; what is left out has its default."""
    assert from_json(AnalysisSettings, {"promote_after_s": 40, "deadline_s": 90}).promote_after_s == 40
    with pytest.raises(InvalidValue, match="unknown field"):
        from_json(AnalysisSettings, {"promote_after": 40})


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("alpha", 0.0),
        ("alpha", 1.0),
        ("guard_share", math.nan),
        ("tolerance", 0.99),
        ("tolerance", 1.5),
        ("latency_tolerance", 2.0),
        ("warm_up_latency_tolerance", 0.9),
        ("warm_up_s", math.inf),
        ("excess_max", 0.0),
        ("evidence_calm", 100.0),
        ("promote_after_s", 0.0),
        ("deadline_s", 719.0),
        ("deadline_s", math.inf),
        ("tick_s", -1.0),
        ("react_s", 0.0),
        ("harm_budget_requests", math.inf),
        ("first_requests", 0.0),
        ("weight_min", 0.0),
        ("weight_min", 0.6),
        ("weight_max", 1.1),
        ("growth", 0.9),
        ("growth_period_s", 0.0),
        ("ramp_every_s", math.nan),
        ("block_requests", 0),
    ],
)
def test_settings_that_would_break_a_promise_are_refused(name: str, bad: float) -> None:
    """The message names the setting, or the one that it does not fit."""
    with pytest.raises(InvalidValue, match="analysis setting"):
        AnalysisSettings(**{name: bad})  # type: ignore[arg-type]  # one case is an int
