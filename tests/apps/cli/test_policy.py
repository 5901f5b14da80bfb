"""`shipline policy check` as a user runs it: its document, its table, its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shipline.clients.oci_layout import open_layout
from shipline.clients.oci_registry import OCIClient
from shipline.testing.fakes.signer import MemorySigner
from tests.command import run_shipline
from tests.images import make_layout
from tests.registries import RegistryMissing, docker_registry_in

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


def test_signed_images_are_told_from_others_where_registries_are_asked(tmp_path: Path) -> None:
    """By the key that is trusted; not without asking, and nobody else's signature counts."""
    key = ec.derive_private_key(7, ec.SECP256R1())
    (tmp_path / "own.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "own.key").chmod(0o600)
    (tmp_path / "other.pub").write_text(MemorySigner(2).public_key_pem())
    try:
        with docker_registry_in(tmp_path / "registry") as served:
            host = served.url.removeprefix("http://")
            images = []
            for name in ("good", "bad"):
                with open_layout(make_layout(tmp_path / name, content=name, platforms=("amd64",))) as layout:
                    images.append(f"{host}/team/{name}@{OCIClient(served.url, f'team/{name}', 10.0).push(layout)}")
            assert run_shipline(tmp_path, "sign", images[0], "--key", "own.key").code == 0
            for name, image in zip(("good", "bad"), images, strict=True):
                pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}}
                pod["spec"] = {"containers": [{"name": "a", "image": image}]}
                (tmp_path / f"{name}.json").write_text(json.dumps(pod))
            given = ("--resources", "good.json", "--resources", "bad.json")
            asked = ("policy", "check", "--set", "signed-images", "--json", *given, "--key")
            rows = {
                options: [
                    each["result"] for each in json.loads(run_shipline(tmp_path, *asked, *options).out)["results"]
                ]
                for options in (
                    ("own.key.pub", "--verify-images"),
                    ("other.pub", "--verify-images"),
                    ("other.pub", "--verify-images", "--key", "own.key.pub"),
                    ("own.key.pub",),
                )
            }
            served.stop()
            away = json.loads(run_shipline(tmp_path, *asked, "own.key.pub", "--verify-images").out)["results"]
    except RegistryMissing as missing:
        pytest.skip(str(missing))
    assert list(rows.values()) == [["pass", "fail"], ["fail", "fail"], ["pass", "fail"], ["error", "error"]]
    assert [each["result"] for each in away] == ["error", "error"]
    assert "cannot be reached" in away[0]["message"]
    assert run_shipline(tmp_path, *asked[:4], "--resources", "good.json").code == 2
