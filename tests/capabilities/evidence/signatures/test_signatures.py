"""Signatures of files and images: made, found again, kept beside others', and worth nothing once a byte is changed."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.evidence import (
    IN_TOTO,
    AttachedSBOM,
    PublicKey,
    Thing,
    Verification,
    attach_sbom,
    attached_sboms,
    attest_file,
    attest_image,
    media_type_of,
    predicate_type_of,
    read_public_key,
    sign_envelope,
    sign_file,
    sign_image,
    signature_beside,
    verify_file,
    verify_image,
)
from shipline.capabilities.evidence.signatures.attached import layer_of, referring, tag_of, with_layer
from shipline.capabilities.evidence.signatures.claims import claim_about, image_signature, short_name_of
from shipline.capabilities.evidence.signatures.sigstore_bundle import (
    MEDIA_TYPE,
    bundle_of_envelope,
    bundle_of_message,
    read_signature_file,
    read_sigstore_bundle,
)
from shipline.capabilities.evidence.signatures.simple_signing import MEDIA_TYPE as SIMPLE_SIGNING
from shipline.capabilities.evidence.signatures.simple_signing import SignedImage, payload_of
from shipline.domain.errors import InvalidValue, RefusedError, ShiplineError, UnavailableError, UsageError
from shipline.ports.attachments import Image
from shipline.testing.conformance.attachments import manifest_of
from shipline.testing.fakes.attachments import MemoryAttachments
from shipline.testing.fakes.signer import MemorySigner

SIGNER, STRANGER = MemorySigner(1), MemorySigner(2)
NAME, TYPE = "registry.example/team/quotes", "https://example.org/reviewed/v1"
SIGNATURE = "dev.cosignproject.cosign/signature"


def key_of(signer: MemorySigner) -> PublicKey:
    return read_public_key(signer.public_key_pem().encode())


@pytest.fixture
def registry() -> MemoryAttachments:
    return MemoryAttachments()


@pytest.fixture
def image(registry: MemoryAttachments) -> Image:
    return Image(NAME, "1.0", registry.put_image("1.0", manifest_of(b"the image")))


def asked(registry: MemoryAttachments, image: Image, kind: str = "", *signers: MemorySigner) -> Verification:
    keys = [key_of(signer) for signer in signers or (SIGNER,)]
    return verify_image(registry, Thing(NAME, image.subject.digest, kind), keys)


def test_a_signed_image_is_proven_by_both_formats(registry: MemoryAttachments, image: Image) -> None:
    """By the signer's key alone; by none where no key is trusted. The payload names the tag."""
    signed = sign_image(registry, image, SIGNER)
    found = asked(registry, image)
    assert (found.proven, len(found.checks), found.keys) == (True, 2, (SIGNER.key_id(),))
    assert f"signed as {NAME}:1.0" in found.checks[0].words
    assert len(signed.written) == 2
    assert not asked(registry, image, "", STRANGER).proven
    assert not verify_image(registry, Thing(NAME, image.subject.digest), []).proven


def test_no_more_is_read_than_a_layer_says_that_it_has(registry: MemoryAttachments, image: Image) -> None:
    """What is read of an image is bounded by the stated sizes: more than they say is not read, and proves nothing."""
    sign_image(registry, image, SIGNER)
    tag = tag_of(image.subject.digest, "sig")
    document = json.loads(registry.manifests[registry.tags[tag]])
    (layer,) = document["layers"]
    changed = json.dumps({**document, "layers": [{**layer, "size": size} for size in (0, -1, layer["size"] - 1)]})
    registry.tags[tag] = digest = f"sha256:{hashlib.sha256(changed.encode()).hexdigest()}"
    registry.manifests[digest] = changed.encode()
    found = asked(_Unlisted(registry), image)
    assert not found.proven
    assert ["cannot be read" in note for note in found.notes] == [True] * 3


def test_one_format_alone_is_enough(registry: MemoryAttachments, image: Image) -> None:
    """Each for itself: others write only one."""
    sign_image(registry, image, SIGNER)
    older = registry.tags.pop(tag_of(image.subject.digest, "sig"))
    assert len(asked(registry, image).checks) == 1
    registry.tags[tag_of(image.subject.digest, "sig")] = older
    for digest in registry.referrers(image.subject.digest):
        del registry.manifests[digest]
    assert len(asked(registry, image).checks) == 1


