"""Install a version from an index into a fresh virtual environment, as a user would, and see that it is there."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from shipline.clients.programs import Outcome, ProgramTimeout, run_program, without_secrets
from shipline.domain.errors import ShiplineError, UnavailableError

WHY_CHARACTERS_MAX = 600


@dataclass(frozen=True, slots=True)
class TrialInstall:
    """`index_url` "" leaves the index to pip's own configuration. `timeout_s` bounds the whole trial."""

    index_url: str
    timeout_s: float
    credentials: tuple[str, str] | None = field(default=None, repr=False)

    def run(self, package: str, version: str, *, dependencies: bool) -> None:
        """Install exactly this version. ShiplineError where it cannot be; UnavailableError where that took too long.

        pip is that of this interpreter, told of the new environment, so that nothing is installed to install it.
        """
        with tempfile.TemporaryDirectory(prefix="shipline-trial-") as name:
            place = Path(name)
            self._python(place, "-m", "venv", "--without-pip", "installed")
            interpreter = place / "installed" / ("Scripts" if os.name == "nt" else "bin") / "python"
            pip = ["-m", "pip", "--python", str(interpreter), "--disable-pip-version-check", "--no-input"]
            wanted = ["install", "--no-cache-dir", "--progress-bar", "off", f"{package}=={version}"]
            outcome = self._python(place, *pip, *wanted, *(() if dependencies else ("--no-deps",)))
            if outcome.code != 0:
                raise ShiplineError(
                    f"{package} {version} was published and cannot be installed from there",
                    why=" ".join(self._scrubbed(outcome.output).split())[-WHY_CHARACTERS_MAX:],
                    todo=f"if it is broken, take it back: shipline yank {version} --reason TEXT; install_test = false "
                    "leaves this out",
                )

    def _python(self, folder: Path, *arguments: str) -> Outcome:
        environment = without_secrets(os.environ)
        if self.index_url != "":
            environment = {name: value for name, value in environment.items() if not name.startswith("PIP_")}
            environment |= {"PIP_INDEX_URL": self._address(), "PIP_CONFIG_FILE": os.devnull}
        try:
            return run_program(
                [sys.executable, "-P", *arguments],
                folder=folder,
                environment=environment,
                timeout_s=self.timeout_s,
                package="python3-pip",
            )
        except ProgramTimeout as error:
            raise UnavailableError("the trial installation did not end in time", why=error.what) from None

    def _address(self) -> str:
        if self.credentials is None or self.credentials == ("", ""):
            return self.index_url
        parts = urlsplit(self.index_url)
        user, password = (quote(part, safe="") for part in self.credentials)
        return parts._replace(netloc=f"{user}:{password}@{parts.netloc}").geturl()

    def _scrubbed(self, text: str) -> str:
        if self.credentials is None or self.credentials[1] == "":
            return text
        password = self.credentials[1]
        return text.replace(quote(password, safe=""), "***").replace(password, "***")
