"""What `shipline gate` costs as a command: the CPU of a whole process, the least of several turns.

    python bench/gates.py gate-check    one of the cases

A project of ten gates with a release that has test results; nothing is asked over a network.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

CPU_S_MAX = 0.35
TURNS = 7
CASES = {
    "gate-eval": ("gate", "eval", "--policy", "policy.toml", "--facts", "facts.json"),
    "gate-check": ("gate", "check"),
    "gate-explain": ("gate", "explain"),
}
GATES = """
[gates]
sets = ["quality", "security"]
"""
SETTINGS = """
schema = 1
[[package]]
name = "quotes"
ecosystem = "plain"
[[test]]
name = "unit"
command = ["cp", "junit.xml", "{reports}/junit.xml"]
reports = ["junit.xml"]
[[gate]]
name = "coverage"
rule = "coverage.line >= 90.0 && coverage.change >= 0.0"
[[gate]]
name = "calendar"
rule = "!calendar.frozen && checklist.open_items == 0"
"""
JUNIT = '<testsuite name="unit" tests="1"><testcase classname="t" name="one"/></testsuite>'


def _run(folder: Path, *command: str) -> None:
    """What prepares the project; a release that is refused is what is wanted."""
    subprocess.run(command, cwd=folder, check=False, capture_output=True)


def _project(folder: Path) -> None:
    (folder / "shipline.toml").write_text(SETTINGS + GATES)
    (folder / "policy.toml").write_text(GATES)
    (folder / "facts.json").write_text('{"tests": {"passed": 1, "failed": 0, "errors": 0}}')
    (folder / "junit.xml").write_text(JUNIT)
    _run(folder, "git", "init", "--quiet", "--initial-branch=main")
    _run(folder, "git", "add", "-A")
    who = ("-c", "user.name=Bench", "-c", "user.email=bench@example.com")
    _run(folder, "git", *who, "commit", "--quiet", "-m", "feat: begin")
    for name, value in (("user.name", "Bench"), ("user.email", "bench@example.com")):
        _run(folder, "git", "config", name, value)
    _run(folder, sys.executable, "-m", "shipline", "release")


def _cpu_s(folder: Path, arguments: Sequence[str]) -> tuple[float, int]:
    process = subprocess.Popen(
        [sys.executable, "-m", "shipline", *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime, process.returncode


def measure_commands(names: Sequence[str]) -> bool:
    """Print what the cases that are named, or all, cost; False if one costs more than is promised."""
    chosen = {name: arguments for name, arguments in CASES.items() if not names or name in names}
    if not chosen:
        return True
    within = True
    with tempfile.TemporaryDirectory() as name:
        _project(Path(name))
        for case, arguments in chosen.items():
            turns = [_cpu_s(Path(name), arguments) for _ in range(TURNS)]
            least = min(cpu_s for cpu_s, _ in turns)
            answered = {code for _, code in turns} <= {0, 3}
            within = within and answered and least <= CPU_S_MAX
            words = "" if answered else "   it did not answer"
            print(f"{case:<12} CPU {least:>5.2f} s (limit {CPU_S_MAX}){words}")
    return within
