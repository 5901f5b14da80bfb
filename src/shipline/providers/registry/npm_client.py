"""Asking an npm registry through the `npm` program: what it answers as JSON, and what its errors mean.

Addresses and credentials that are not set here are the user's own (~/.npmrc, NPM_CONFIG_…). Nothing of the commit is
where npm runs: see `npm_project`. No life-cycle script is run. A token of ours goes to npm in its environment, never
into a file or an argument.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shipline.clients.programs import Outcome, ProgramTimeout, run_program
from shipline.domain.errors import ConfigurationError, RefusedError, ShiplineError, UnavailableError
from shipline.providers.registry.npm_project import NPMRC

WHY_CHARACTERS_MAX = 600
UNSCOPED = "@without-scope"
AGAIN = "when it is well again, run this again: only what is missing will be done"
# Codes that npm gives to trouble on the way, beside HTTP statuses (E500): Node's errno names and minipass-fetch's.
_UNREACHABLE = frozenset(
    {
        *("ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EPIPE"),
        *("ERR_SOCKET_TIMEOUT", "FETCH_ERROR", "ESOCKETTIMEDOUT", "EIDLETIMEOUT", "ECONNECTIONTIMEOUT"),
    }
)
_CREDENTIALS = frozenset({"E401", "E403", "EOTP", "EAUTHUNKNOWN", "EAUTHIP"})
_TROUBLE = frozenset({"E408", "E425", "E429"})
# What `npm view` says of a package that is there. From: npm's lib/commands/view.js.
_NO_VERSION = "No match found for version"


class NotThere(ShiplineError):
    """The registry does not know the package or the version."""


class NoSuchVersion(NotThere):
    """The registry knows the package, and not the version or the tag."""


@dataclass(frozen=True, slots=True)
class NPMClient:
    """npm, run in an empty folder with `npmrc` in it, None for none. `registry_url` "" leaves the address to npm.
    `token` "" leaves credentials to it. `scope` is that of the package (`@team`), "" for none.

    `answer_timeout_s` bounds one answer of the registry, `program_timeout_s` npm as a whole.
    """

    npmrc: bytes | None = field(repr=False)
    registry_url: str
    answer_timeout_s: float
    program_timeout_s: float
    token: str = field(default="", repr=False)
    scope: str = ""

    def ask(self, *arguments: str, folder: Path | None = None) -> Any:
        """What npm answers as JSON, None where it says nothing. `folder` is an empty one to run it in.

        NotThere: no such package or version (NoSuchVersion: a version of one that is there). RefusedError:
        credentials. ConfigurationError: there are none. UnavailableError: the registry is in trouble or cannot be
        reached. ShiplineError: anything else.
        """
        command = ["npm", *arguments, "--json", "--ignore-scripts"]
        if self.registry_url != "":
            command += self._chosen()
        if folder is None:
            with tempfile.TemporaryDirectory(prefix="shipline-npm-") as name:
                return self._answer(command, Path(name))
        return self._answer(command, folder)

    def _chosen(self) -> list[str]:
        """Have npm use `registry_url`, whatever the user's configuration says of the scope, and a `publishConfig`.

        The latter beats `--registry` in npm before 10.9, and the registry of a scope beats both; one that is named by
        `--scope` counts for packages that have none (npm-registry-fetch, pickRegistry).
        """
        scope = self.scope or UNSCOPED
        return ["--registry", self.registry_url, f"--scope={scope}", f"--{scope}:registry={self.registry_url}"]

    def _answer(self, command: list[str], folder: Path) -> Any:
        # With a manifest, npm does not go up to look for the project that it is in.
        (folder / "package.json").write_text('{"private": true}')
        if self.npmrc is not None:
            (folder / NPMRC).write_bytes(self.npmrc)
        try:
            outcome = run_program(
                command,
                folder=folder,
                environment=self._environment(),
                timeout_s=self.program_timeout_s,
                package="npm",
            )
        except ProgramTimeout as error:
            raise UnavailableError("the npm registry did not finish in time", why=error.what, todo=AGAIN) from None
        if outcome.code != 0:
            raise self._diagnosed(outcome)
        return _json(outcome.answer)

    def _environment(self) -> dict[str, str]:
        chosen = {
            **os.environ,
            "NPM_CONFIG_UPDATE_NOTIFIER": "false",
            "NPM_CONFIG_FETCH_RETRIES": "0",
            "NPM_CONFIG_FETCH_TIMEOUT": str(int(self.answer_timeout_s * 1000)),
            "NPM_CONFIG_PREFER_ONLINE": "true",
            "NPM_CONFIG_AUDIT": "false",
            "NPM_CONFIG_FUND": "false",
            "NO_COLOR": "1",
        }
        if self.token != "":
            parts = urlsplit(self.registry_url)
            # npm reads credentials of a registry from variables of this form (its config, "env").
            chosen[f"npm_config_//{parts.netloc}{parts.path.rstrip('/')}/:_authToken"] = self.token
        return chosen

    def _diagnosed(self, outcome: Outcome) -> ShiplineError:
        said = _json(outcome.answer)
        error = said.get("error") if isinstance(said, dict) else None
        told = error if isinstance(error, dict) else {}
        code = str(told.get("code") or "")
        if code == "ENEEDAUTH" and self.token != "":
            code = "E401"  # npm says so of a token, too, that the registry does not know.
        why = str(told.get("summary") or "") or outcome.output
        if self.token != "":
            why = why.replace(self.token, "***")
        return diagnosed(code, " ".join(why.split())[-WHY_CHARACTERS_MAX:])


def diagnosed(code: str, why: str) -> ShiplineError:
    """The error that a code of npm's stands for."""
    if code == "E404":
        kind = NoSuchVersion if why.startswith(_NO_VERSION) else NotThere
        return kind("the npm registry does not know it", why=why)
    if code == "ENEEDAUTH":
        return ConfigurationError(
            "npm has no credentials for the registry",
            why=why,
            todo="set token_environment for this registry, or log npm in (`npm login`, or _authToken in your own"
            " .npmrc; that of the commit is not read)",
        )
    if code in _CREDENTIALS:
        return RefusedError(
            f"the npm registry refused the credentials ({code})",
            why=why,
            todo="use a token that may publish this package and needs no one-time password",
        )
    if code in _UNREACHABLE or code in _TROUBLE or (code.startswith("E5") and code[1:].isdigit()):
        return UnavailableError(f"the npm registry is in trouble or cannot be reached ({code})", why=why, todo=AGAIN)
    return ShiplineError(f"npm could not do it ({code or 'no code'})", why=why)


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text.strip() else None
    except (ValueError, RecursionError):
        return None
