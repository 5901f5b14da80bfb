"""Go programs of the tests, built with Debian's Go and libraries (golang-go, golang-golang-x-mod-dev)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

LIBRARIES = Path("/usr/share/gocode")
TOP = Path(__file__).parents[1]
BUILD_TIMEOUT_S = 240


class GoMissing(Exception):
    """Go, or a library, is not here. Says what would bring it."""


def built(source: Path, library: str, folder: Path) -> Path:
    """The program of one source file that needs a library of Debian's, built in `folder`."""
    go = shutil.which("go")
    if go is None:
        raise GoMissing("the package golang-go is not installed")
    if not (LIBRARIES / "src" / library).is_dir():
        raise GoMissing(f"the package with the Go library {library} is not installed")
    program = folder / source.stem
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GO")},
        "GOPATH": str(LIBRARIES),
        "GOCACHE": str(TOP / ".cache" / "gocache"),
        "GO111MODULE": "off",
        "CGO_ENABLED": "0",
    }
    subprocess.run(
        [go, "build", "-o", str(program), str(source)],
        env=environment,
        check=True,
        timeout=BUILD_TIMEOUT_S,
        capture_output=True,
    )
    return program
