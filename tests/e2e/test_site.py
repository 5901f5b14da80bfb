"""Documentation from the tagged commit to the branch that shows it, and back, as a user types it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from shipline.testing.histories import History
from tests.command import run_shipline

SETTINGS = """
schema = 1

[release]
remote = "origin"

[[build]]
provider = "site"
command = ["sh", "-c", 'cp docs/* "$0" && echo "$1" > "$0/version"', "{output}", "{version}"]

[[registry]]
provider = "git-branch"
branch = "pages"
"""


def test_documentation_is_published_with_its_release_and_taken_back_with_it(tmp_path: Path) -> None:
    bare = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
    history = History(tmp_path / "work")
    history.git("remote", "add", "origin", str(bare))

    def shown(name: str) -> str:
        return history.git("--git-dir", str(bare), "show", f"pages:{name}")

    for message, page in (("feat: one", "one"), ("feat: two", "two")):
        history.commit(message, {"shipline.toml": SETTINGS, "docs/page": page})
        said = run_shipline(history.folder, "release", "--json")
        assert said.code == 0, said
    (release,) = json.loads(said.out)["releases"]
    (artifact,) = release["artifacts"]
    assert (artifact["kind"], artifact["name"]) == ("site", "work-0.2.0-site.tar")
    assert [one["registry"] for one in release["publications"]] == ["git-branch"]
    assert (shown("page"), shown("version")) == ("two", "0.2.0")
    said = run_shipline(history.folder, "yank", "0.2.0", "--reason", "a page is wrong")
    assert said.code == 0, said
    assert "the branch pages shows 0.1.0" in said.out
    assert (shown("page"), shown("version")) == ("one", "0.1.0")
