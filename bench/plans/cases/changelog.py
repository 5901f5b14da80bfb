"""The whole history's changelog, beside reading that history with `git log` and throwing it away."""

from __future__ import annotations

from functools import partial

from bench.plans.frame import SHIPLINE, Case, Program, Promise
from bench.plans.grounds import history, node_peer, python_peer

FLOOR = ("git", "log", "-z", "--format=%H%n%D%n%an%n%ae%n%cI%n%P%n%B")
OURS = "shipline changelog --all"
CLIFF_LIMIT_S = 60.0
PEERS_COMMITS_MAX = 50_000  # Beyond, the peers only add minutes.


def _programs(commits: int) -> list[Program]:
    folder = history(commits)
    ours = [Program("git log", FLOOR, folder), Program(OURS, (SHIPLINE, "changelog", "--all"), folder)]
    return ours + (_peers(commits) if commits <= PEERS_COMMITS_MAX else [])


def _peers(commits: int) -> list[Program]:
    folder = history(commits)
    commands = {
        "git-cliff": (node_peer("git-cliff"), "--config", "keepachangelog"),
        "commitizen": (python_peer("commitizen", "cz"), "changelog", "--dry-run"),
        "python-semantic-release": (python_peer("python-semantic-release", "semantic-release"), "--noop", "changelog"),
        "conventional-changelog": (node_peer("conventional-changelog"), "-p", "conventionalcommits", "-r", "0"),
    }
    return [Program(label, command, folder, runs=1, limit_s=CLIFF_LIMIT_S) for label, command in commands.items()]


CASES = tuple(
    Case(
        f"changelog-{commits // 1000}k",
        f"full changelog, {commits} commits",
        partial(_programs, commits),
        (Promise(OURS, ratio_max=ratio_max, memory_mib_max=64),),
    )
    # At 10,000 the start of Python is the most of it: nothing is promised of the ratio.
    for commits, ratio_max in ((10_000, None), (50_000, 2.0), (100_000, 2.0))
)
