"""The Attachments port: what hangs on an image in its registry, such as signatures and statements about it.

Bound to one repository. Nobody chooses a provider for it: images lie in registries, and those speak one protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

API_VERSION = 1
REFERRERS_MAX = 200
"""So many referrers are looked at; what lies beyond proves nothing."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The image that things hang on, as a descriptor: `digest` is `sha256:…`, `size` in bytes."""

    media_type: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Image:
    """An image to sign: its name in its registry, the tag that it was named by ("" for none), and the image itself."""

    name: str
    tag: str
    subject: Subject

    @property
    def reference(self) -> str:
        """The name that goes into the older format. Verifiers compare it with what is pulled, and a name without tag
        and digest fits nothing (skopeo's matchRepoDigestOrExact)."""
        return f"{self.name}:{self.tag}" if self.tag else f"{self.name}@{self.subject.digest}"


class Attachments(Protocol):
    """Reads and writes what hangs on the images of one repository. Bytes come back as their digest says, or not at all.

    UnavailableError where the registry may answer later, RefusedError where it does not know the credentials, other
    ShiplineErrors for whatever else is wrong; an answer is never made up.
    """

    api_version: int

    def resolve(self, reference: str) -> Subject | None:
        """The image that a tag or digest names now; None where there is none."""
        ...

    def tagged(self, tag: str) -> bytes | None:
        """The manifest under a tag; None where there is none."""
        ...

    def manifest(self, digest: str) -> bytes:
        """The manifest of a digest."""
        ...

    def blob(self, digest: str, *, bytes_max: int) -> bytes:
        """A blob of at most `bytes_max` bytes."""
        ...

    def referrers(self, digest: str) -> tuple[str, ...]:
        """The digests of the manifests whose subject is that image, REFERRERS_MAX at most, whatever they are of."""
        ...

    def write_blob(self, content: bytes) -> str:
        """Store a blob; returns its digest. Storing it again changes nothing."""
        ...

    def write_tagged(self, tag: str, manifest: bytes) -> None:
        """Let a tag name this OCI image manifest, whose blobs are there. It returns when the registry serves it so;
        UnavailableError where another writer was faster: read the tag anew, and write again."""
        ...

    def write_referrer(self, subject: Subject, manifest: bytes) -> str:
        """Store an OCI image manifest that states `subject`, and let `referrers` find it; returns its digest.

        Storing it again changes nothing. Where the registry keeps no list of referrers, the tag that the distribution
        specification has for it is kept.
        """
        ...


@runtime_checkable
class ImageStore(Protocol):
    """What a Registry of images can do besides: hold an image before any tag names it, so that whoever pulls by a tag
    finds it signed already."""

    def store(self, package: str, version: str, file: Path) -> Image:
        """Let the image in an OCI layout be served by its digest, under no tag. Its `tag` is the one that the version
        will have. Idempotent: what is there is left alone. Trouble on the registry's side: UnavailableError.
        """
        ...

    def attachments(self, package: str) -> Attachments:
        """What hangs on the package's images."""
        ...
