"""Packages of npm as witnesses, each installed once into pytest's cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

INSTALL_TIMEOUT_S = 180
# npm waits 70 s before it gives up by itself, and every test process would.
SOON = ("--fetch-retries=2", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=2000")
OPTIONS = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")


def installed(cache: Path, package: str, version: str) -> Path:
    """The folder that has it in `node_modules`. Skips, saying why, where it cannot be had.

    Made beside and moved, since two test processes may come at once.
    """
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"npm is not installed, so {package} bears no witness here")
    folder = cache / f"{package.replace('/', '-')}-{version}"
    if folder.is_dir():
        return folder
    draft = Path(tempfile.mkdtemp(dir=folder.parent))
    result = subprocess.run(
        [npm, "install", *OPTIONS, *SOON, "--prefix", str(draft), f"{package}@{version}"],
        cwd=draft,
        capture_output=True,
        text=True,
        timeout=INSTALL_TIMEOUT_S,
        check=False,
    )
    if result.returncode != 0:
        shutil.rmtree(draft)
        said = next((line for line in result.stderr.splitlines() if " code " in line), result.stderr[-200:])
        pytest.skip(f"npm cannot install {package} here, so it bears no witness: {said}")
    try:
        os.rename(draft, folder)  # noqa: PTH104 - fails where the other process was first, which is right
    except OSError:
        shutil.rmtree(draft)
    return folder
