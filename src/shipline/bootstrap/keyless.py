"""Signing by an identity, wired: the instance that the policy names, and the token that the environment has."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from shipline.domain.errors import ConfigurationError, RefusedError, UsageError

if TYPE_CHECKING:
    from shipline.bootstrap.compliance import Place
    from shipline.capabilities.evidence import Instance

# The name that sigstore's own clients and GitLab's documentation have for it.
TOKEN_VARIABLE = "SIGSTORE_ID_TOKEN"  # noqa: S105 - the variable's name
GITHUB_VARIABLES = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")


def instance_of(place: Place) -> Instance:
    """The instance, by the file as it is where the policy is. UsageError where none is named."""
    from shipline.capabilities.evidence import read_instance

    policy = place.policy
    name = (policy.trusted or place.settings).keyless.instance
    if not name:
        raise UsageError(
            "no sigstore instance is named to sign at",
            why=f"[keyless] is read from {policy.source}",
            todo='set instance in [keyless] to its ClientTrustConfig: instance = "sigstore.json"',
        )
    root = place.repository.root()
    if policy.commit is None:
        from shipline.capabilities.version_files import content_of
        from shipline.configuration.policy import POLICY_VARIABLE

        # What a file of the machine's decides has its files beside it.
        beside = Path(os.environ.get(POLICY_VARIABLE, "")).parent
        return read_instance(content_of(place.root if policy.trusted is None else beside, name))
    folder = place.root.resolve().relative_to(root.resolve()).as_posix()
    path = name if folder == "." else f"{folder}/{name}"
    content = place.repository.read_files((path,), policy.commit).get(path)
    if content is None:
        raise ConfigurationError(
            f"the sigstore instance's file {name} is not in {policy.commit[:12]}",
            why=f"{policy.source} names it, and it counts as it is there",
            todo=f"commit {name} on that branch",
        )
    return read_instance(content)


def identity_token(variable: str) -> str:
    """The token in the environment variable; where that is not set, the one that GitHub gives a job which may ask for
    it. RefusedError where there is neither."""
    found = os.environ.get(variable, "").strip()
    if found:
        return found
    if all(os.environ.get(name) for name in GITHUB_VARIABLES):
        from sigstore.oidc import IdentityError, detect_credential

        try:
            ambient = detect_credential()
        except IdentityError:  # Its words may name what was asked.
            raise RefusedError("GitHub gives this job no identity token", todo="look at its permissions") from None
        if ambient:
            return str(ambient)
    raise RefusedError(
        f"there is no identity token: {variable} is not set",
        why="whoever signs by an identity shows a token that vouches for it",
        todo=f"put one into {variable}; on GitHub give the job `permissions: id-token: write`",
    )