def test_signing_again_changes_nothing_and_another_signer_s_stays(registry: MemoryAttachments, image: Image) -> None:
    """A command that was cut off can be run again; two signers stand side by side, also in one manifest."""
    sign_image(registry, image, SIGNER)
    before = dict(registry.manifests)
    again = sign_image(registry, image, SIGNER)
    assert (again.written, len(again.kept)) == ((), 2)
    assert registry.manifests == before
    sign_image(registry, image, STRANGER)
    both = asked(registry, image, "", SIGNER, STRANGER)
    assert (len(both.checks), set(both.keys)) == (4, {SIGNER.key_id(), STRANGER.key_id()})
    config = json.loads(registry.manifests[registry.tags[tag_of(image.subject.digest, "sig")]])["config"]
    assert len(json.loads(registry.blobs[config["digest"]])["rootfs"]["diff_ids"]) == 2


def test_another_tag_of_the_same_image_is_signed_beside(registry: MemoryAttachments, image: Image) -> None:
    """Its name is part of what is signed in the older format; without a tag the digest is."""
    sign_image(registry, image, SIGNER)
    signed = sign_image(registry, Image(NAME, "", image.subject), SIGNER)
    assert (len(signed.written), len(signed.kept)) == (1, 1)
    assert any(f"{NAME}@{image.subject.digest}" in check.words for check in asked(registry, image).checks)


def test_a_writer_that_lost_a_race_reads_anew(registry: MemoryAttachments, image: Image) -> None:
    registry.lost_writes = 2
    assert len(sign_image(registry, image, SIGNER).written) == 2
    registry.lost_writes = 99
    with pytest.raises(UnavailableError):
        sign_image(registry, image, STRANGER)


def test_a_statement_is_no_signature_nor_one_of_another_type(registry: MemoryAttachments, image: Image) -> None:
    """An image that somebody has reviewed is not signed for it, nor the other way round."""
    attest_image(registry, image, b'{"by": "me"}', TYPE, SIGNER)
    assert asked(registry, image, TYPE).proven
    assert len(asked(registry, image, TYPE).checks) == 2
    assert not asked(registry, image).proven
    assert not asked(registry, image, f"{TYPE}1").proven
    again = attest_image(registry, image, b'{"by": "me"}', TYPE, SIGNER)
    assert again.written == ()
    assert len(attest_image(registry, image, b'{"by": "you"}', TYPE, SIGNER).written) == 2


def test_what_is_signed_of_one_image_says_nothing_of_another(registry: MemoryAttachments, image: Image) -> None:
    """Also where somebody puts it beside the other: under its tag, and as what refers to it."""
    sign_image(registry, image, SIGNER)
    other = registry.put_image("2.0", manifest_of(b"evil"))
    registry.tags[tag_of(other.digest, "sig")] = registry.tags[tag_of(image.subject.digest, "sig")]
    for digest in registry.referrers(image.subject.digest):
        moved = json.loads(registry.manifests[digest])
        moved["subject"]["digest"] = other.digest
        registry.write_referrer(other, json.dumps(moved).encode())
    found = verify_image(registry, Thing(NAME, other.digest), [key_of(SIGNER)])
    assert not found.proven
    assert any("another image" in note for note in found.notes)
    assert any("another thing" in note for note in found.notes)


def put_layer(registry: MemoryAttachments, image: Image, content: bytes, kind: str, note: dict[str, str]) -> None:
    """Put a layer under the image's tag `.sig`, as anybody can."""
    tag = tag_of(image.subject.digest, "sig")
    registry.write_blob(content)
    registry.write_tagged(tag, with_layer(registry.tagged(tag), layer_of(content, kind, note)).manifest)


HOSTILE: list[tuple[bytes, str, dict[str, str]]] = [
    (b"{}", SIMPLE_SIGNING, {}),
    (b"{}", SIMPLE_SIGNING, {SIGNATURE: "AAAA"}),
    (b"[" * 60_000, SIMPLE_SIGNING, {SIGNATURE: "AAAA"}),
    (b"x" * 70_000, SIMPLE_SIGNING, {SIGNATURE: "AAAA"}),
    (b"\xff", MEDIA_TYPE, {}),
    (b"{}", MEDIA_TYPE, {}),
    (b'{"mediaType": "x"}', MEDIA_TYPE, {}),
    (b"anything", "application/vnd.example", {}),
]


