"""`sign`, `attest` and `verify` of files and images as a user runs them: words, documents and exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shipline.clients.oci_layout import open_layout
from shipline.clients.oci_registry import OCIClient
from shipline.testing.fakes.signer import MemorySigner
from tests.command import Said, run_shipline
from tests.images import make_layout
from tests.registries import RegistryMissing, docker_registry_in


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is no project, with a private key, a stranger's public one and a file."""
    key = ec.derive_private_key(7, ec.SECP256R1())
    (tmp_path / "own.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "own.key").chmod(0o600)
    (tmp_path / "other.pub").write_text(MemorySigner(2).public_key_pem())
    (tmp_path / "a.bin").write_bytes(b"hello")
    (tmp_path / "predicate.json").write_text('{"by": "me"}')
    return tmp_path


@pytest.fixture
def image(folder: Path) -> Iterator[str]:
    """An image's name by tag, in a registry that runs."""
    try:
        with docker_registry_in(folder / "registry") as served:
            client = OCIClient(served.url, "team/quotes", 10.0)
            with open_layout(make_layout(folder / "layout", platforms=("amd64",))) as layout:
                client.tag(client.push(layout), "1.0")
            yield f"{served.url.removeprefix('http://')}/team/quotes:1.0"
    except RegistryMissing as missing:
        pytest.skip(str(missing))


def sign(folder: Path, *arguments: str) -> Said:
    return run_shipline(folder, "sign", *arguments, "--key", "own.key")


def test_a_file_is_signed_and_proven(folder: Path) -> None:
    """By the key that is trusted alone; another file, or none at all, is not."""
    said = sign(folder, "a.bin", "--json")
    found = json.loads(said.out)
    assert (found["schema"], found["signed"][0]["written"]) == (
        "shipline.signatures/1",
        ["a.bin.sig", "a.bin.sigstore.json"],
    )
    assert found["public_key"].endswith("own.key.pub")
    assert "needs " in sign(folder, "a.bin").out.splitlines()[-1]
    verify = ("verify", "a.bin", "--signature", "a.bin.sig")
    said = run_shipline(folder, *verify, "--key", "own.key.pub", "--json")
    assert (said.code, json.loads(said.out)["keys"]) == (0, [found["key"]])
    assert run_shipline(folder, "verify", "a.bin", "--key", "own.key.pub").code == 0
    assert run_shipline(folder, *verify, "--key", "other.pub").code == 3
    assert run_shipline(folder, *verify).code == 3
    (folder / "a.bin").write_bytes(b"hellO")
    assert run_shipline(folder, *verify, "--key", "own.key.pub").code == 3


def test_an_image_is_signed_stated_and_proven_by_the_digest_that_its_tag_names_now(folder: Path, image: str) -> None:
    """The digest is said. A tag that moves on takes no signature with it."""
    said = sign(folder, image)
    assert said.code == 0, said
    assert f"{image} names sha256:" in said.out
    trusted = ("--key", "own.key.pub")
    assert run_shipline(folder, "verify", f"oci://{image}", *trusted).code == 0
    assert run_shipline(folder, "verify", image, "--key", "other.pub").code == 3
    attest = ("attest", image, "--predicate", "predicate.json", "--type", "vuln", "--key", "own.key")
    assert run_shipline(folder, *attest).code == 0
    assert "there already" in run_shipline(folder, *attest).out
    assert run_shipline(folder, "verify", image, "--type", "vuln", *trusted).code == 0
    assert run_shipline(folder, "verify", image, "--type", "openvex", *trusted).code == 3
    host, _, _ = image.partition("/")
    client = OCIClient(f"http://{host}", "team/quotes", 10.0)
    with open_layout(make_layout(folder / "evil", content="evil", platforms=("amd64",))) as layout:
        client.tag(client.push(layout), "1.0")
    assert run_shipline(folder, "verify", image, *trusted).code == 3


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("sign", "a.bin"), 2),  # No project, no key.
        (("sign", "a.bin", "--key", "absent"), 2),
        (("sign", "a.bin", "--key", "a.bin"), 3),  # Everybody could read it.
        (("sign", "absent", "--key", "own.key"), 2),
        (("sign", "oci://a", "--key", "own.key"), 2),
        (("sign", "localhost:1/a:1", "--key", "own.key"), 1),
        (("attest", "a.bin", "--predicate", "predicate.json", "--type", "what", "--key", "own.key"), 2),
        (("attest", "a.bin", "--predicate", "a.bin", "--type", "vuln", "--key", "own.key"), 2),
        (("verify", "localhost:1/a:1", "--key", "other.pub"), 1),
        (("verify", "localhost:1/a:1", "--signature", "a.bin", "--key", "other.pub"), 2),
        (("verify", "a.bin", "--key", "other.pub"), 2),
        (("verify", "a.bin", "--signature", "predicate.json", "--key", "other.pub"), 2),
        (("verify", "a.bin", "--artifact", "a.bin", "--key", "other.pub"), 2),
        (("verify", "absent", "--key", "other.pub"), 2),
    ],
)
def test_what_cannot_be_done_is_told_and_never_ends_with_0(folder: Path, arguments: tuple[str, ...], code: int) -> None:
    """And leaves no key and no state behind."""
    before = sorted(folder.iterdir())
    said = run_shipline(folder, *arguments)
    assert (said.code, said.out) == (code, ""), said
    assert said.err
    assert [path for path in sorted(folder.iterdir()) if path not in before and path.suffix != ".pub"] == []


