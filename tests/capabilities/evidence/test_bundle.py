"""Bundles: what they prove, what they do not, and that no byte can be changed."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.evidence.archive import pack, unpack
from shipline.capabilities.evidence.bundle import BundleContents, digest_of, make_bundle, read_bundle
from shipline.capabilities.evidence.checks import Verification
from shipline.capabilities.evidence.dsse import IN_TOTO, sign_envelope
from shipline.capabilities.evidence.keys import PublicKey, read_public_key
from shipline.capabilities.evidence.reports import read_report_bytes
from shipline.capabilities.evidence.statements import (
    Build,
    statement_of_provenance,
    statement_of_sbom,
    statement_of_tests,
)
from shipline.capabilities.evidence.usecases import verify_bundle
from shipline.capabilities.evidence.verification import verify
from shipline.domain.artifact import Artifact
from shipline.domain.errors import InvalidValue
from shipline.testing.fakes.signer import MemorySigner

SIGNER, STRANGER = MemorySigner(1), MemorySigner(2)
WHEEL_BYTES = b"the wheel's bytes"
WHEEL = Artifact("quotes-1.0-py3-none-any.whl", "wheel", digest_of(WHEEL_BYTES), len(WHEEL_BYTES))
COMMIT = "c" * 40
BUILD = Build("quotes", "1.0", "", COMMIT, "urn:x", "rel_1/1", 0, 0)
JUNIT = b'<testsuite><testcase name="a"/></testsuite>'
SBOM = b'{"bomFormat": "CycloneDX", "components": [{"name": "click"}]}'


def key_of(signer: MemorySigner) -> PublicKey:
    return read_public_key(signer.public_key_pem().encode())


def contents(signer: MemorySigner = SIGNER, *, junit: bytes = JUNIT, build: Build = BUILD) -> BundleContents:
    report = read_report_bytes(junit)
    statements = {
        "provenance.json": statement_of_provenance([WHEEL], build),
        "tests.json": statement_of_tests([WHEEL], report, report_name="junit.xml", digest=digest_of(junit)),
        "sbom.json": statement_of_sbom([WHEEL], SBOM),
    }
    return BundleContents(
        package="quotes",
        version="1.0",
        tag="v1.0",
        commit=COMMIT,
        created_us=1_700_000_000_000_000,
        artifacts=(WHEEL,),
        envelopes={name: sign_envelope(payload, IN_TOTO, signer) for name, payload in statements.items()},
        reports={"junit.xml": junit},
        documents={"plan.json": b"{}"},
        sbom=SBOM,
        checkpoint=b"log\n1\n",
    )


def verified(data: bytes, *keys: PublicKey, artifacts: Mapping[str, str] | None = None) -> Verification:
    return verify(read_bundle(data), keys or (key_of(SIGNER),), artifacts or {})


def failed(verification: Verification) -> set[str]:
    assert verification.proven == all(check.ok for check in verification.checks)
    return {check.name for check in verification.checks if not check.ok}


def test_whole_bundle_is_proven_in_words() -> None:
    """Every check holds and says what it saw; what nobody looked at is noted."""
    verification = verified(make_bundle(contents(), SIGNER))
    words = {check.name: check.words for check in verification.checks}
    assert verification.proven
    assert verification.keys == (SIGNER.key_id(),)
    assert "quotes 1.0 is commit cccccccccccc and 1 artifact" in words["manifest"]
    assert words["provenance"].endswith("claims SLSA_BUILD_LEVEL_1")
    assert words["tests"] == "1 test passed, 0 failed"
    assert words["sbom"] == "the signed SBOM lists 1 dependency"
    assert len(verification.notes) == 2


def test_bundle_is_deterministic() -> None:
    """The same contents and signer give the same bytes."""
    assert make_bundle(contents(), SIGNER) == make_bundle(contents(), SIGNER)


def test_key_inside_proves_nothing() -> None:
    """Without a key from elsewhere the bundle is not proven, and says which key it claims."""
    verification = verify(read_bundle(make_bundle(contents(), SIGNER)), (), {})
    assert failed(verification) == {"trusted key"}
    assert SIGNER.key_id() in verification.notes[0]


def test_another_makers_bundle_is_not_proven() -> None:
    """All is consistent, but by a key that nobody trusts; nothing else that it says is repeated."""
    verification = verified(make_bundle(contents(STRANGER), STRANGER), key_of(SIGNER))
    assert [check.name for check in verification.checks if not check.ok] == ["manifest"]
    assert len(verification.checks) == 1
    assert verification.notes == (f"the bundle says that it was signed by the key {STRANGER.key_id()}",)


def test_trusted_makers_manifest_does_not_vouch_for_strangers() -> None:
    """Statements by a key that nobody trusts stay unproven in a manifest that somebody trusts."""
    data = make_bundle(contents(STRANGER), SIGNER)
    assert {"statements", "provenance"} <= failed(verified(data, key_of(SIGNER)))


def test_stranger_cannot_add_a_statement() -> None:
    """One envelope by a stranger in a trusted manifest: not proven."""
    strange = sign_envelope(statement_of_provenance([WHEEL], BUILD), IN_TOTO, STRANGER)
    mixed = replace(contents(), envelopes={**contents().envelopes, "z.json": strange})
    assert failed(verified(make_bundle(mixed, SIGNER))) == {"statements"}


def test_statements_must_fit_the_release() -> None:
    """Provenance of another commit, statements on other artifacts, failed tests, a swapped SBOM, none at all."""
    good = contents()
    other = replace(WHEEL, digest="sha256:" + "0" * 64)
    cases = {
        "provenance": contents(build=replace(BUILD, commit="d" * 40)),
        "subjects": replace(good, artifacts=(other,)),
        "tests": contents(junit=b'<testsuite><testcase name="a"><failure/></testcase></testsuite>'),
        "sbom": replace(good, sbom=b'{"bomFormat": "CycloneDX"}'),
        "statements": replace(good, envelopes={}),
    }
    for name, wrong in cases.items():
        assert name in failed(verified(make_bundle(wrong, SIGNER))), name


def test_artifacts_at_hand_are_compared(tmp_path: Path) -> None:
    """The very bytes are of this release; others are not."""
    (tmp_path / "bundle").write_bytes(make_bundle(contents(), SIGNER))
    (tmp_path / "wheel").write_bytes(WHEEL_BYTES)
    (tmp_path / "other").write_bytes(b"other")
    keys = [key_of(SIGNER)]
    assert verify_bundle(tmp_path / "bundle", keys, [tmp_path / "wheel"]).proven
    assert failed(verify_bundle(tmp_path / "bundle", keys, [tmp_path / "wheel", tmp_path / "other"])) == {"artifact"}


def test_a_pipe_is_no_artifact(tmp_path: Path) -> None:
    """Nobody may ever write to it: reading would not end."""
    (tmp_path / "bundle").write_bytes(make_bundle(contents(), SIGNER))
    os.mkfifo(tmp_path / "wheel")
    writer = os.open(tmp_path / "wheel", os.O_RDWR)
    try:
        with pytest.raises(InvalidValue, match="no plain file"):
            verify_bundle(tmp_path / "bundle", [key_of(SIGNER)], [tmp_path / "wheel"])
    finally:
        os.close(writer)


def test_no_byte_can_be_changed() -> None:
    """Each byte of a whole bundle, one at a time, headers and padding too: an error or not proven."""
    small = replace(contents(), reports={}, documents={}, sbom=None, checkpoint=None)
    kept = {name: envelope for name, envelope in small.envelopes.items() if name == "provenance.json"}
    data = make_bundle(replace(small, envelopes=kept), SIGNER)
    assert verified(data).proven
    for place in range(len(data)):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        try:
            verification = verified(changed)
        except InvalidValue:
            continue
        assert not verification.proven, place


def test_files_cannot_be_swapped_added_or_removed() -> None:
    """The archive made anew with one file different: not proven."""
    files = unpack(make_bundle(contents(), SIGNER))
    for changed in (
        files | {"reports/junit.xml": b"better"},
        files | {"reports/more.xml": b""},
        {name: data for name, data in files.items() if name != "reports/junit.xml"},
    ):
        assert failed(verified(pack(changed))) == {"files"}


def member(name: str, **fields: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def tar_of(*members: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for info in members:
            archive.addfile(info, io.BytesIO(b"x" * info.size))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a" * 100_000,
        b"\x00" * 10_240,
        tar_of(member("../manifest.json")),
        tar_of(member("/etc/manifest.json")),
        tar_of(member("a/b/c")),
        tar_of(member("manifest.json", type=tarfile.SYMTYPE, linkname="/etc/hostname")),
        tar_of(member("manifest.json", type=tarfile.LNKTYPE, linkname="key.pub")),
        tar_of(member("manifest.json", type=tarfile.CHRTYPE)),
        tar_of(member("manifest.json"), member("manifest.json")),
        tar_of(member("manifest.json", mtime=5)),
        tar_of(*(member(f"f{number}") for number in range(5001))),
        make_bundle(contents(), SIGNER)[:-600],
        make_bundle(contents(), SIGNER) + b"\x00" * 512,
        pack({"manifest.json": b"{}"}),
    ],
    ids=lambda data: str(len(data)),
)
def test_hostile_archives_are_refused(data: bytes) -> None:
    """Traversal, links, devices, doubles, too many, cut off, something appended: InvalidValue."""
    with pytest.raises(InvalidValue):
        read_bundle(data)


@pytest.mark.parametrize(
    "payload", [b"[" * 100_000, b"{}", b"[]", b" " * 5_000_000, json.dumps({"schema": "x/2"}).encode()]
)
def test_hostile_manifests_are_refused(payload: bytes) -> None:
    """Also when a trusted key signed them: depth bombs, huge ones, other schemas."""
    envelope = sign_envelope(payload, "application/vnd.shipline.bundle-manifest+json", SIGNER)
    files = {"manifest.json": payload, "manifest.dsse.json": envelope.to_bytes(), "key.pub": b""}
    with pytest.raises(InvalidValue):
        read_bundle(pack(files))


def test_large_and_special_files_are_refused_unread(tmp_path: Path) -> None:
    """A sparse terabyte and a device are no bundles."""
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 40)
    for path in (tmp_path / "large", Path("/dev/zero"), tmp_path, tmp_path / "absent"):
        with pytest.raises(InvalidValue):
            verify_bundle(path, [key_of(SIGNER)])
