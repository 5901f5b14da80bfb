"""What the cases work on: histories, made once; and the peers, installed once. All in a cache folder outside of git."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

GENERATOR = Path(__file__).resolve().parent.parent / "history_gen.py"
CACHE_VARIABLE = "SHIPLINE_BENCH_CACHE"

# The peers at the versions that the documentation quotes figures of, each in a folder of its own.
PYTHON_PEERS = {
    "commitizen": "commitizen==4.19.3",
    "gitlint": "gitlint-core==0.19.1",
    "python-semantic-release": "python-semantic-release==10.7.0",
}
NODE_PEERS = (
    "git-cliff@2.14.2",
    "conventional-changelog@7.2.1",
    "conventional-recommended-bump@11.2.0",
    "@changesets/cli@2.31.1",
    "@commitlint/cli@20.5.3",
    "@commitlint/config-conventional@20.5.3",
)


def cache() -> Path:
    """The folder, made where it is not there."""
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shipline-bench"
    folder = Path(os.environ.get(CACHE_VARIABLE) or usual)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def history(commits: int, *options: str) -> Path:
    """A synthetic history of so many commits; `options` are those of the generator."""
    name = "-".join(["history", str(commits), *(option.strip("-") for option in options)])
    # Some peers do not start without a remote; this one is of no forge, so that nobody makes links.
    remote = ["git", "-C", "{folder}", "remote", "add", "origin", "git@git.example.org:example/history.git"]
    generate = [sys.executable, str(GENERATOR), "{folder}", str(commits), *options]
    return _made(name, GENERATOR.read_bytes() + remote[-1].encode(), [generate, remote])


def python_peer(name: str, program: str) -> str:
    """The path of `program` of a peer from PyPI."""
    pinned = PYTHON_PEERS[name]
    commands = [[sys.executable, "-m", "venv", "{folder}"], ["{folder}/bin/pip", "install", "--quiet", pinned]]
    return str(_made(name, pinned.encode(), commands) / "bin" / program)


def node_peer(program: str) -> str:
    """The path of `program` of the peers from npm."""
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", "{folder}", *NODE_PEERS]
    return str(_made("node-peers", " ".join(NODE_PEERS).encode(), [command]) / "node_modules" / ".bin" / program)


def _made(name: str, recipe: bytes, commands: Sequence[Sequence[str]]) -> Path:
    """The folder that the commands fill, which write its path for `{folder}`; made anew only for another recipe."""
    folder = cache() / f"{name}-{hashlib.sha256(recipe).hexdigest()[:12]}"
    done = folder.with_name(folder.name + ".done")
    if not done.exists():
        print(f"preparing {name} ...", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        for command in commands:
            subprocess.run([part.replace("{folder}", str(folder)) for part in command], check=True)
        done.touch()
    return folder
