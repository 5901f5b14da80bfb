"""Commit lint: the hook on a message that passes and on one that fails, and a long range."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.plans.frame import SHIPLINE, Case, Program, Promise
from bench.plans.grounds import cache, history, node_peer, python_peer

HOOK = "the hook"
RANGE = "shipline lint --range"
COMMITS = 5000
CONFIGURATION = 'export default { extends: ["@commitlint/config-conventional"] };\n'
MESSAGES = {
    "passes": "feat(core): add a thing that is good\n\nThis is what was done, and why it was done in this way.\n\n"
    "Closes #12\n# Please enter the commit message for your changes. Lines starting\n"
    "# with '#' will be ignored, and an empty message aborts the commit.\n#\n# On branch main\n#\tmodified:   a.txt\n",
    "fails": "feature: Add a thing.\n",
}


def _ground() -> Path:
    """A repository with our hook, the two messages, and what the peers want."""
    folder = cache() / "lint"
    folder.mkdir(exist_ok=True)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    subprocess.run([SHIPLINE, "init", "--hooks"], cwd=folder, check=False, capture_output=True)
    _configure_commitlint(folder)
    for name, text in MESSAGES.items():
        (folder / name).write_text(text)
    return folder


def _configure_commitlint(folder: Path) -> None:
    """Its configuration, and the packages beside it, where it looks for presets."""
    (folder / "commitlint.config.mjs").write_text(CONFIGURATION)
    packages = folder / "node_modules"
    packages.unlink(missing_ok=True)
    packages.symlink_to(Path(node_peer("commitlint")).parent.parent)


def _hooks(name: str) -> list[Program]:
    """The first is the least that any hook costs that is a shell script."""
    folder, codes = _ground(), (0,) if name == "passes" else (1, 14)
    gitlint = (python_peer("gitlint", "gitlint"), "--contrib=CT1", "--ignore=B5,B6,T3", "--msg-filename", name)
    return [
        Program("sh", ("sh", "-c", ":"), folder),
        Program(HOOK, ("sh", ".git/hooks/commit-msg", name), folder, codes=codes),
        Program("python -I -S", (sys.executable, "-I", "-S", "-c", "pass"), folder),
        Program("shipline lint", (SHIPLINE, "lint", "--message-file", name), folder, codes=codes),
        Program(
            "commitizen", (python_peer("commitizen", "cz"), "check", "--commit-msg-file", name), folder, codes=codes
        ),
        Program("gitlint", gitlint, folder, codes=(0, 1, 2, 3)),
        Program("commitlint", (node_peer("commitlint"), "--edit", name), folder, codes=codes),
    ]


def _range() -> list[Program]:
    folder = history(COMMITS + 1)
    span = f"HEAD~{COMMITS}..HEAD"
    _configure_commitlint(folder)
    codes = (0, 1, 14)
    commitlint = (node_peer("commitlint"), "--from", f"HEAD~{COMMITS}", "--to", "HEAD", "--quiet")
    return [
        Program("git log", ("git", "log", "-z", "--format=%H%x00%B", span), folder),
        Program(RANGE, (SHIPLINE, "lint", "--range", span), folder, codes=codes),
        Program("shipline --help", (SHIPLINE, "--help"), folder),
        Program("commitizen", (python_peer("commitizen", "cz"), "check", "--rev-range", span), folder, 1, codes=codes),
        Program("commitlint", commitlint, folder, 1, codes=codes),
        Program("gitlint", (python_peer("gitlint", "gitlint"), "--commits", span), folder, 1, codes=tuple(range(254))),
    ]


CASES = (
    Case("hook-passes", "commit-msg hook, a good message", lambda: _hooks("passes"), (Promise(HOOK, cpu_ms_max=2),)),
    Case("hook-fails", "commit-msg hook, a bad message", lambda: _hooks("fails"), (Promise(HOOK, cpu_ms_max=30),)),
    Case("lint-5k", f"lint of {COMMITS} commits", _range, (Promise(RANGE, cpu_ms_max=150),)),
)
