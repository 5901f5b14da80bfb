"""Versions of a Python package, each installed by pip into a virtual environment of its own."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shipline.clients.durable_state import locked
from shipline.clients.programs import without_secrets
from shipline.domain.errors import InvalidValue, ShiplineError
from shipline.ports.clock import Clock
from shipline.ports.target import checked_digests

PACKAGE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")  # PyPA core metadata: name
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+!_-]{0,99}")  # what PEP 440 and semver write; never an option
INSTALL_TIMEOUT_S = 600
READY = "prepared"
REQUIREMENT = "requirement.txt"


@dataclass(frozen=True, slots=True)
class Distribution:
    """What is to be installed: one of the files of a version whose digests (`sha256:…`) these are."""

    package: str
    version: str
    digests: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse what is no package and version, or has no digest (InvalidValue): they become paths and options."""
        if not PACKAGE.fullmatch(self.package) or not VERSION.fullmatch(self.version):
            raise InvalidValue(f"{self.package[:80]!r} {self.version[:80]!r} is not a package and a version")
        checked_digests(self.digests)

    @property
    def requirement(self) -> str:
        """A line that pip obeys: these bytes and no others (pip's documentation, "Secure installs")."""
        return " ".join((str(self), *(f"--hash={digest}" for digest in self.digests)))

    def __str__(self) -> str:
        return f"{self.package}=={self.version}"


def prefix_of(folder: Path, what: Distribution) -> Path:
    """Where it is installed. Other bytes under the same version have a place of their own."""
    identity = hashlib.sha256("\n".join(sorted(what.digests)).encode()).hexdigest()
    return folder / f"{what.package}-{what.version}-{identity[:12]}"


def is_installed(prefix: Path) -> bool:
    """True if the installation was ended."""
    return (prefix / READY).exists()


def install(prefix: Path, what: Distribution, *, clock: Clock, index_url: str | None) -> None:
    """Install it at `prefix`, unless it is there; what was left half done is made anew.

    The version itself by its digests, then whatever it requires. Whoever comes second waits. ShiplineError with the
    end of pip's output, also where the index has other bytes under that version.
    """
    prefix.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(prefix.with_name(prefix.name + ".lock"), clock, timeout_s=INSTALL_TIMEOUT_S):
        if is_installed(prefix):
            return
        shutil.rmtree(prefix, ignore_errors=True)
        environment = installing_environment(os.environ, index_url)
        _run(
            (sys.executable, "-m", "venv", "--without-pip", str(prefix)), environment, f"make an environment for {what}"
        )
        (prefix / REQUIREMENT).write_text(f"{what.requirement}\n")
        pip = (sys.executable, "-m", "pip", "--python", str(prefix / "bin" / "python"), "install")
        exactly = ("--no-deps", "--require-hashes", "--requirement", str(prefix / REQUIREMENT))
        _run((*pip, *exactly), environment, f"install {what}")
        _run((*pip, str(what)), environment, f"install what {what} requires")
        (prefix / READY).touch()


def installing_environment(environment: Mapping[str, str], index_url: str | None) -> dict[str, str]:
    """What pip is started with: an sdist among the dependencies runs code of its own, and is told no secret."""
    chosen = {**without_secrets(environment), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    # Not as an argument: it may hold credentials, and arguments are for every user to see.
    return chosen | ({} if index_url is None else {"PIP_INDEX_URL": index_url})


def _run(argv: tuple[str, ...], environment: dict[str, str], purpose: str) -> None:
    """Run a step of the preparation; its output's end is in the error."""
    try:
        done = subprocess.run(
            argv,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise ShiplineError(f"could not {purpose}", why=str(failure)) from failure
    if done.returncode != 0:
        output = done.stdout.decode(errors="replace").strip()[-2000:]
        raise ShiplineError(f"could not {purpose}", why=output)
