"""Planning and changelog beside the floor: reading the same history with `git log`."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMMITS = 20_000
RUNS = 3
FLOOR = ("git", "log", "-z", "--format=%H%n%D%n%an%n%ae%n%cI%n%P%n%B")
SHIPLINE = (sys.executable, "-c", "from shipline.apps.cli.main import main; main()")


def cpu_seconds(command: tuple[str, ...], folder: Path) -> float:
    """User and system time of a command and its children; its output is read and thrown away."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE) as child:
        if child.stdout is not None:
            while child.stdout.read(1 << 20):
                pass
    if child.returncode != 0:
        raise SystemExit(f"{command} ended with {child.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def main() -> None:
    """Print CPU seconds and their ratio to the floor, the best of a few runs each, taken in turns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "history"
        subprocess.run([sys.executable, HERE / "history_gen.py", folder, str(COMMITS)], check=True)
        commands = {
            "git log (the floor)": FLOOR,
            "shipline changelog --all": (*SHIPLINE, "changelog", "--all"),
            "shipline plan": (*SHIPLINE, "plan"),
            "shipline --help": (*SHIPLINE, "--help"),
        }
        best = dict.fromkeys(commands, float("inf"))
        for _ in range(RUNS):
            for label, command in commands.items():
                best[label] = min(best[label], cpu_seconds(command, folder))
    print(f"{COMMITS} commits{'':24}{'CPU s':>8}{'x floor':>9}")
    for label, seconds in best.items():
        print(f"{label:37}{seconds:8.2f}{seconds / best['git log (the floor)']:9.1f}")


if __name__ == "__main__":
    main()
