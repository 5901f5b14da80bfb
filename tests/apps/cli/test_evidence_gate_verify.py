"""`evidence read`, `gate eval` and `verify` as a user runs them: their documents and their exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.evidence import (
    IN_TOTO,
    Build,
    BundleContents,
    make_bundle,
    sign_envelope,
    statement_of_provenance,
)
from shipline.domain.artifact import Artifact
from shipline.testing.fakes.signer import MemorySigner

JUNIT = '<testsuite><testcase name="a"/><testcase name="b"><failure message="no"/></testcase></testsuite>'
POLICY = '[[gate]]\nname = "g"\nrule = "findings.critical == 0 && coverage.line >= 90.0"\n'
ARTIFACT = Artifact("a.whl", "wheel", "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", 5)


def shipline(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in `folder`; every way to end is through words, never a traceback."""
    program = "from shipline.apps.cli.main import main; main()"
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert "Traceback" not in done.stderr
    assert "unexpected" not in done.stderr
    return done


def document(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


def test_evidence_read_shows_figures_and_the_document(tmp_path: Path) -> None:
    """The contract's shape with --json, a few lines without; a file that is no report is a usage error."""
    (tmp_path / "junit.xml").write_text(JUNIT)
    found = document(shipline(tmp_path, "evidence", "read", "junit.xml", "--json"))
    assert list(found) == ["schema", "kind", "tool", "format", "summary", "notes", "items"]
    assert (found["schema"], found["kind"], found["format"]) == ("shipline.evidence/1", "tests", "junit")
    assert {"total": 2, "passed": 1, "failed": 1, "errors": 0, "skipped": 0}.items() <= found["summary"].items()
    assert "failed            1" in shipline(tmp_path, "evidence", "read", "junit.xml").stdout
    (tmp_path / "other").write_bytes(b"\x00" * 10)
    for name in ("other", "absent", "."):
        assert shipline(tmp_path, "evidence", "read", name).returncode == 2


def test_what_a_report_says_steers_no_terminal(tmp_path: Path) -> None:
    """Neither by the tool's name nor by what is listed; as a document it is the same text, escaped."""
    creator, name = "Tool: a\x1b]0;b\x07", "c\u009b31m\u202ed"
    bill = {"spdxVersion": "SPDX-2.3", "SPDXID": "x", "creationInfo": {"creators": [creator]}}
    (tmp_path / "bill.json").write_text(json.dumps(bill | {"packages": [{"name": name}]}))
    assert "\x1b" not in shipline(tmp_path, "evidence", "read", "bill.json").stdout
    written = shipline(tmp_path, "evidence", "read", "bill.json", "--json")
    assert not {"\x1b", "\u009b", "\u202e"} & set(written.stdout)
    assert document(written)["items"][0]["name"] == name
    (tmp_path / "half.json").write_text('[{"Name": "\\ud800", "Version": "1", "License": "MIT"}]')
    assert shipline(tmp_path, "evidence", "read", "half.json", "--json").returncode == 2


def test_evidence_compare_shows_what_changed_and_tells_gates(tmp_path: Path) -> None:
    """A test that is gone, in a few lines or as a document, whose facts a gate can be asked about."""
    (tmp_path / "base.xml").write_text(JUNIT)
    (tmp_path / "head.xml").write_text('<testsuite name="s"><testcase classname="c" name="new"/></testsuite>')
    shown = shipline(tmp_path, "evidence", "compare", "base.xml", "head.xml")
    assert shown.returncode == 0
    assert "vanished            2" in shown.stdout
    assert "appeared  new (c)" in shown.stdout
    found = document(shipline(tmp_path, "evidence", "compare", "base.xml", "head.xml", "--json"))
    assert list(found) == ["schema", "kind", "base", "head", "summary", "facts", "notes", "items"]
    assert found["schema"] == "shipline.evidence-comparison/1"
    (tmp_path / "facts.json").write_text(json.dumps(found["facts"]))
    (tmp_path / "policy.toml").write_text("[[gate]]\nname = 'kept'\nrule = 'tests.vanished == 0'\n")
    assert shipline(tmp_path, "gate", "eval", "--policy", "policy.toml", "--facts", "facts.json").returncode == 3
    assert shipline(tmp_path, "evidence", "compare", "base.xml", "head.xml", "--diff", "facts.json").returncode == 2


@pytest.mark.parametrize(
    ("facts", "verdict", "code"),
    [
        ('{"findings": {"critical": 0}, "coverage": {"line": 95.0}}', "PASS", 0),
        ('{"findings": {"critical": 1}, "coverage": {"line": 95.0}}', "FAIL", 3),
        ('{"findings": {"critical": 0}}', "UNKNOWN", 3),
    ],
)
def test_gate_eval_answers_with_its_exit_code(tmp_path: Path, facts: str, verdict: str, code: int) -> None:
    """0 for PASS alone; FAIL and UNKNOWN refuse."""
    (tmp_path / "policy.toml").write_text(POLICY)
    (tmp_path / "facts.json").write_text(facts)
    done = shipline(tmp_path, "gate", "eval", "--policy", "policy.toml", "--facts", "facts.json", "--json")
    assert (document(done)["verdict"], done.returncode) == (verdict, code)
    assert document(done)["reasons"]


@pytest.mark.parametrize(
    ("policy", "facts"),
    [
        (POLICY.replace("critical", "critcal"), "{}"),
        ("", "{}"),
        (POLICY, "[]"),
        (POLICY, "{"),
        (POLICY, '{"findings": {"critcal": 0}}'),
        (POLICY, '{"coverage": {"line": NaN}}'),
    ],
)
def test_gate_eval_refuses_what_is_not_right(tmp_path: Path, policy: str, facts: str) -> None:
    """A misspelt fact, an empty policy, facts of no shape: 2, and words."""
    (tmp_path / "policy.toml").write_text(policy)
    (tmp_path / "facts.json").write_text(facts)
    done = shipline(tmp_path, "gate", "eval", "--policy", "policy.toml", "--facts", "facts.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle and two keys beside it, in a folder that is no project."""
    signer, commit = MemorySigner(1), "c" * 40
    build = Build("quotes", "1.0", "", commit, "urn:x", "rel_1/1", 0, 0)
    envelope = sign_envelope(statement_of_provenance([ARTIFACT], build), IN_TOTO, signer)
    contents = BundleContents("quotes", "1.0", "v1.0", commit, 0, (ARTIFACT,), {"provenance.json": envelope})
    (tmp_path / "bundle.tar").write_bytes(make_bundle(contents, signer))
    (tmp_path / "good.pub").write_text(signer.public_key_pem())
    (tmp_path / "other.pub").write_text(MemorySigner(2).public_key_pem())
    (tmp_path / "a.whl").write_text("hello")
    return tmp_path


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--key", "good.pub"), 0),
        (("--key", "other.pub", "--key", "good.pub", "--artifact", "a.whl"), 0),
        (("--key", "good.pub", "--artifact", "good.pub"), 3),
        (("--key", "other.pub"), 3),
        ((), 3),
        (("--key", "a.whl"), 2),
        (("--key", "absent"), 2),
        (("--key", "good.pub", "--artifact", "absent"), 2),
    ],
)
def test_verify_ends_with_0_only_if_proven(bundle: Path, options: tuple[str, ...], code: int) -> None:
    """3 where it is not proven, without any key too; 2 where something cannot be read."""
    assert shipline(bundle, "verify", "bundle.tar", *options).returncode == code
    assert not (bundle / ".shipline").exists()


def test_verify_says_what_is_proven(bundle: Path) -> None:
    """In words, and as a document; a file that is no bundle is an error."""
    text = shipline(bundle, "verify", "bundle.tar", "--key", "good.pub").stdout
    assert "every artifact was built from commit cccccccccccc" in text
    assert text.endswith("proven\n")
    found = document(shipline(bundle, "verify", "bundle.tar", "--key", "other.pub", "--json"))
    assert (found["schema"], found["proven"], found["trusted"]) == ("shipline.verification/1", False, ["other.pub"])
    assert shipline(bundle, "verify", "good.pub", "--key", "good.pub").returncode == 2


def test_verify_trusts_the_projects_own_key(bundle: Path) -> None:
    """Inside a project the key that its settings name is the trusted one."""
    (bundle / "shipline.toml").write_text('schema = 1\n[signer]\nkey = "good"\n')
    done = shipline(bundle, "verify", "bundle.tar")
    assert (done.returncode, "good.pub" in done.stdout) == (0, True)
    (bundle / "shipline.toml").write_text('schema = 1\n[signer]\nkey = "other"\n')
    assert shipline(bundle, "verify", "bundle.tar").returncode == 3
