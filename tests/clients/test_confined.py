"""A confined program gives an answer, or is ended; it gets no credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipline.clients.confined import Unfinished, answer_of


def program(folder: Path, code: str) -> Path:
    path = folder / "program.py"
    path.write_text(f"import json, os, sys\nasked = json.load(sys.stdin)\n{code}\n")
    return path


def test_it_answers(tmp_path: Path) -> None:
    asked = {"text": "\N{RIGHT-TO-LEFT OVERRIDE}\ud800"}
    assert answer_of(program(tmp_path, "json.dump(asked, sys.stdout)"), asked, timeout_s=30, packages=False) == asked


def test_it_gets_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPM_TOKEN", "hunter2")
    code = "json.dump(list(os.environ.values()), sys.stdout)"
    assert "hunter2" not in answer_of(program(tmp_path, code), {}, timeout_s=30, packages=False)


def test_it_is_ended_in_time(tmp_path: Path) -> None:
    with pytest.raises(Unfinished, match="not done after"):
        answer_of(program(tmp_path, "10 ** 10 ** 10"), {}, timeout_s=0.5, packages=False)


def test_it_may_end_itself(tmp_path: Path) -> None:
    with pytest.raises(Unfinished, match="more time or memory"):
        answer_of(program(tmp_path, "os.abort()"), {}, timeout_s=30, packages=True)
