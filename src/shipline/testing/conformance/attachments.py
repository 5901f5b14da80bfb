"""Behaviour that every Attachments owes its callers. Subclass it, supply `attachments` and `put_image`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from shipline.domain.errors import ShiplineError
from shipline.ports.attachments import API_VERSION, Attachments, Subject

PutImage = Callable[[str], Subject]
EMPTY = b"{}"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
ABSENT = "sha256:" + "0" * 64


def manifest_of(blob: bytes, subject: Subject | None = None) -> bytes:
    """An artifact's manifest with one blob; EMPTY is its config."""
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "artifactType": "application/vnd.example",
        "config": _descriptor(EMPTY, "application/vnd.oci.empty.v1+json"),
        "layers": [_descriptor(blob, "application/vnd.example")],
    }
    if subject is not None:
        document["subject"] = {"mediaType": subject.media_type, "digest": subject.digest, "size": subject.size}
    return json.dumps(document).encode()


def _descriptor(content: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class AttachmentsConformance:
    """The suite. `put_image` puts an image under a tag."""

    @pytest.fixture
    def attachments(self) -> Attachments:
        raise NotImplementedError("supply the provider")

    @pytest.fixture
    def put_image(self) -> PutImage:
        raise NotImplementedError("supply what puts an image there")

    def test_an_image_is_found_by_tag_and_by_digest(self, attachments: Attachments, put_image: PutImage) -> None:
        assert attachments.api_version == API_VERSION
        image = put_image("1.0")
        assert attachments.resolve("1.0") == attachments.resolve(image.digest) == image
        assert attachments.resolve("2.0") is None
        assert attachments.resolve(ABSENT) is None

    def test_what_is_written_is_read_back(self, attachments: Attachments, put_image: PutImage) -> None:
        put_image("1.0")
        assert attachments.tagged("sha256-x.sig") is None
        for _ in range(2):
            assert attachments.write_blob(EMPTY) == _digest(EMPTY)
            assert attachments.write_blob(b"one") == _digest(b"one")
            attachments.write_tagged("sha256-x.sig", manifest_of(b"one"))
        assert attachments.blob(_digest(b"one"), bytes_max=3) == b"one"
        assert attachments.tagged("sha256-x.sig") == manifest_of(b"one")
        assert attachments.manifest(_digest(manifest_of(b"one"))) == manifest_of(b"one")

    def test_what_is_not_there_or_too_large_is_an_error(self, attachments: Attachments, put_image: PutImage) -> None:
        put_image("1.0")
        attachments.write_blob(b"four")
        asks: tuple[Callable[[], object], ...] = (
            lambda: attachments.blob(ABSENT, bytes_max=9),
            lambda: attachments.manifest(ABSENT),
            lambda: attachments.blob(_digest(b"four"), bytes_max=3),
        )
        for ask in asks:
            with pytest.raises(ShiplineError):
                ask()

    def test_referrers_are_found_by_their_subject_alone(self, attachments: Attachments, put_image: PutImage) -> None:
        image, other = put_image("1.0"), put_image("2.0")
        assert attachments.referrers(image.digest) == ()
        attachments.write_blob(EMPTY)
        written = []
        for blob in (b"one", b"two", b"one"):
            attachments.write_blob(blob)
            written.append(attachments.write_referrer(image, manifest_of(blob, image)))
        assert written[0] == written[2] == _digest(manifest_of(b"one", image))
        assert sorted(attachments.referrers(image.digest)) == sorted(set(written))
        assert attachments.referrers(other.digest) == ()
