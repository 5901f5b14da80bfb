"""The file signer: the port's suite, and what it owes as the keeper of a key."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from shipline.domain.errors import ConfigurationError, RefusedError
from shipline.ports.provider import ProviderContext
from shipline.providers.signer.file import FileSigner
from shipline.testing.conformance.signer import SignerConformance


class StoppedClock:
    def now_us(self) -> int:
        return 0

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"a signer does not wait ({seconds} s)")


def signer_in(folder: Path, key: str = "") -> FileSigner:
    context = ProviderContext(root=folder, state=folder / "state", clock=StoppedClock())
    return FileSigner(FileSigner.Settings(key=key), context)


class TestFileSigner(SignerConformance):
    provider_name = "file"

    @pytest.fixture
    def signer(self, tmp_path: Path) -> FileSigner:
        return signer_in(tmp_path / "one")

    @pytest.fixture
    def another_signer(self, tmp_path: Path) -> FileSigner:
        return signer_in(tmp_path / "two")


def test_construction_touches_nothing(tmp_path: Path) -> None:
    """A constructor does no I/O: no key appears until one is needed."""
    signer_in(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    """The first use makes the key with mode 0600 and the public half beside it; later processes use the same key."""
    first = signer_in(tmp_path).key_id()
    assert stat.S_IMODE((tmp_path / "state" / "signing.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert signer_in(tmp_path).key_id() == first
    assert (tmp_path / "state" / "signing.key.pub").read_text() == signer_in(tmp_path).public_key_pem()
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["signing.key", "signing.key.pub"]


def test_key_may_stand_where_the_settings_say(tmp_path: Path) -> None:
    """`key` is relative to the repository's root."""
    signer_in(tmp_path, "keys/release.pem").key_id()
    assert (tmp_path / "keys" / "release.pem").exists()
    assert (tmp_path / "keys" / "release.pem.pub").exists()


def test_processes_that_race_agree_on_one_key(tmp_path: Path) -> None:
    """Eight signers with their first use at once end up with one key."""
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: signer_in(tmp_path).key_id(), range(8)))
    assert len(ids) == 1


def test_lost_public_half_is_written_again(tmp_path: Path) -> None:
    """The public half follows from the key; a missing or foreign one is mended."""
    pem = signer_in(tmp_path).public_key_pem()
    public = tmp_path / "state" / "signing.key.pub"
    public.write_text("something else")
    signer_in(tmp_path).key_id()
    assert public.read_text() == pem


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps rights in access lists")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_key_that_others_reach_is_refused(tmp_path: Path, mode: int) -> None:
    """A key that others may have read is not used."""
    signer_in(tmp_path).key_id()
    (tmp_path / "state" / "signing.key").chmod(mode)
    with pytest.raises(RefusedError, match="other users"):
        signer_in(tmp_path).sign(b"")


def private_pem(key: ec.EllipticCurvePrivateKey, password: bytes = b"") -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hunter2 is not a key",
        private_pem(ec.generate_private_key(ec.SECP384R1())),
        private_pem(ec.generate_private_key(ec.SECP256R1()), b"hunter2"),
    ],
    ids=["empty", "text", "other curve", "encrypted"],
)
def test_file_that_is_no_such_key_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    """What stands in the file is never quoted."""
    path = tmp_path / "state" / "signing.key"
    path.parent.mkdir()
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError) as caught:
        signer_in(tmp_path).key_id()
    assert "hunter2" not in caught.value.diagnosis()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_verifies_what_it_signed(tmp_path: Path) -> None:
    """`openssl dgst -sha256 -verify` accepts the signature with the public half, and refuses it for other bytes."""
    signer = signer_in(tmp_path)
    (tmp_path / "signature").write_bytes(signer.sign(b"payload"))
    (tmp_path / "good").write_bytes(b"payload")
    (tmp_path / "bad").write_bytes(b"payloaD")
    public = tmp_path / "state" / "signing.key.pub"
    for name, code in (("good", 0), ("bad", 1)):
        command = ["openssl", "dgst", "-sha256", "-verify", str(public), "-signature", "signature", name]
        assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == code
