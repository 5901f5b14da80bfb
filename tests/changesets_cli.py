"""@changesets/cli as a witness: installed once into pytest's cache, and asked what it would release."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

VERSION = "2.31.1"
INSTALL_TIMEOUT_S = 180
STATUS_TIMEOUT_S = 60


def installed(cache: Path) -> Path:
    """The program. Skips, saying why, where it cannot be had. Made beside and moved: two processes may come at once."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed, so changesets bear no witness here")
    folder = cache / f"changesets-{VERSION}"
    if not folder.is_dir():
        draft = Path(tempfile.mkdtemp(dir=folder.parent))
        options = ("install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(draft))
        result = subprocess.run(
            [npm, *options, f"@changesets/cli@{VERSION}"],
            cwd=draft,
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
        if result.returncode != 0:
            shutil.rmtree(draft)
            pytest.skip(f"npm cannot install @changesets/cli here, so it bears no witness: {result.stderr[-200:]}")
        try:
            os.rename(draft, folder)  # noqa: PTH104 - fails where the other process was first, which is right
        except OSError:
            shutil.rmtree(draft)
    return folder / "node_modules" / ".bin" / "changeset"


def versions_by(program: Path, repository: Path) -> dict[str, str]:
    """The new version of each package that it would release by the changesets of the last commit."""
    answer = repository / "status.json"
    result = subprocess.run(
        [program, "status", f"--output={answer.name}", "--since=HEAD~1"],
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=STATUS_TIMEOUT_S,
        check=False,
    )
    assert answer.is_file(), result.stdout + result.stderr
    releases = json.loads(answer.read_text())["releases"]
    return {each["name"]: each["newVersion"] for each in releases if each["type"] != "none"}
