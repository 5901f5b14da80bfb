"""A registry's repository in memory, for what hangs on its images."""

from __future__ import annotations

import hashlib
import json

from shipline.domain.errors import ShiplineError, UnavailableError
from shipline.ports.attachments import REFERRERS_MAX, Subject

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


class MemoryAttachments:
    """The Attachments port over dictionaries. `lost_writes` is how many writes of tags another writer undoes yet."""

    api_version = 1

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, bytes] = {}
        self.tags: dict[str, str] = {}
        self.lost_writes = 0

    def put_image(self, tag: str, content: bytes) -> Subject:
        """Let there be an image with this manifest."""
        self.tags[tag] = self._store(content)
        return Subject(MANIFEST_TYPE, self.tags[tag], len(content))

    def resolve(self, reference: str) -> Subject | None:
        digest = self.tags.get(reference, reference)
        content = self.manifests.get(digest)
        return None if content is None else Subject(MANIFEST_TYPE, digest, len(content))

    def tagged(self, tag: str) -> bytes | None:
        return self.manifests[self.tags[tag]] if tag in self.tags else None

    def manifest(self, digest: str) -> bytes:
        return _of_digest(self.manifests, digest)

    def blob(self, digest: str, *, bytes_max: int) -> bytes:
        content = _of_digest(self.blobs, digest)
        if len(content) > bytes_max:
            raise ShiplineError(f"the registry answered with more than {bytes_max} bytes")
        return content

    def referrers(self, digest: str) -> tuple[str, ...]:
        found = [name for name, content in self.manifests.items() if _subject(content) == digest]
        return tuple(found[:REFERRERS_MAX])

    def write_blob(self, content: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.blobs[digest] = content
        return digest

    def write_tagged(self, tag: str, manifest: bytes) -> None:
        if self.lost_writes > 0:
            self.lost_writes -= 1
            raise UnavailableError(f"another writer moved the tag {tag} at the same time")
        self.tags[tag] = self._store(manifest)

    def write_referrer(self, subject: Subject, manifest: bytes) -> str:
        assert _subject(manifest) == subject.digest
        return self._store(manifest)

    def _store(self, manifest: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
        self.manifests[digest] = manifest
        return digest


def _of_digest(kept: dict[str, bytes], digest: str) -> bytes:
    """Bytes that somebody changed behind the digest's back are not served."""
    content = kept.get(digest)
    if content is None:
        raise ShiplineError("the registry answered HTTP 404")
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
        raise ShiplineError(f"the registry serves other bytes than {digest}")
    return content


def _subject(manifest: bytes) -> str | None:
    subject = json.loads(manifest).get("subject")
    return None if subject is None else str(subject["digest"])
