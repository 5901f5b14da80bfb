"""Signatures by OpenSSH's own program, with real keys."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from shipline.clients.ssh_signatures import checked_public_key, is_signed, sign
from shipline.domain.errors import ConfigurationError, ShiplineError

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")


def new_key(folder: Path, name: str, kind: str = "ed25519") -> Path:
    """A private key without passphrase, its public half beside it."""
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", name, "-f", str(path)], check=True)
    return path


def public(key: Path) -> str:
    return key.with_name(f"{key.name}.pub").read_text()


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_signature_holds_for_its_key_its_bytes_and_its_purpose(tmp_path: Path, kind: str) -> None:
    mine, other = new_key(tmp_path, "mine", kind), new_key(tmp_path, "other", kind)
    made = sign(b"yes", key=mine, namespace="approval")
    assert is_signed(b"yes", made, public_key=public(mine), namespace="approval")
    assert not is_signed(b"yes", made, public_key=public(other), namespace="approval")
    assert not is_signed(b"yes.", made, public_key=public(mine), namespace="approval")
    assert not is_signed(b"yes", made, public_key=public(mine), namespace="git")


@pytest.mark.parametrize(
    "wrong", ["", "nonsense", "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n", "x" * 50_000]
)
def test_what_is_no_signature_holds_for_nothing(tmp_path: Path, wrong: str) -> None:
    assert not is_signed(b"yes", wrong, public_key=public(new_key(tmp_path, "mine")), namespace="approval")


def test_a_key_that_is_not_there_or_is_locked_says_so(tmp_path: Path) -> None:
    with pytest.raises(ShiplineError, match="nobody did not sign"):
        sign(b"yes", key=tmp_path / "nobody", namespace="approval")
    locked = tmp_path / "locked"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "a passphrase", "-f", str(locked)], check=True)
    with pytest.raises(ShiplineError, match="locked did not sign"):
        sign(b"yes", key=locked, namespace="approval")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        'command="x" ssh-ed25519 ' + "A" * 60,
        "ssh-dss " + "A" * 60,
        "ssh-ed25519 " + "A" * 60 + ";x",
    ],
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        checked_public_key(text)


def test_a_comment_is_left_out(tmp_path: Path) -> None:
    key = public(new_key(tmp_path, "mine"))
    assert checked_public_key(key) == " ".join(key.split()[:2])
