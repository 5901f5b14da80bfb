"""The real commitlint, as a witness: installed by npm into a folder that git ignores, run once for many messages."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.docs.markdown import ROOT

PACKAGES = (
    "@commitlint/lint@20.5.3",
    "@commitlint/config-conventional@20.5.3",
    "conventional-changelog-conventionalcommits@9.3.1",
)
FOLDER = ROOT / ".cache" / "commitlint-20.5.3"
SCRIPT = Path(__file__).with_name("witness.mjs")
DEADLINE_S = 240


class CommitlintMissing(Exception):
    """There is no commitlint on this machine, and none could be installed."""


def broken_rules(messages: list[str], rules: dict[str, Any] | None = None) -> list[set[str]]:
    """The rules that commitlint says each message breaks, warnings too; its conventional rules with `rules` on top."""
    done = subprocess.run(
        ["node", str(SCRIPT), str(_installed())],
        input=json.dumps({"rules": rules or {}, "messages": messages}).encode("utf-8", "surrogatepass"),
        capture_output=True,
        check=True,
        timeout=DEADLINE_S,
    )
    return [set(each) for each in json.loads(done.stdout)]


def _installed() -> Path:
    """The folder that has it; several test processes may ask at once."""
    if (FOLDER / "node_modules").is_dir():
        return FOLDER
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise CommitlintMissing("npm is not installed, so commitlint cannot be asked")
    draft = FOLDER.with_name(f"{FOLDER.name}.{os.getpid()}")
    draft.mkdir(parents=True, exist_ok=True)
    (draft / "package.json").write_text("{}")
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES]
    done = subprocess.run(command, cwd=draft, capture_output=True, text=True, check=False, timeout=DEADLINE_S)
    if done.returncode != 0:
        shutil.rmtree(draft)
        raise CommitlintMissing(f"npm could not install commitlint: {done.stderr[-300:]}")
    try:
        draft.rename(FOLDER)
    except OSError:  # Another process was faster.
        shutil.rmtree(draft)
    return FOLDER