def test_what_strangers_put_there_hides_no_signature(registry: MemoryAttachments, image: Image) -> None:
    """Whatever it is: each thing is judged by itself, and the words say why it does not count."""
    for each in HOSTILE:
        put_layer(registry, image, *each)
    registry.write_referrer(image.subject, json.dumps({"subject": {"digest": image.subject.digest}}).encode())
    gone = layer_of(b"gone", MEDIA_TYPE, {})
    registry.write_referrer(image.subject, referring(image.subject, gone, predicate_type="x").manifest)
    assert not asked(registry, image).proven
    sign_image(registry, image, SIGNER)
    found = asked(registry, image)
    assert found.proven
    assert any("404" in note for note in found.notes)
    certified = json.loads(bundle_of_message(b"\0" * 32, b"\0", key_id="00" * 32))
    certified["verificationMaterial"] = {"certificate": {"rawBytes": "AA=="}}
    put_layer(registry, image, json.dumps(certified).encode(), MEDIA_TYPE, {})
    assert any("certificate" in note for note in asked(registry, image).notes)


def test_a_registry_in_trouble_is_no_answer(
    registry: MemoryAttachments, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither proven nor not: an error, also where credentials are refused."""
    sign_image(registry, image, SIGNER)
    for error in (UnavailableError("down"), RefusedError("no credentials")):

        def fail(*_: object, error: ShiplineError = error, **__: object) -> bytes:
            raise error

        monkeypatch.setattr(registry, "blob", fail)
        with pytest.raises(ShiplineError) as caught:
            asked(registry, image)
        assert caught.value.exit_code == 1


def test_what_is_no_manifest_under_the_tag_is_left_as_it_is(registry: MemoryAttachments, image: Image) -> None:
    """It is somebody's; signing says so."""
    registry.write_tagged(tag_of(image.subject.digest, "sig"), b'{"manifests": []}')
    assert not asked(registry, image).proven
    with pytest.raises(InvalidValue):
        sign_image(registry, image, SIGNER)


def flips(data: bytes) -> Iterator[bytes]:
    """The data with each byte changed by one bit."""
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << (place % 7)
        yield bytes(changed)


def proves(path: Path, signature: Path, kind: str = "") -> bool:
    try:
        return verify_file(path, signature, [key_of(SIGNER)], predicate_type=kind).proven
    except InvalidValue:
        return False


def test_every_changed_byte_of_a_file_s_signature_or_bundle_is_noticed(tmp_path: Path) -> None:
    """Of the file as well. Nothing crashes. A hint alone may become that of another tool: it is a hint and no more."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"the file")
    sign_file(path, SIGNER)
    attest_file(path, b"{}", TYPE, SIGNER)
    names = dict.fromkeys(("a.bin.sig", "a.bin.sigstore.json"), "")
    names |= {f"a.bin.{short_name_of(TYPE)}.sigstore.json": TYPE}
    for name, kind in names.items():
        place = tmp_path / name
        assert proves(path, place, kind)
        content = place.read_bytes()
        start, _, _ = content.partition(b'"hint":"')
        hint = range(len(start) + 8, len(start) + 8 + 44)
        for number, changed in enumerate(flips(content)):
            place.write_bytes(changed)
            assert number in hint or not proves(path, place, kind), changed
    sign_file(path, SIGNER)
    for changed in flips(b"the file"):
        path.write_bytes(changed)
        assert not proves(path, tmp_path / "a.bin.sigstore.json")


def test_every_changed_byte_of_an_image_s_signature_or_payload_is_noticed(
    registry: MemoryAttachments, image: Image
) -> None:
    """The registry cannot serve other blobs than their digest says; so manifests are changed to name changed ones."""
    payload = payload_of(SignedImage(f"{NAME}:1.0", image.subject.digest))
    signature = SIGNER.sign(payload)

    def holds(content: bytes, text: str) -> bool:
        registry.tags.pop(tag_of(image.subject.digest, "sig"), None)
        put_layer(registry, image, content, SIMPLE_SIGNING, {SIGNATURE: text})
        return asked(registry, image).proven

    good = base64.b64encode(signature).decode()
    assert holds(payload, good)
    assert not any(holds(changed, good) for changed in flips(payload))
    assert not any(holds(payload, changed.decode("latin-1")) for changed in flips(good.encode()))


def test_a_changed_manifest_never_crashes_and_proves_at_most_what_was_signed(
    registry: MemoryAttachments, image: Image
) -> None:
    """Bytes of it that say nothing of the signature may differ; those of the layer may not."""
    sign_image(registry, image, SIGNER)
    for digest in registry.referrers(image.subject.digest):
        del registry.manifests[digest]
    tag = tag_of(image.subject.digest, "sig")
    manifest = registry.tagged(tag) or b""
    (layer,) = json.loads(manifest)["layers"]
    start, end = manifest.index(b'"layers"'), manifest.rindex(b"]")
    inside = [manifest.index(text.encode(), start) for text in (layer["digest"], layer["mediaType"], SIGNATURE)]
    assert all(start < place < end for place in inside)
    for place, changed in enumerate(flips(manifest)):
        digest = f"sha256:{hashlib.sha256(changed).hexdigest()}"
        registry.tags[tag] = digest  # Under a tag there may be anything.
        registry.manifests = {image.subject.digest: registry.manifests[image.subject.digest], digest: changed}
        proven = verify_image(_Unlisted(registry), Thing(NAME, image.subject.digest), [key_of(SIGNER)]).proven
        assert not (proven and any(first <= place < first + 20 for first in inside))


class _Unlisted(MemoryAttachments):
    """The same repository, where nothing refers to anything."""

    def __init__(self, of: MemoryAttachments) -> None:
        super().__init__()
        self.blobs, self.manifests, self.tags = of.blobs, of.manifests, of.tags

    def referrers(self, digest: str) -> tuple[str, ...]:
        return ()


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.pop("mediaType"),
        lambda found: found.update(more=1),
        lambda found: found["messageSignature"].pop("messageDigest"),
        lambda found: found.update(mediaType="application/vnd.dev.sigstore.bundle+json;version=9"),
        lambda found: found.pop("verificationMaterial"),
        lambda found: found.pop("messageSignature"),
        lambda found: found.update(dsseEnvelope={}),
        lambda found: found["messageSignature"].update(signature=""),
        lambda found: found["messageSignature"].update(signature="A" * 4000),
        lambda found: found["messageSignature"].update(signature=1),
        lambda found: found["messageSignature"]["messageDigest"].update(algorithm="SHA2_512"),
        lambda found: found["messageSignature"]["messageDigest"].update(digest="AAAA"),
        lambda found: found["messageSignature"].update(messageDigest=None),
        lambda found: found["verificationMaterial"]["publicKey"].update(hint=base64.b64encode(b"\0" * 32).decode()),
    ],
)
def test_bundles_that_are_not_whole_prove_nothing(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Whatever is missing, doubled, of another kind or said to be by another key."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"the file")
    document = json.loads(
        bundle_of_message(hashlib.sha256(b"the file").digest(), SIGNER.sign(b"the file"), key_id=SIGNER.key_id())
    )
    (tmp_path / "good").write_text(json.dumps(document))
    assert proves(path, tmp_path / "good")
    change(document)
    (tmp_path / "bad").write_text(json.dumps(document))
    assert not proves(path, tmp_path / "bad")


def test_bundles_of_other_tools_are_read_leniently() -> None:
    """Without a hint, or with one of another form; older versions; base64 with the end of a line."""
    document = json.loads(bundle_of_message(b"\0" * 32, b"\1", key_id=SIGNER.key_id()))
    document |= {"mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.2"}
    for key in ({}, {"hint": "my key"}, {"hint": ""}):
        document["verificationMaterial"] = {"publicKey": key}
        assert read_sigstore_bundle(json.dumps(document).encode()).key_id == ""
    der = SIGNER.sign(b"x")
    for data in (der, base64.b64encode(der), base64.b64encode(der) + b"\r\n"):
        assert read_signature_file(data).content.signature == der  # type: ignore[union-attr] # it is no envelope
    for data in (b"", b"\x30", b"not base64!", base64.b64encode(der)[:-2] + b"\n\nx"):
        with pytest.raises(InvalidValue):
            read_signature_file(data)


def test_a_file_s_statement_is_proven_by_its_type(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"the file")
    assert signature_beside(path) is None
    attest_file(path, b'{"bomFormat": "CycloneDX"}', predicate_type_of("cyclonedx"), SIGNER)
    place = signature_beside(path, predicate_type=predicate_type_of("cyclonedx"))
    assert place == tmp_path / "a.bin.cyclonedx.sigstore.json"
    assert proves(path, place, predicate_type_of("cyclonedx"))
    assert not proves(path, place)
    assert not proves(path, place, TYPE)
    sign_file(path, SIGNER)
    assert not proves(path, signature_beside(path) or path, predicate_type_of("cyclonedx"))


@pytest.mark.parametrize("predicate", [b"", b"[]", b'{"a": NaN}', b'{"a": 1, "a": 2}', b'{"a": 90071992547409931}'])
def test_a_predicate_is_one_json_object(predicate: bytes) -> None:
    with pytest.raises(InvalidValue):
        claim_about("a", "sha256:" + "0" * 64, TYPE, predicate)


@pytest.mark.parametrize("kind", ["", "unknown", "https://with a space", "x" * 600])
def test_an_unknown_type_is_refused_with_the_known_ones(kind: str) -> None:
    with pytest.raises(UsageError) as refused:
        predicate_type_of(kind)
    assert "slsaprovenance1" in refused.value.todo


def test_statements_of_the_older_version_count(registry: MemoryAttachments, image: Image) -> None:
    """Cosign 2 writes them; a subject may have no name, and there may be several. Another payload does not count."""
    hexes = [image.subject.digest.removeprefix("sha256:"), "0" * 64]
    subjects = [{"digest": {"sha256": one}} for one in hexes]
    document = {"_type": "https://in-toto.io/Statement/v0.1", "predicateType": TYPE, "subject": subjects}
    for payload_type, proven in (("text/plain", False), (IN_TOTO, True)):
        envelope = sign_envelope(json.dumps(document).encode(), payload_type, SIGNER)
        bundle = bundle_of_envelope(envelope, key_id=SIGNER.key_id())
        registry.write_blob(bundle)
        made = referring(image.subject, layer_of(bundle, MEDIA_TYPE, {}), predicate_type=TYPE)
        registry.write_referrer(image.subject, made.manifest)
        assert asked(registry, image, TYPE).proven == proven


def test_bytes_that_would_sign_something_else_are_not_signed(tmp_path: Path) -> None:
    """A signature over a file is one over its bytes."""
    digest = "sha256:" + "0" * 64
    for data in (payload_of(SignedImage("a", digest)), b"DSSEv1 28 application/vnd.in-toto+json 2 {}"):
        (tmp_path / "a").write_bytes(data)
        with pytest.raises(RefusedError, match="an image or a statement"):
            sign_file(tmp_path / "a", SIGNER)
    assert json.loads(image_signature(digest))["subject"] == [{"digest": {"sha256": "0" * 64}}]


def test_an_sbom_is_put_beside_an_image_once(registry: MemoryAttachments, image: Image) -> None:
    """In cosign's older form, which nobody signs; what else lies there is passed over."""
    first = AttachedSBOM("application/vnd.cyclonedx+json", b'{"bomFormat": "CycloneDX"}')
    second = AttachedSBOM("text/spdx", b"SPDXVersion: SPDX-2.3")
    assert attached_sboms(registry, image.subject) == ()
    assert attach_sbom(registry, image.subject, first)
    assert not attach_sbom(registry, image.subject, first)
    assert attach_sbom(registry, image.subject, AttachedSBOM("application/vnd.example", b"{}"))
    assert attach_sbom(registry, image.subject, second)
    assert attached_sboms(registry, image.subject) == (first, second)


@pytest.mark.parametrize(
    ("document", "media_type"),
    [
        (b'{"bomFormat": "CycloneDX"}', "application/vnd.cyclonedx+json"),
        (b'<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>', "application/vnd.cyclonedx+xml"),
        (b'{"spdxVersion": "SPDX-2.3"}', "text/spdx+json"),
        (b"\xef\xbb\xbfSPDXVersion: SPDX-2.3", "text/spdx"),
    ],
)
def test_an_sbom_is_known_by_its_content(document: bytes, media_type: str) -> None:
    """Anything else is refused."""
    assert media_type_of(document) == media_type
    for other in (b"", b"{}", b"<bom/>", document[1:]):
        if not other.startswith(b"\xbb"):
            with pytest.raises(InvalidValue):
                media_type_of(other)
