"""Upload to a Python package index through twine, and read what it says.

Secrets go to twine in its environment, never in its arguments, and are taken out of whatever it writes.
"""

from __future__ import annotations

import base64
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shipline.clients.programs import ProgramTimeout, run_program, without_secrets
from shipline.clients.simple_index import refusal
from shipline.domain.errors import ConfigurationError, ShiplineError, UnavailableError

WHY_CHARACTERS_MAX = 1_000
CHECK_TIMEOUT_S = 120.0
_STATUS = re.compile(r"HTTPError: (\d{3})\b")
# What requests raises when there is no connection or no answer; twine does not catch these. (An SSLError is not
# among them: a certificate does not mend itself.)
_NO_ANSWER = re.compile(
    r"^requests\.exceptions\.((?:Connection|ConnectTimeout|ReadTimeout|Proxy|Chunked).*)", re.MULTILINE
)
_URL_USER = re.compile(r"(?<=://)[^/@\s]+(?=@)")


@dataclass(frozen=True, slots=True)
class Upload:
    """Where twine uploads to, and as whom.

    `url` "" leaves the address to twine's own configuration (TWINE_REPOSITORY, .pypirc). `credentials` None leaves
    them to it too; two empty strings upload without any. `timeout_s` bounds one whole upload.
    """

    url: str
    environment: Mapping[str, str] = field(repr=False)
    timeout_s: float
    credentials: tuple[str, str] | None = field(default=None, repr=False)

    def send(self, files: tuple[Path, ...], *, folder: Path) -> None:
        """Upload `files` (absolute paths), in order, stopping at the first that fails. twine runs in `folder`.

        UnavailableError: the index is in trouble or cannot be reached. RefusedError: credentials. ConfigurationError:
        twine knows none. ShiplineError: anything else that the index or twine says.
        """
        # -P: a file named twine.py in the folder must not be run in twine's place.
        arguments = [sys.executable, "-P", "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar"]
        if self.url != "":
            arguments += ["--repository-url", self.url]
        try:
            outcome = run_program(
                [*arguments, *map(str, files)],
                folder=folder,
                environment=self._environment(),
                timeout_s=self.timeout_s,
                package="python3",
            )
        except ProgramTimeout as error:
            raise UnavailableError(
                "the package index did not finish the upload in time",
                why=error.what,
                todo="run this again: only what is missing will be uploaded",
            ) from None
        if outcome.code != 0:
            raise diagnosed(self._scrubbed(outcome.output))

    def _environment(self) -> dict[str, str]:
        # A wide, plain terminal: twine wraps and colours its messages to the width it is told.
        chosen = {**self.environment, "COLUMNS": "500", "NO_COLOR": "1", "TERM": "xterm", "PYTHONIOENCODING": "utf-8"}
        if self.credentials is not None:
            chosen["TWINE_USERNAME"], chosen["TWINE_PASSWORD"] = self.credentials
        return chosen

    def _scrubbed(self, text: str) -> str:
        user, password = self.credentials if self.credentials is not None else ("", "")
        encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
        for secret in (password, encoded, self.environment.get("TWINE_PASSWORD", "")):
            if secret != "":
                text = text.replace(secret, "***")
        return _URL_USER.sub("***", text)


def metadata_complaint(files: tuple[Path, ...], *, folder: Path) -> str:
    """What twine has against the files' own metadata, "" where it has nothing: a description that an index cannot
    show, say. Sends nothing."""
    outcome = run_program(
        [sys.executable, "-P", "-m", "twine", "check", *(str(path.absolute()) for path in files)],
        folder=folder,
        environment={**without_secrets(os.environ), "COLUMNS": "500", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"},
        timeout_s=CHECK_TIMEOUT_S,
        package="python3",
    )
    return "" if outcome.code == 0 else " ".join(outcome.output.split())[-WHY_CHARACTERS_MAX:]


def diagnosed(output: str) -> ShiplineError:
    """The error that twine's (scrubbed) output stands for."""
    why = " ".join(output.split())[-WHY_CHARACTERS_MAX:]
    if (status := _STATUS.search(output)) is not None:
        return refusal("the package index", int(status[1]), why)
    if (silence := _NO_ANSWER.search(output)) is not None:
        return UnavailableError(
            "the package index cannot be reached",
            why=silence[1][:300],
            todo="when it is back, run this again: only what is missing will be uploaded",
        )
    if "NonInteractive" in output or "could not determine credentials" in output:
        return ConfigurationError(
            "twine has no credentials for the package index",
            why=why[-300:],
            todo="set username and password_environment for this registry, or put them where twine looks (.pypirc, "
            "TWINE_USERNAME and TWINE_PASSWORD, keyring); anonymous = true is for an index that wants none",
        )
    return ShiplineError("twine could not upload the files", why=why)
