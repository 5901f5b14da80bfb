"""`shipline policy check` as a user runs it: its document, its table, its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

POLICY = """
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: require-label}
spec:
  validationFailureAction: Enforce
  rules:
    - name: app
      match: {any: [{resources: {kinds: [ConfigMap]}}]}
      validate: {message: "an app is named", pattern: {metadata: {labels: {app: "?*"}}}}
"""
MAPS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: good, labels: {app: a}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: bad}
"""


def shipline(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = "from shipline.apps.cli.main import main; main()"
    command = [sys.executable, "-c", program, "policy", "check", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert "Traceback" not in done.stderr
    return done


def test_the_document_and_the_table_say_what_failed_where(tmp_path: Path) -> None:
    """The contract's shape; the same for people, with the place and the words."""
    (tmp_path / "p.yaml").write_text(POLICY)
    (tmp_path / "r.yaml").write_text(MAPS)
    named = ("--policy", "p.yaml", "--resources", "r.yaml")
    done = shipline(tmp_path, *named, "--json", "--sarif", "o.sarif")
    found = json.loads(done.stdout)
    assert (done.returncode, found["schema"]) == (3, "shipline.policy-check/1")
    rows = [(row["policy"], row["rule"], row["resource"], row["result"]) for row in found["results"]]
    assert rows == [
        ("require-label", "app", "default/ConfigMap/good", "pass"),
        ("require-label", "app", "default/ConfigMap/bad", "fail"),
    ]
    assert len(json.loads((tmp_path / "o.sarif").read_text())["runs"][0]["results"]) == 1
    table = shipline(tmp_path, ".")
    assert table.returncode == 3
    assert "require-label  app   default/ConfigMap/bad   fail\n    an app is named" in table.stdout
    assert "(r.yaml:6)" in table.stdout
    (tmp_path / "r.yaml").write_text(MAPS.split("---", maxsplit=1)[0])
    assert shipline(tmp_path, ".").returncode == 0


def test_what_cannot_be_read_or_asked_is_told_apart(tmp_path: Path) -> None:
    """2 for broken input, 3 for a policy that is refused by name."""
    (tmp_path / "p.yaml").write_text(
        POLICY.replace("validate:", "verifyImages: [{imageReferences: ['*']}]\n      validate:")
    )
    (tmp_path / "r.yaml").write_text(MAPS)
    refused = shipline(tmp_path, ".")
    assert refused.returncode == 3
    assert "not evaluated: verifyImages" in refused.stdout
    (tmp_path / "r.yaml").write_text("a: [")
    broken = shipline(tmp_path, ".")
    assert broken.returncode == 2
    assert "r.yaml cannot be read as YAML" in broken.stderr
    assert shipline(tmp_path, "absent").returncode == 2
