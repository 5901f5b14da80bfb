"""Whether what services are to be given is to be had."""

from __future__ import annotations

from collections.abc import Iterator

from shipline.apps.cli.checks.check import Check, State
from shipline.bootstrap import Application
from shipline.domain.errors import ShiplineError


def secrets(application: Application) -> Iterator[Check]:
    """Whether each environment's secrets can be read here. None is shown or kept.

    A warning where one cannot: only the machine that runs the engine needs them.
    """
    for environment in application.policy.environments:
        if not environment.secrets:
            continue
        name = f"secrets of {environment.name}"
        variables = application.rollout_ground(environment).variables
        try:
            variables.secrets()
        except ShiplineError as error:
            words = f"{error.what} ({error.why})" if error.why else error.what
            yield Check(name, State.WARNING, words, error.todo or "the machine that runs the engine needs it")
        else:
            yield Check(name, State.OK, f"{', '.join(variables.secret_names)} can be read")
