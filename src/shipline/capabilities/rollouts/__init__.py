"""Rollouts: a release and its verdict brought to an environment.

The face of the canary analysis: `begin`, then `decide` once a tick; both pure.
"""

from shipline.capabilities.rollouts.analysis import (
    AnalysisSettings,
    AnalysisState,
    AnalysisVerdict,
    Decision,
    Observation,
)
from shipline.capabilities.rollouts.rules import begin, decide, evidence, excess_upper

__all__ = [
    "AnalysisSettings",
    "AnalysisState",
    "AnalysisVerdict",
    "Decision",
    "Observation",
    "begin",
    "decide",
    "evidence",
    "excess_upper",
]
