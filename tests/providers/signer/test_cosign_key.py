"""The signer with an encrypted key: the port's suite, cosign itself as the witness, and files that hold no such key."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shipline.clients.cosign_keys import LABEL, OLDER_LABEL, decrypt
from shipline.domain.errors import ConfigurationError, InvalidValue, RefusedError, ShiplineError
from shipline.ports.provider import ProviderContext
from shipline.providers.signer.cosign_key import CosignKeySigner
from shipline.testing.conformance.signer import SignerConformance
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.secrets import MemorySecrets
from tests.debian13 import WitnessMissing, cosign

PASSWORD = "hunter2 für Größe"


def signer_in(folder: Path, password: str = PASSWORD, key: str = "cosign.key") -> CosignKeySigner:
    """The password is a secret of the name `P`; "" is none at all."""
    secrets = MemorySecrets({"P": password})
    context = ProviderContext(
        root=folder,
        state=folder / "state",
        clock=FakeClock(),
        read_secret=lambda table: secrets.read(table["environment"]),
    )
    table = {"environment": "P"} if password else {}
    return CosignKeySigner(CosignKeySigner.Settings(key=key, password=table), context)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key of ours, which nobody changes: each use of a password takes 64 MiB and a moment."""
    folder = tmp_path_factory.mktemp("kept")
    signer_in(folder).key_id()
    return folder


@pytest.fixture(scope="module")
def first(kept: Path) -> CosignKeySigner:
    return signer_in(kept)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> CosignKeySigner:
    return signer_in(tmp_path_factory.mktemp("second"))


class TestCosignKeySigner(SignerConformance):
    provider_name = "cosign-key"

    @pytest.fixture
    def signer(self, first: CosignKeySigner) -> CosignKeySigner:
        return first

    @pytest.fixture
    def another_signer(self, second: CosignKeySigner) -> CosignKeySigner:
        return second


def run_cosign(folder: Path, *arguments: str, password: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    try:
        program = cosign()
    except WitnessMissing as missing:
        pytest.skip(str(missing))
    environment = os.environ | {"COSIGN_PASSWORD": password, "HOME": str(folder)}
    return subprocess.run(
        [*program, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_cosign_reads_the_key_that_we_made(kept: Path) -> None:
    """With the password, and with no other."""
    done = run_cosign(kept, "public-key", "--key", "cosign.key")
    assert done.stdout == (kept / "cosign.pub").read_text(), done.stderr
    assert run_cosign(kept, "public-key", "--key", "cosign.key", password="x").returncode != 0


def test_we_read_the_key_that_cosign_made(tmp_path: Path) -> None:
    """The public half is the same, and stands where cosign put it."""
    assert run_cosign(tmp_path, "generate-key-pair").returncode == 0
    assert signer_in(tmp_path).public_key_pem() == (tmp_path / "cosign.pub").read_text()


def test_a_key_without_a_password_is_read_if_its_owner_alone_can(tmp_path: Path) -> None:
    """Then its mode is all that protects it."""
    assert run_cosign(tmp_path, "generate-key-pair", password="").returncode == 0
    assert signer_in(tmp_path, "").public_key_pem() == (tmp_path / "cosign.pub").read_text()
    (tmp_path / "cosign.key").chmod(0o644)
    with pytest.raises(RefusedError, match="other users"):
        signer_in(tmp_path, "").key_id()


def test_none_is_made_without_a_password(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no signing key") as refused:
        signer_in(tmp_path, "").key_id()
    assert "password" in refused.value.todo
    assert list(tmp_path.iterdir()) == []


def test_a_missing_password_is_told_in_words(tmp_path: Path) -> None:
    context = ProviderContext(tmp_path, tmp_path, FakeClock(), read_secret=lambda _: MemorySecrets({}).read("P"))
    settings = CosignKeySigner.Settings("cosign.key", {"environment": "P"})
    with pytest.raises(ConfigurationError, match="password of the signing key"):
        CosignKeySigner(settings, context).key_id()


def document_of(key: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode("".join(key.read_text().splitlines()[1:-1])))
    return found


def pem_of(document: dict[str, Any], label: str = LABEL) -> bytes:
    body = base64.b64encode(json.dumps(document).encode()).decode()
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode()


def test_the_older_label_is_read_too(kept: Path) -> None:
    """And the file is written with the newer one, in the shape that the format has."""
    document = document_of(kept / "cosign.key")
    assert decrypt(pem_of(document, OLDER_LABEL), PASSWORD)
    assert document["kdf"]["params"] == {"N": 65536, "r": 8, "p": 1}
    assert len(base64.b64decode(document["kdf"]["salt"])) == 32


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "too dear": lambda found: found["kdf"]["params"].update(N=1 << 30),
    "too cheap": lambda found: found["kdf"]["params"].update(N=2),
    "other lanes": lambda found: found["kdf"]["params"].update(p=16),
    "other kdf": lambda found: found["kdf"].update(name="pbkdf2"),
    "no salt": lambda found: found["kdf"].pop("salt"),
    "other cipher": lambda found: found["cipher"].update(name="aes"),
    "short nonce": lambda found: found["cipher"].update(nonce="AAAA"),
    "no base64": lambda found: found.update(ciphertext="-"),
    "no ciphertext": lambda found: found.pop("ciphertext"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_no_such_key_is_refused_before_any_memory_is_taken(kept: Path, name: str) -> None:
    document = document_of(kept / "cosign.key")
    CHANGES[name](document)
    with pytest.raises(InvalidValue):
        decrypt(pem_of(document), PASSWORD)


def test_a_wrong_password_and_changed_bytes_open_nothing(kept: Path) -> None:
    """Neither the password nor the key is in the words."""
    document = document_of(kept / "cosign.key")
    sealed = bytearray(base64.b64decode(document["ciphertext"]))
    sealed[20] ^= 1
    changed = pem_of(document | {"ciphertext": base64.b64encode(sealed).decode()})
    short = pem_of(document | {"ciphertext": ""})
    for data, password in (((kept / "cosign.key").read_bytes(), "hunter3"), (changed, PASSWORD), (short, PASSWORD)):
        with pytest.raises(ConfigurationError) as refused:
            decrypt(data, password)
        assert "hunter" not in refused.value.diagnosis()


@pytest.mark.parametrize("content", [b"", b"\xff" * 100, b"-----BEGIN PRIVATE KEY-----\nAAAA\n", pem_of({}) * 2])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cosign.key").write_bytes(content)
    with pytest.raises(ShiplineError, match="no encrypted private key"):
        signer_in(tmp_path).key_id()
