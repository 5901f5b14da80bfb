"""Cargo as a witness: whether one crate of a folder may require the other one at a version, without any network."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TIMEOUT_S = 60
NOT_ADMITTED = "failed to select a version for the requirement"
NOT_READ = "failed to parse the version requirement"


class Cargo:
    """The program, and a folder for its questions."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        for name in ("asking", "asked"):
            (folder / name / "src").mkdir(parents=True)
            (folder / name / "src" / "lib.rs").touch()

    def admits(self, version: str, requirement: str) -> bool | None:
        """True if the requirement admits the version, None where Cargo cannot read it."""
        wanted = f'[dependencies]\nasked = {{ path = "../asked", version = "{requirement}" }}\n'
        for name, rest in (("asking", wanted), ("asked", "")):
            own = version if name == "asked" else "0.1.0"
            text = f'[package]\nname = "{name}"\nversion = "{own}"\nedition = "2018"\n\n{rest}'
            (self._folder / name / "Cargo.toml").write_text(text)
        (self._folder / "asking" / "Cargo.lock").unlink(missing_ok=True)
        done = subprocess.run(
            [self._program, "generate-lockfile", "--offline"],
            cwd=self._folder / "asking",
            env=os.environ | {"CARGO_TERM_COLOR": "never"},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        if done.returncode == 0:
            return True
        if NOT_READ in done.stderr:
            return None
        assert NOT_ADMITTED in done.stderr, done.stderr
        return False


def asked_in(folder: Path) -> Cargo:
    """The witness. Skips, saying why, where it cannot be had."""
    program = shutil.which("cargo")
    # A front for several versions may have none behind it.
    if program is None or subprocess.run([program, "--version"], capture_output=True, check=False).returncode != 0:
        pytest.skip("cargo is not installed, so it bears no witness here")
    return Cargo(program, folder)
