"""The Attachments port over a container registry."""

from __future__ import annotations

import hashlib

from shipline.clients.oci_layout import INDEX_TYPES, MANIFEST_TYPES
from shipline.clients.oci_referrers import (
    INDEX_TYPE,
    MANIFEST_TYPE,
    digests_in,
    digests_in_index,
    entry_of,
    referrers_tag,
    with_entry,
)
from shipline.clients.oci_registry import OCIClient
from shipline.domain.errors import ShiplineError, UnavailableError
from shipline.ports.attachments import REFERRERS_MAX, Subject

TRIES_MAX = 5


class OCIAttachments:
    """What hangs on the images of one repository. Tags have no lock: who writes one looks whether it has stayed."""

    api_version = 1

    def __init__(self, client: OCIClient) -> None:
        self._client = client

    def resolve(self, reference: str) -> Subject | None:
        """The image that a tag or digest names now."""
        found = self._client.named(reference)
        if found is None:
            return None
        media_type, content = found[0].partition(";")[0].strip(), found[1]
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if reference.startswith("sha256:") and digest != reference:
            raise ShiplineError(f"the registry serves other bytes than {reference}")
        if media_type not in INDEX_TYPES | MANIFEST_TYPES:
            raise ShiplineError(f"the registry says that {reference} is {media_type[:100]!r}, which is no image")
        return Subject(media_type, digest, len(content))

    def tagged(self, tag: str) -> bytes | None:
        """The manifest under a tag."""
        found = self._client.named(tag)
        return None if found is None else found[1]

    def manifest(self, digest: str) -> bytes:
        """The manifest of a digest."""
        return self._client.manifest(digest)[1]

    def blob(self, digest: str, *, bytes_max: int) -> bytes:
        """A blob."""
        return self._client.blob(digest, bytes_max=bytes_max)

    def referrers(self, digest: str) -> tuple[str, ...]:
        """As the registry lists them, or else the tag that stands for the list."""
        listed = self._client.referrers(digest)
        if listed is not None:
            return digests_in(listed)[:REFERRERS_MAX]
        index = self.tagged(referrers_tag(digest))
        return () if index is None else digests_in_index(index)[:REFERRERS_MAX]

    def write_blob(self, content: bytes) -> str:
        """Store a blob."""
        return self._client.push_content(content)

    def write_tagged(self, tag: str, manifest: bytes) -> None:
        """Store a manifest under a tag."""
        self._write(tag, MANIFEST_TYPE, manifest)

    def write_referrer(self, subject: Subject, manifest: bytes) -> str:
        """Store a manifest by its digest, and list it where the registry does not."""
        entry = entry_of(manifest)
        digest = str(entry["digest"])
        if self._client.put_manifest(digest, MANIFEST_TYPE, manifest):
            return digest
        tag = referrers_tag(subject.digest)
        for _ in range(TRIES_MAX):
            index = with_entry(self.tagged(tag), entry)
            if index is None:
                return digest
            try:
                self._write(tag, INDEX_TYPE, index)
            except UnavailableError:
                continue
        raise UnavailableError(f"others write the tag {tag} all the time", todo="run this again")

    def _write(self, tag: str, media_type: str, content: bytes) -> None:
        self._client.put_manifest(tag, media_type, content)
        if self.tagged(tag) != content:
            raise UnavailableError(f"another writer moved the tag {tag} at the same time", todo="run this again")
