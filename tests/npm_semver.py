"""npm's own `semver` as a witness: installed once into pytest's cache, and asked over standard input."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

VERSION = "7.8.6"
INSTALL_TIMEOUT_S = 120
# One line of JSON in, one out: the name of a function of the library, and its arguments.
PROGRAM = """
const semver = require('semver')
require('readline').createInterface({ input: process.stdin }).on('line', line => {
  const [name, ...given] = JSON.parse(line)
  let answer = null
  try { answer = semver[name](...given) ?? null } catch (error) { answer = null }
  console.log(JSON.stringify(answer))
})
"""


class NpmSemver:
    """The running witness."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, name: str, *given: Any) -> Any:
        """What `semver.name(...given)` returns; None where it throws."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([name, *given]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def running(cache: Path) -> Iterator[NpmSemver]:
    """The witness, while it is needed. Skips, saying why, where it cannot be had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node or npm is not installed, so npm's semver bears no witness here")
    folder = _installed(npm, cache / f"semver-{VERSION}")
    with subprocess.Popen(
        [node, "-e", PROGRAM], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield NpmSemver(process)
        assert process.stdin is not None
        process.stdin.close()


def _installed(npm: str, folder: Path) -> Path:
    """Where the library lies. Made beside and moved, since two test processes may come at once."""
    if folder.is_dir():
        return folder
    draft = Path(tempfile.mkdtemp(dir=folder.parent))
    options = ("install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(draft))
    result = subprocess.run(
        [npm, *options, f"semver@{VERSION}"],
        cwd=draft,
        capture_output=True,
        text=True,
        timeout=INSTALL_TIMEOUT_S,
        check=False,
    )
    if result.returncode != 0:
        shutil.rmtree(draft)
        pytest.skip(f"npm cannot install semver here, so it bears no witness: {result.stderr[-200:]}")
    try:
        os.rename(draft, folder)  # noqa: PTH104 - fails where the other process was first, which is right
    except OSError:
        shutil.rmtree(draft)
    return folder
