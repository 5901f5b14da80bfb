"""`shipline import` as people use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shipline.configuration import load_settings
from shipline.testing.histories import History
from tests.command import run_shipline

FILES = {
    "package.json": '{"name": "@acme/quotes", "version": "1.2.3",'
    ' "release": {"branches": "main", "plugins": [], "tagFormat": "r${version}", "x\\u001b": 1}}',
    ".gitlint": "[general]\ncontrib=CT1\n",
}


@pytest.fixture
def history(tmp_path: Path) -> History:
    made = History(tmp_path / "quotes")
    made.commit("feat: begin", FILES)
    return made


def test_nothing_is_written_before_it_is_asked_for(history: History) -> None:
    for arguments in ((), ("--dry-run",), ("--write", "--dry-run"), ("--json",)):
        said = run_shipline(history.folder, "import", *arguments)
        assert said.code == 0, said
        assert not (history.folder / "shipline.toml").exists()
    assert 'tag_format = "r{version}"' in run_shipline(history.folder, "import").out
    assert "\x1b" not in run_shipline(history.folder, "import").err


def test_what_is_written_loads_and_passes_the_doctor(history: History) -> None:
    said = run_shipline(history.folder, "import", "--write")
    assert said.code == 0, said
    settings = load_settings(history.folder)
    assert settings.package[0].name == "@acme/quotes"
    assert run_shipline(history.folder, "doctor").code == 0
    assert run_shipline(history.folder, "lint", "--title", "feat: abc").code == 1
    again = run_shipline(history.folder, "import", "--write")
    assert again.code == 3
    assert load_settings(history.folder) == settings


def test_the_document_names_every_key(history: History) -> None:
    document = json.loads(run_shipline(history.folder, "import", "--from", "semantic-release", "--json").out)
    assert document["schema"] == "shipline.import/1"
    assert (document["tools"], document["written"]) == (["semantic-release"], False)
    assert {key["key"]: key["answer"] for key in document["keys"]} == {
        "branches": "taken",
        "tagFormat": "taken",
        "(before 1.0.0)": "taken",
        "x\x1b": "no equal",
    }


def test_what_cannot_be_done_is_said(history: History, tmp_path: Path) -> None:
    said = run_shipline(history.folder, "import", "--from", "svn")
    assert (said.code, "known ones: release-please" in said.err) == (2, True)
    assert run_shipline(history.folder, "import", "--from", "git-cliff").code == 4
    (history.folder / "release.config.js").write_text("module.exports = require('x')")
    assert run_shipline(history.folder, "import", "--from", "semantic-release").code == 2
    said = run_shipline(history.folder, "import")
    assert (said.code, "release.config.js: (the file): what it exports is computed" in said.err) == (0, True)
    empty = History(tmp_path / "empty")
    empty.commit("feat: begin")
    assert run_shipline(empty.folder, "import").code == 4