def test_a_name_that_may_be_both_is_refused(folder: Path) -> None:
    """A file that is called as an image is, tag and all, is neither signed nor proven in its stead."""
    (folder / "greet-0.1.0").mkdir()
    for name in ("a", "a:1.0"):
        (folder / "greet-0.1.0" / name).write_bytes(b"hello")
    assert sign(folder, "greet-0.1.0/a").code == 0
    said = sign(folder, "greet-0.1.0/a:1.0")
    assert said.code == 2
    assert "./greet-0.1.0/a:1.0" in said.err
    assert sign(folder, "./greet-0.1.0/a:1.0").code == 0


def test_the_project_s_own_signer_signs(folder: Path) -> None:
    """Its key may be an encrypted one, whose password is a secret; its public half is trusted in the project."""
    settings = 'schema = 1\n[signer]\nprovider = "cosign-key"\nkey = "team.key"\npassword = { environment = "P" }\n'
    (folder / "shipline.toml").write_text(settings)
    said = run_shipline(folder, "sign", "a.bin", extra={"P": "hunter2"})
    assert said.code == 0, said
    assert "ENCRYPTED SIGSTORE" in (folder / "team.key").read_text()
    assert run_shipline(folder, "verify", "a.bin").code == 0
    assert run_shipline(folder, "sign", "a.bin", "--key", "team.key", extra={"COSIGN_PASSWORD": "hunter2"}).code == 0
    said = run_shipline(folder, "sign", "a.bin", "--key", "team.key", extra={"COSIGN_PASSWORD": None})
    assert (said.code, "COSIGN_PASSWORD is not set" in said.err) == (2, True), said
    said = run_shipline(folder, "sign", "a.bin", extra={"P": "hunter3"})
    assert (said.code, "hunter" in said.err) == (2, False)
    assert "does not open" in said.err
    (folder / "shipline.toml").write_text(settings.replace("environment", "environmen"))
    assert "the password" in run_shipline(folder, "sign", "a.bin").err


def test_a_summary_proves_what_it_says_and_no_more(folder: Path) -> None:
    """Its result, its level and its resource; a summary that says FAILED proves nothing, whoever signed it."""
    predicate = {
        "verifier": {"id": "urn:example:verifier"},
        "resourceUri": "pkg:generic/a@1",
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_2", "SLSA_SOURCE_LEVEL_1"],
    }
    (folder / "vsa.json").write_text(json.dumps(predicate))
    state = ("attest", "a.bin", "--predicate", "vsa.json", "--type", "vsa", "--key", "own.key")
    assert run_shipline(folder, *state).code == 0
    ask = ("verify", "a.bin", "--key", "own.key.pub", "--vsa")
    said = run_shipline(folder, *ask, "--level", "SLSA_BUILD_LEVEL_1", "--resource", "pkg:generic/a@1")
    assert said.code == 0, said
    assert "was verified as pkg:generic/a@1 by urn:example:verifier: PASSED, SLSA_BUILD_LEVEL_2" in said.out
    assert "--resource" not in said.out
    assert "compared with nothing; name the one that you mean with --resource" in run_shipline(folder, *ask).out
    for more in (("--level", "SLSA_BUILD_LEVEL_3"), ("--level", "SLSA_DEPENDENCY_LEVEL_1"), ("--resource", "pkg:x/y")):
        assert run_shipline(folder, *ask, *more).code == 3
    assert run_shipline(folder, "verify", "a.bin", "--key", "other.pub", "--vsa").code == 3
    for wrong in ((*ask, "--level", "high"), (*ask[:-1], "--level", "SLSA_BUILD_LEVEL_1"), (*ask, "--type", "vuln")):
        assert run_shipline(folder, *wrong).code == 2
    (folder / "vsa.json").write_text(json.dumps(predicate | {"verificationResult": "FAILED"}))
    assert run_shipline(folder, *state).code == 0
    assert run_shipline(folder, *ask).code == 3
    assert run_shipline(folder, *ask[:-1], "--type", "vsa").code == 3
