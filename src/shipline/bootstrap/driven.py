"""What an environment runs on, wired: a target and what routes to it, or a controller that is both."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from shipline.ports.traffic import Lengthy

if TYPE_CHECKING:
    from shipline.capabilities.rollouts import Ground
    from shipline.configuration import EnvironmentSettings
    from shipline.engine.workflow import Workflow
    from shipline.ports.controller import Controller
    from shipline.ports.provider import ProviderContext

VERDICT_TOKEN_CHARACTERS_MIN = 16
"""A shorter one could be guessed: nobody is let in by it."""


def platform_of(
    environment: EnvironmentSettings, target: ProviderContext, traffic: ProviderContext, build: Callable[..., Any]
) -> dict[str, Any]:
    """`target`, `traffic` and `controller` of an environment's ground. `build` makes a provider from its table."""
    from shipline.capabilities.rollouts import ControlledTarget, ControlledTraffic

    if environment.controller is None:
        return {
            "target": build("target", environment.target, target, default="process"),
            "traffic": build("traffic", environment.traffic, traffic, default="haproxy"),
        }
    controller: Controller = build("controller", environment.controller, target, default="")
    return {
        "target": ControlledTarget(controller),
        "traffic": ControlledTraffic(controller),
        "controller": controller,
    }


def workflow_of(environment: EnvironmentSettings, ground: Ground, patience_s: int) -> Workflow:
    """The workflow of an environment's rollouts. `patience_s` is how long a person, and the analysis, may take."""
    from shipline.capabilities.rollouts import driven_workflow, rollout_workflow

    wait_s = patience_s + environment.held_at_most_s
    if environment.controller is not None:
        return driven_workflow(environment.name, wait_timeout_s=wait_s)
    drain_s = environment.drain_timeout_s
    switch_s = ground.traffic.switch_s if isinstance(ground.traffic, Lengthy) else 0
    return rollout_workflow(environment.name, wait_timeout_s=wait_s, drain_timeout_s=drain_s, switch_s=switch_s)


def verdict_token_of(context_of: Callable[..., ProviderContext], environment: EnvironmentSettings) -> str:
    """The token that the environment's verdicts are asked for with, read where it is kept; "" where there is none.

    `context_of` is the project's `context`.
    """
    from shipline.configuration.given import read_secret

    if environment.verdict_token is None:
        return ""
    said, kind, settings = read_secret(environment.verdict_token)
    context = context_of("environments", environment.name, "secrets", environment=environment.name)
    token: str = kind(settings, context).read(said.key)
    return token


def wanted_image_of(context_of: Callable[..., ProviderContext], environment: EnvironmentSettings) -> str | None:
    """The image that the environment's controller is told to run now; None where there is no controller.

    `context_of` is the project's `context`. ShiplineError where it cannot be asked.
    """
    from shipline.configuration.providers import read_provider

    if environment.controller is None:
        return None
    kind, settings = read_provider("controller", environment.controller, default="")
    context = context_of("environments", environment.name, "target", environment=environment.name)
    controller: Controller = kind(settings, context)
    return controller.look().wanted.image
