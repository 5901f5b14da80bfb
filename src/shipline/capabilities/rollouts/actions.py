"""Which code carries out which step of a rollout."""

from __future__ import annotations

from shipline.capabilities.rollouts.analysis import AnalysisSettings
from shipline.capabilities.rollouts.canary import CanaryStep
from shipline.capabilities.rollouts.driven.driving import DriveStep
from shipline.capabilities.rollouts.driven.steps import DrivenSteps
from shipline.capabilities.rollouts.effects import claiming
from shipline.capabilities.rollouts.previewing import PreviewStep
from shipline.capabilities.rollouts.rolling import RollStep
from shipline.capabilities.rollouts.steps import Ground, RolloutSteps
from shipline.capabilities.rollouts.upkeep.retiring import RetireStep
from shipline.capabilities.rollouts.verifying import VerifyStep
from shipline.engine.workflow import Action
from shipline.ports.controller import Controller


def actions(ground: Ground, settings: AnalysisSettings) -> dict[str, Action]:
    """The action of every step of `rollout_workflow`, by name."""
    if ground.controller is not None:
        return _driven(ground, ground.controller, settings)
    steps = RolloutSteps(ground)
    found: dict[str, Action] = {
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
    return claiming(ground.target, ground.traffic, found)


def _driven(ground: Ground, controller: Controller, settings: AnalysisSettings) -> dict[str, Action]:
    steps = DrivenSteps(ground, controller)
    return {
        "gate": steps.gate,
        "prepare": steps.prepare,
        "start": steps.start,
        "drive": DriveStep(ground, controller, settings),
        "verify": VerifyStep(ground),
        "restore": steps.restore,
        "settle": steps.settle,
    }
