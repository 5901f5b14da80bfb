"""`shipline lint` and the hook that `shipline init --hooks` writes, as people use them."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it ships no types
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from shipline.testing.histories import History
from tests.apps.cli.test_main import HEAVY, HEAVY_OF_OURS, imported_by
from tests.command import Said, arguments_of, environment_of, run_shipline
from tests.docs.markdown import ROOT

GOOD, BAD = "feat(core)!: add it\n\nBREAKING CHANGE: all\nCloses #12", "Added it."


@pytest.fixture
def history(tmp_path: Path) -> History:
    made = History(tmp_path / "quotes")
    made.commit("feat: begin")
    return made


def document(said: Said) -> Any:
    schema = json.loads((ROOT / "docs" / "reference" / "lint.schema.json").read_text("utf-8"))
    found = json.loads(said.out)
    Draft202012Validator(schema).validate(found)
    return found


def test_a_range_is_checked_commit_by_commit(history: History) -> None:
    good, bad = history.commit(GOOD), history.commit(BAD)
    said = run_shipline(history.folder, "lint", "--range", "HEAD~2..HEAD", "--json")
    assert said.code == 1
    found = document(said)
    assert [(each["oid"], each["ok"]) for each in found["messages"]] == [(bad, False), (good, True)]
    assert found["messages"][0]["parsed"] is None
    assert found["messages"][1]["parsed"] == {
        "type": "feat",
        "scope": "core",
        "description": "add it",
        "breaking": True,
        "notes": ["all"],
        "refs": ["#12"],
        "reverts": [],
    }
    rules = [each["rule"] for each in found["messages"][0]["problems"]]
    assert rules == ["type-empty", "subject-empty", "subject-full-stop"]
    assert found["messages"][0]["proposal"] == "feat: it"
    assert run_shipline(history.folder, "lint", "--range", f"HEAD~2..{good}").code == 0
    shown = run_shipline(history.folder, "lint", "--range", "HEAD~2..")
    assert f"{bad[:10]} Added it." in shown.out
    assert "2 messages, 1 to be mended" in shown.err


def test_a_file_is_read_as_git_would(history: History) -> None:
    path = history.folder / "message"
    path.write_bytes(b"feat: a\r\n\r\nB.\r\n# " + b"x" * 200 + b"\n")
    assert run_shipline(history.folder, "lint", "--message-file", "message").code == 0
    assert run_shipline(history.folder, "lint", "--message-file", "message", extra={"GIT_EDITOR": ":"}).code == 1
    path.write_bytes(b"\0fe\0at: \xff\n")
    assert run_shipline(history.folder, "lint", "--message-file", "message").code == 0
    path.write_bytes(b"feat: " + b"x" * (1 << 20))
    said = run_shipline(history.folder, "lint", "--message-file", str(path))
    assert said.code == 1
    assert len(said.out) < 1000


def test_the_hook_for_pre_commit_is_the_command_with_a_file(history: History) -> None:
    """pre-commit splits `entry` as a shell does, and puts the file of the message behind it."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    program, *words = shlex.split(hook["entry"])
    assert (program, hook["stages"]) == ("shipline", ["commit-msg"])
    (history.folder / "MESSAGE").write_text(BAD)
    assert run_shipline(history.folder, *words, "MESSAGE").code == 1


