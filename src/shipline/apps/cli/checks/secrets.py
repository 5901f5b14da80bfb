"""Whether what services are to be given is to be had."""

from __future__ import annotations

from collections.abc import Iterator

from shipline.apps.cli.checks.check import Check, State
from shipline.bootstrap import Application
from shipline.bootstrap.driven import VERDICT_TOKEN_CHARACTERS_MIN, verdict_token_of
from shipline.configuration import EnvironmentSettings
from shipline.domain.errors import ShiplineError


def secrets(application: Application) -> Iterator[Check]:
    """Whether each environment's secrets can be read here. None is shown or kept.

    A warning where one cannot: only the machine that runs the engine needs them.
    """
    for environment in application.policy.environments:
        if environment.verdict_token is not None:
            yield _verdict_token(application, environment)
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


def _verdict_token(application: Application, environment: EnvironmentSettings) -> Check:
    """Whether whoever asks the server for a verdict can be answered."""
    name = f"verdict token of {environment.name}"
    try:
        token = verdict_token_of(application.context, environment)
    except ShiplineError as error:
        return Check(name, State.WARNING, error.what, error.todo or "the machine that runs the server needs it")
    if len(token) < VERDICT_TOKEN_CHARACTERS_MIN:
        return Check(
            name, State.WRONG, f"it is shorter than {VERDICT_TOKEN_CHARACTERS_MIN} characters, and opens nothing"
        )
    return Check(name, State.OK, "it can be read")
