"""A small program of ours in a process of its own, for work that a stranger's text can make endless.

A regular expression or a template of the repository may take all time or memory in one step, which nothing inside of
Python can end. The program takes JSON on standard input, writes JSON to standard output, and needs no module of ours.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shipline.clients.programs import without_secrets
from shipline.domain.errors import ShiplineError


class Unfinished(ShiplineError):
    """The program was ended: at its time limit, or by a bound that it had set itself."""


def answer_of(program: Path, request: Mapping[str, Any], *, timeout_s: float, packages: bool) -> Any:
    """What `program` answers to the request; Unfinished where it does not.

    It gets the environment without secrets. `packages` lets it import what is installed, which costs it some 10 ms.
    """
    options = ["-P"] if packages else ["-I", "-S"]
    try:
        done = subprocess.run(
            [sys.executable, *options, str(program)],
            input=json.dumps(request).encode("ascii"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=without_secrets(os.environ),
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unfinished(f"it was not done after {timeout_s:g} seconds") from None
    if done.returncode != 0:
        raise Unfinished("it took more time or memory than it may")
    return json.loads(done.stdout)
