"""Install a version from an index into a fresh virtual environment, as a user would, and see that it is there.

What is installed with it may be built from source, by code of others: so pip never has the credentials, see
`lent_index`. Where pip's own configuration names the index, what that holds is pip's, as in every installation.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from shipline.clients.lent_index import lent_index
from shipline.clients.programs import Outcome, ProgramTimeout, run_program, without_secrets
from shipline.domain.errors import ShiplineError, UnavailableError

WHY_CHARACTERS_MAX = 600
ANSWER_TIMEOUT_S = 60.0


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
        with tempfile.TemporaryDirectory(prefix="shipline-trial-") as name, self._address() as address:
            place = Path(name)
            self._python(place, address, "-m", "venv", "--without-pip", "installed")
            interpreter = place / "installed" / ("Scripts" if os.name == "nt" else "bin") / "python"
            pip = ["-m", "pip", "--python", str(interpreter), "--disable-pip-version-check", "--no-input"]
            # Nothing of it is run, so nothing needs to be compiled.
            wanted = ["install", "--no-cache-dir", "--no-compile", "--progress-bar", "off", f"{package}=={version}"]
            outcome = self._python(place, address, *pip, *wanted, *(() if dependencies else ("--no-deps",)))
            if outcome.code != 0:
                raise ShiplineError(
                    f"{package} {version} was published and cannot be installed from there",
                    why=" ".join(outcome.output.split())[-WHY_CHARACTERS_MAX:],
                    todo=f"if it is broken, take it back: shipline yank {version} --reason TEXT; install_test = false "
                    "leaves this out",
                )

    @contextlib.contextmanager
    def _address(self) -> Iterator[str]:
        """Where pip finds the index, "" for its own configuration."""
        if self.credentials is None or self.credentials == ("", "") or self.index_url == "":
            yield self.index_url
            return
        with lent_index(self.index_url, self.credentials, timeout_s=min(self.timeout_s, ANSWER_TIMEOUT_S)) as address:
            yield address

    def _python(self, folder: Path, address: str, *arguments: str) -> Outcome:
        environment = without_secrets(os.environ)
        if address != "":
            environment = {name: value for name, value in environment.items() if not name.startswith("PIP_")}
            environment |= {"PIP_INDEX_URL": address, "PIP_CONFIG_FILE": os.devnull}
        if address != self.index_url:
            # What is lent is on this machine, which no proxy can reach.
            around = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
            environment |= dict.fromkeys(("no_proxy", "NO_PROXY"), f"{around},127.0.0.1".removeprefix(","))
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
