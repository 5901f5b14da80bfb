"""The hook passes only what the rules pass, in every shell, plain messages without a program; others it hands on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipline.capabilities.plans.lint.cleanup import kept
from shipline.capabilities.plans.lint.hook import ASK, hook_script
from shipline.capabilities.plans.lint.judge import judge
from shipline.capabilities.plans.lint.message import plain
from shipline.capabilities.plans.lint.settings import read_rules
from tests.capabilities.plans.lint.messages import messages

SHELLS = [shell for shell in ("dash", "bash", "busybox", "ksh") if shutil.which(shell)]
BATCH = 40
RULE_SETS: dict[str, dict[str, Any]] = {
    "conventional": {},
    "scopes": {"scope-enum": [2, "always", ["core", "a"]], "scope-empty": [2, "never"]},
    "other lengths": {"header-max-length": [2, "always", 20], "body-max-line-length": [2, "always", 12]},
    "blank lines": {"body-leading-blank": [2, "always"], "footer-leading-blank": [2, "always"]},
    "types": {"type-enum": [2, "always", ["Feat", "wip", "x y", "docs"]], "type-case": [0]},
}
GOOD = {
    "a header": "feat: add a thing\n",
    "no line end": "fix(core)!: add a thing",
    "a body": "fix(a/b): add it\n\nAnd say why.\nIn two lines.\n\nCloses #12\nRefs: #13\nSigned-off-by: A <a@b.c>\n",
    "breaking": "feat: add\n\nBREAKING CHANGE: all\nRefs #12\n",
    "git's hints": "feat: add\n# Please enter the commit message for your changes. Lines starting\n"
    "# with '#' will be ignored, and an empty message aborts the commit.\n#\n# On branch main\n#\tmodified:   a\n",
    "scissors": "feat: add\n\n# ------------------------ >8 ------------------------\n# diff\n" + "x" * 500,
    "a merge": "Merge branch 'a' into b\n",
    "a fixup": "fixup! Whatever it was\n",
}


def script_of(rules: dict[str, Any], *, python: str = "") -> str:
    return hook_script(read_rules(rules), default_ignores=True, has_settings=False, python=python)


def glance_of(shell: str, script: str, contents: list[bytes], folder: Path) -> list[bool]:
    """Which of the messages the script passes without handing them on; many at once, since a process is slow."""
    function = script[: script.index(ASK.splitlines()[1].partition("@")[0])]
    for index, content in enumerate(contents):
        (folder / str(index)).write_bytes(content)
    loop = '\nfor name in "$@"; do if passes <"$name"; then printf 1; else printf 0; fi; done\n'
    (folder / "script").write_text(function + loop)
    command = [shell, *(["sh"] if shell == "busybox" else []), "script", *(str(each) for each in range(len(contents)))]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [each == "1" for each in done.stdout]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("rules", RULE_SETS.values(), ids=list(RULE_SETS))
def test_what_the_shell_passes_the_rules_pass(shell: str, rules: dict[str, Any], tmp_path: Path) -> None:
    """With comments taken away, as after an editor, and kept, as with `git commit -m`, and where ; begins comments."""
    script, read, passed = script_of(rules), read_rules(rules), [0]

    @settings(max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(st.one_of(messages, messages.map(lambda text: f"feat: a\n\n{text}")), min_size=BATCH, max_size=BATCH)
    )
    def check(texts: list[str]) -> None:
        contents = [text.encode("utf-8", "surrogatepass") for text in texts]
        for content, is_passed in zip(contents, glance_of(shell, script, contents, tmp_path), strict=True):
            if not is_passed:
                continue
            text = plain(content.decode("utf-8", "replace"))
            passed[0] += 1
            for config, editor in (("", "vi"), ("", ":"), ("core.commentchar ;", "vi"), ("commit.cleanup strip", ":")):
                wrong = [each.rule for each in judge(kept(text, config, editor), read) if each.is_error]
                assert wrong == [], (text, config, editor)

    check()
    assert passed[0] > 0, "it passes nothing, which proves nothing"


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("text", GOOD.values(), ids=list(GOOD))
def test_plain_messages_are_passed_without_any_program(shell: str, text: str, tmp_path: Path) -> None:
    assert glance_of(shell, script_of({}), [text.encode()], tmp_path) == [True]


@pytest.mark.parametrize("shell", SHELLS)
def test_bytes_of_any_kind_do_no_harm(shell: str, tmp_path: Path) -> None:
    odd = [b"", b"\n", b"\0", b"feat: a\0b", b"feat: a\r\n\r\nb\r\n", b"\xff\xfe", b"feat: caf\xe9\n", b"feat: a\tb"]
    odd += [
        b"x" * (1 << 20),
        b"feat: a\n\n" + b"x" * (1 << 20),
        b"feat: $(touch gone)`touch gone`\n",
        b"feat: a\\\nb\\n",
    ]
    passed = glance_of(shell, script_of({}), odd, tmp_path)
    assert [text for text, is_passed in zip(odd, passed, strict=True) if is_passed] == [
        text
        for text in odd
        if text in {b"feat: a\0b", b"feat: $(touch gone)`touch gone`\n"} and passed[odd.index(text)]
    ]
    assert not (tmp_path / "gone").exists()


def run_hook(folder: Path, script: str, message: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "commit-msg").write_text(script)
    (folder / "message").write_text(message)
    return subprocess.run(
        ["sh", "commit-msg", "message"],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_bad_message_is_refused_with_what_to_write(tmp_path: Path) -> None:
    done = run_hook(tmp_path, script_of({}, python=sys.executable), "feature: Add it.\n")
    assert done.returncode == 1
    assert "write    feat: add it" in done.stderr
    assert "git commit -e -F 'message'" in done.stderr


def test_a_good_message_beyond_plain_is_passed(tmp_path: Path) -> None:
    done = run_hook(tmp_path, script_of({}, python=sys.executable), "feat: début\n\nhttps://example.com/" + "x" * 120)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_rules_at_the_time_of_writing_hold(tmp_path: Path) -> None:
    rules = {"scope-enum": [2, "always", ["co're", "b"]], "references-empty": [2, "never"], "subject-case": [0]}
    script = script_of(rules, python=sys.executable)
    assert run_hook(tmp_path, script, "feat(co're): A\n\nCloses #1\n").returncode == 0
    done = run_hook(tmp_path, script, "feat(c): A\n")
    assert "known are co're, b" in done.stderr
    assert "[references-empty]" in done.stderr


def test_settings_that_are_newer_are_left_to_the_whole_program(tmp_path: Path) -> None:
    """As they are where the interpreter has gone."""
    script = script_of({}, python=sys.executable)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "shipline").write_text('#!/bin/sh\nprintf "%s\\n" "asked $*"\nexit 1\n')
    (tmp_path / "bin" / "shipline").chmod(0o755)
    path = f"{tmp_path}/bin:{os.environ['PATH']}"
    assert run_hook(tmp_path, script_of({}, python="/nonexistent"), "x\n", PATH=path).stdout == (
        "asked lint --message-file message\n"
    )
    (tmp_path / "shipline.toml").touch()
    done = run_hook(tmp_path, script, "feat: plain\n", PATH=path)
    assert (done.returncode, done.stdout) == (1, "asked lint --message-file message\n")


def test_a_hook_that_finds_no_shipline_refuses_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sh").symlink_to("/bin/sh")
    done = run_hook(tmp_path, script_of({}), "x\n", PATH=str(tmp_path / "bin"))
    assert done.returncode == 1
    assert "install it, or remove this hook" in done.stderr
