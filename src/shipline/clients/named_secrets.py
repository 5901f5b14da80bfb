"""Secrets that the settings name by an environment variable: read when they are needed, never kept."""

from __future__ import annotations

import os

from shipline.domain.errors import ConfigurationError


def named_secret(variable: str, *, setting: str = "password_environment", what: str = "password or token") -> str:
    """What the variable holds, "" where `variable` is "". ConfigurationError where it is named and holds nothing.

    `setting` is the one that names it.
    """
    secret = os.environ.get(variable, "") if variable != "" else ""
    if variable != "" and secret == "":
        raise ConfigurationError(
            f"the environment variable {variable} is not set",
            why=f"{setting} names it as the place of the {what}",
            todo=f"set {variable} (in CI: from its secret store), then run this again",
        )
    return secret
