"""Which code carries out which step of a rollout."""

from __future__ import annotations

from shipline.capabilities.rollouts.analysis import AnalysisSettings
from shipline.capabilities.rollouts.canary import CanaryStep
from shipline.capabilities.rollouts.previewing import PreviewStep
from shipline.capabilities.rollouts.retiring import RetireStep
from shipline.capabilities.rollouts.rolling import RollStep
from shipline.capabilities.rollouts.steps import Ground, RolloutSteps
from shipline.capabilities.rollouts.verifying import VerifyStep
from shipline.engine.workflow import Action


def actions(ground: Ground, settings: AnalysisSettings) -> dict[str, Action]:
    """The action of every step of `rollout_workflow`, by name."""
    steps = RolloutSteps(ground)
    return {
        "gate": steps.gate,
        "prepare": steps.prepare,
        "start": steps.start,
        "preview": PreviewStep(ground),
        "canary": CanaryStep(ground, settings),
        "roll": RollStep(ground),
        "promote": steps.promote,
        "verify": VerifyStep(ground),
        "restore": steps.restore,
        "retire": RetireStep(ground),
    }
