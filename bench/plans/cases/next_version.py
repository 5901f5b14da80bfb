"""The next version of a long history, and of one with very many tags."""

from __future__ import annotations

from pathlib import Path

from bench.plans.frame import SHIPLINE, Case, Program, Promise
from bench.plans.grounds import history, node_peer, python_peer

OURS = "shipline plan"
TAGS_COMMITS = 45_000  # Of these 25,000 get a tag: the others change nothing that a version says.


def _programs(folder: Path) -> list[Program]:
    """The first is the least that any program does: count the commits, from which no version can be told yet."""
    commands = {
        "git rev-list --count": ("git", "rev-list", "--count", "HEAD"),
        OURS: (SHIPLINE, "plan"),
        "shipline --help": (SHIPLINE, "--help"),
    }
    peers = {
        "git-cliff": (node_peer("git-cliff"), "--bumped-version", "--unreleased"),
        "commitizen": (python_peer("commitizen", "cz"), "bump", "--dry-run", "--yes"),
        "python-semantic-release": (
            python_peer("python-semantic-release", "semantic-release"),
            "--noop",
            "version",
            "--print",
        ),
        "conventional-recommended-bump": (node_peer("conventional-recommended-bump"), "-p", "conventionalcommits"),
    }
    return [Program(label, command, folder) for label, command in commands.items()] + [
        Program(label, command, folder, runs=1) for label, command in peers.items()
    ]


CASES = (
    Case(
        "next-100k",
        "next version, 100000 commits",
        lambda: _programs(history(100_000)),
        (Promise(OURS, cpu_ms_max=150),),
    ),
    Case(
        "next-25k-tags",
        f"next version, 25000 tags on {TAGS_COMMITS} commits",
        lambda: _programs(history(TAGS_COMMITS, "--tag-every", "1")),
        (Promise(OURS, cpu_ms_max=150),),
    ),
)