def test_a_title_and_standard_input(history: History) -> None:
    assert run_shipline(history.folder, "lint", "--title", "fix: a").code == 0
    assert run_shipline(history.folder, "lint", "--title", "fix: A\x1b[2J").code == 1
    for message, code in ((GOOD, 0), (BAD, 1), ("", 1)):
        done = subprocess.run(
            arguments_of("lint", "-", "--json"),
            cwd=history.folder,
            env=environment_of(),
            input=message,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code
        assert json.loads(done.stdout)["messages"][0]["oid"] is None


def test_the_rules_of_the_settings_hold(history: History) -> None:
    settings = history.folder / "shipline.toml"
    settings.write_text(
        '[lint.rules]\n"scope-enum" = [2, "always", ["api"]]\nsubject-case = [0]\ntype-enum = [1, "never", ["wip"]]'
    )
    assert run_shipline(history.folder, "lint", "--title", "zebra(api): A").code == 0
    said = run_shipline(history.folder, "lint", "--title", "feat(apis): A")
    assert "write    feat(api): A" in said.out
    assert run_shipline(history.folder, "lint", "--title", "wip: a").code == 0
    settings.write_text("[lint.rules]\nscope-enums = [0]")
    said = run_shipline(history.folder, "lint", "--title", "fix: a")
    assert said.code == 2
    assert "did you mean 'scope-enum'" in said.err
    assert "did you mean 'scope-enum'" in run_shipline(history.folder, "doctor").out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "one thing at a time"),
        (("-", "--title", "a"), "one thing at a time"),
        (("HEAD",), "one thing at a time"),
        (("--range", "HEAD"), "is no range"),
        (("--range", "..HEAD"), "is no range"),
        (("--range", "a...b"), "is no range"),
        (("--range", "absent..HEAD"), "no commit 'absent'"),
        (("--range", "--output=x..HEAD"), "no commit '--output=x'"),
        (("--message-file", "absent"), "cannot be read"),
        (("--message-file", "."), "cannot be read"),
    ],
)
def test_what_cannot_be_understood_ends_with_2(history: History, arguments: tuple[str, ...], told: str) -> None:
    said = run_shipline(history.folder, "lint", *arguments)
    assert said.code == 2, said
    assert told in said.err, said


def test_lint_loads_nothing_heavy(history: History) -> None:
    modules = imported_by(history.folder, "lint", "--range", "HEAD..HEAD")
    assert [name for name in modules if name.startswith(HEAVY_OF_OURS) or name.partition(".")[0] in HEAVY] == []


def commit(history: History, message: str) -> subprocess.CompletedProcess[str]:
    """Commit as a person does, with hooks."""
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    command = ["git", *identity, "commit", "--allow-empty", "-m", message]
    return subprocess.run(
        command, cwd=history.folder, env=environment_of(), capture_output=True, text=True, check=False
    )


def test_the_hook_refuses_and_teaches(history: History) -> None:
    assert run_shipline(history.folder, "init", "--hooks").code == 0
    assert not (history.folder / "shipline.toml").exists()
    assert commit(history, "feat: plain").returncode == 0
    assert commit(history, "feat: début").returncode == 0
    refused = commit(history, "feature: Plain")
    assert refused.returncode == 1
    assert "write    feat: plain" in refused.stderr
    assert run_shipline(history.folder, "init", "--hooks").code == 4
    assert "hook: commit-msg checks messages" in run_shipline(history.folder, "doctor").out
    (history.folder / "shipline.toml").write_text("[lint.rules]\ntype-enum = [0]")
    assert "shipline init --hooks" in run_shipline(history.folder, "doctor").out
    assert run_shipline(history.folder, "init", "--hooks").code == 0
    assert commit(history, "feature: plain").returncode == 0


def test_another_s_hook_stays(history: History) -> None:
    hook = history.folder / ".git" / "hooks" / "commit-msg"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n")
    said = run_shipline(history.folder, "init", "--hooks")
    assert said.code == 3
    assert 'shipline lint --message-file "$1"' in said.err
    assert hook.read_text() == "#!/bin/sh\n"
    hook.unlink()
    hook.symlink_to("elsewhere")
    assert run_shipline(history.folder, "init", "--hooks").code == 3


@pytest.mark.parametrize(("folder", "place"), [(".husky/_", ".husky"), ("tools/hooks", "tools/hooks")])
def test_a_hook_that_is_committed_names_no_place_of_this_machine(history: History, folder: str, place: str) -> None:
    subprocess.run(["git", "config", "core.hooksPath", folder], cwd=history.folder, check=True)
    assert run_shipline(history.folder, "init", "--hooks").code == 0
    text = (history.folder / place / "commit-msg").read_text()
    assert "python=" not in text
    assert os.access(history.folder / place / "commit-msg", os.X_OK)
    assert str(ROOT) not in text
