"""@changesets/cli as a witness: installed once into pytest's cache, and asked what it would release."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.npm_packages import installed

VERSION = "2.31.1"
STATUS_TIMEOUT_S = 60


def program_in(cache: Path) -> Path:
    """The program. Skips, saying why, where it cannot be had."""
    return installed(cache, "@changesets/cli", VERSION) / "node_modules" / ".bin" / "changeset"


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


def manifests_by(program: Path, repository: Path) -> dict[str, dict[str, Any]]:
    """The manifest of each package after it has written its versions."""
    subprocess.run([program, "version"], cwd=repository, capture_output=True, timeout=STATUS_TIMEOUT_S, check=True)
    return {path.parent.name: json.loads(path.read_text()) for path in repository.glob("packages/*/package.json")}
