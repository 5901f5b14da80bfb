"""Versions of a Python package, each installed by pip into a virtual environment of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from shipline.clients.durable_state import locked
from shipline.clients.programs import without_secrets
from shipline.domain.errors import InvalidValue, ShiplineError
from shipline.ports.clock import Clock

PACKAGE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")  # PyPA core metadata: name
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+!_-]{0,99}")  # what PEP 440 and semver write; never an option
INSTALL_TIMEOUT_S = 600
READY = "prepared"


def prefix_of(folder: Path, package: str, version: str) -> Path:
    """Where the version is installed. InvalidValue for what is no package and version: both become paths."""
    if not PACKAGE.fullmatch(package) or not VERSION.fullmatch(version):
        raise InvalidValue(f"{package[:80]!r} {version[:80]!r} is not a package and a version")
    return folder / f"{package}-{version}"


def is_installed(prefix: Path) -> bool:
    """True if the installation was ended."""
    return (prefix / READY).exists()


def install(prefix: Path, package: str, version: str, *, clock: Clock, index_url: str | None) -> None:
    """Install the version at `prefix`, unless it is there; one that was left half done is made anew.

    Whoever comes second waits. ShiplineError with the end of pip's output.
    """
    prefix.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(prefix.with_name(prefix.name + ".lock"), clock, timeout_s=INSTALL_TIMEOUT_S):
        if is_installed(prefix):
            return
        shutil.rmtree(prefix, ignore_errors=True)
        environment = installing_environment(os.environ, index_url)
        _run((sys.executable, "-m", "venv", "--without-pip", str(prefix)), environment, "make an environment for")
        arguments = ("-m", "pip", "--python", str(prefix / "bin" / "python"), "install", f"{package}=={version}")
        _run((sys.executable, *arguments), environment, "install")
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
        raise ShiplineError(f"could not {purpose} {argv[-1]}", why=str(failure)) from failure
    if done.returncode != 0:
        output = done.stdout.decode(errors="replace").strip()[-2000:]
        raise ShiplineError(f"could not {purpose} {argv[-1]}", why=output)
