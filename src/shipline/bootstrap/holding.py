"""How long the settings of an environment hold a rollout."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shipline.configuration import EnvironmentSettings


def held_at_most_s(environment: EnvironmentSettings) -> int:
    """How long a rollout there holds its traffic because the settings say so, in seconds."""
    steps = sum(step.hold_s for step in environment.step)
    batches = environment.batch_hold_s * environment.instances
    tries = sum(one.attempts * (one.every_s + one.timeout_s) for one in environment.verify)
    return environment.preview.hold_s + steps + batches + tries + environment.bake_s
