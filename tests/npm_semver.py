"""npm's own `semver` as a witness: installed once into pytest's cache, and asked over standard input."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.npm_packages import installed

VERSION = "7.8.6"
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
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed, so npm's semver bears no witness here")
    folder = installed(cache, "semver", VERSION)
    with subprocess.Popen(
        [node, "-e", PROGRAM], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield NpmSemver(process)
        assert process.stdin is not None
        process.stdin.close()
