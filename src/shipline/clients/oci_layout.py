"""Read an OCI image layout, a folder or a tar of one: the form in which built images and artifacts are handed over.

The shape, by the OCI image specification 1.1 (image-layout.md): `oci-layout` states version 1.0.0, `index.json` lists
exactly one descriptor (an image manifest, or an index for several platforms) and `blobs/sha256/HEX` hold all that it
leads to. An artifact of kind `oci` is such a layout: its digest is that descriptor's, its name is `layout_name`.
Nothing that comes out of here was not checked against its digest; sizes and depth are bounded.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from shipline.domain.errors import InvalidValue

INDEX_TYPES = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)
MANIFEST_TYPES = frozenset(
    {"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"}
)
# The distribution specification lets registries refuse manifests above 4 MiB ("Pushing Manifests").
MANIFEST_BYTES_MAX = 4 * 1024 * 1024
MANIFESTS_MAX = 256
BLOBS_MAX = 4_096
CHUNK_BYTES = 1024 * 1024
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def layout_name(package: str, version: str) -> str:
    """The name of the artifact that holds the image of a version: safe whatever the package is called."""
    safe = "".join(char if char.isalnum() or char in "._-" else "_" for char in package)
    return f"{safe.lstrip('.')}-{version}.oci"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What one part of an image points to another with. `size` is in bytes."""

    media_type: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or index as its exact bytes, and the descriptors of what it is made of."""

    descriptor: Descriptor
    content: bytes
    blobs: tuple[Descriptor, ...]
    manifests: tuple[Descriptor, ...]


class Layout:
    """An open layout. `root` is the descriptor that `index.json` lists."""

    def __init__(self, source: _Source) -> None:
        self._source = source
        if _document(source.read("oci-layout", MANIFEST_BYTES_MAX)).get("imageLayoutVersion") != "1.0.0":
            raise InvalidValue(f"{source.name} is no OCI image layout of version 1.0.0")
        listed = _descriptors(_document(source.read("index.json", MANIFEST_BYTES_MAX)).get("manifests"))
        if len(listed) != 1:
            raise InvalidValue(
                f"index.json of {source.name} lists {len(listed)} images, and a release has one",
                todo="put images for several platforms under one index",
            )
        self.root = listed[0]

    def manifests(self) -> tuple[Manifest, ...]:
        """All manifests, each after what it points to; the root's comes last."""
        found: dict[str, Manifest] = {}
        self._collect(self.root, found, depth=0)
        if sum(len(manifest.blobs) for manifest in found.values()) > BLOBS_MAX:
            raise InvalidValue(f"{self._source.name} has more than {BLOBS_MAX} blobs")
        return tuple(found.values())

    def chunks(self, blob: Descriptor) -> Iterator[bytes]:
        """The bytes of a blob in pieces. InvalidValue, at the end, where they are not those that it states."""
        digest, size = hashlib.sha256(), 0
        with self._source.open(_path(blob.digest)) as stream:
            while piece := stream.read(CHUNK_BYTES):
                digest.update(piece)
                size += len(piece)
                yield piece
        if f"sha256:{digest.hexdigest()}" != blob.digest or size != blob.size:
            raise InvalidValue(f"the blob {blob.digest} of {self._source.name} holds other bytes")

    def check(self) -> None:
        """Read all of it once. InvalidValue where anything is missing or not what its digest says."""
        for manifest in self.manifests():
            for blob in manifest.blobs:
                for _ in self.chunks(blob):
                    pass

    def _collect(self, descriptor: Descriptor, found: dict[str, Manifest], *, depth: int) -> None:
        if descriptor.digest in found:
            return
        # An index of indexes is the deepest that makes sense.
        if depth > 2 or len(found) >= MANIFESTS_MAX:
            raise InvalidValue(f"{self._source.name} has too many manifests, or they are nested too deep")
        manifest = self._manifest(descriptor)
        for inner in manifest.manifests:
            self._collect(inner, found, depth=depth + 1)
        found[descriptor.digest] = manifest

    def _manifest(self, descriptor: Descriptor) -> Manifest:
        content = self._source.read(_path(descriptor.digest), MANIFEST_BYTES_MAX)
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != descriptor.digest or len(content) != descriptor.size:
            raise InvalidValue(f"the manifest {descriptor.digest} of {self._source.name} holds other bytes")
        document = _document(content)
        if descriptor.media_type in INDEX_TYPES:
            return Manifest(descriptor, content, (), _descriptors(document.get("manifests")))
        if descriptor.media_type in MANIFEST_TYPES:
            blobs = (*_descriptors([document.get("config")]), *_descriptors(document.get("layers")))
            return Manifest(descriptor, content, blobs, ())
        raise InvalidValue(f"{descriptor.media_type[:100]!r} is no manifest that is known")


@contextmanager
def open_layout(path: Path) -> Iterator[Layout]:
    """The layout in a folder or tar. InvalidValue for anything else."""
    if path.is_dir():
        yield Layout(_Folder(path))
        return
    try:
        with tarfile.open(path, "r:") as archive:
            yield Layout(_Tar(path.name, archive))
    except (OSError, tarfile.TarError) as error:
        raise InvalidValue(f"{path.name} is no OCI layout: neither a folder nor a tar", why=str(error)[:200]) from None


def layout_digest(path: Path) -> str:
    """The digest of the image that a layout holds, all of it checked."""
    with open_layout(path) as layout:
        layout.check()
        return layout.root.digest


class _Source:
    """Where the files of a layout lie."""

    name: str

    def open(self, path: str) -> IO[bytes]:
        raise NotImplementedError

    def read(self, path: str, bytes_max: int) -> bytes:
        with self.open(path) as stream:
            content = stream.read(bytes_max + 1)
        if len(content) > bytes_max:
            raise InvalidValue(f"{path} in {self.name} is larger than {bytes_max} bytes")
        return content


class _Folder(_Source):
    def __init__(self, path: Path) -> None:
        self.name, self._path = path.name, path

    def open(self, path: str) -> IO[bytes]:
        place = self._path / path
        try:
            # What a link leads to is not part of what was built.
            if place.resolve() == self._path.resolve() / path:
                return place.open("rb")
        except OSError as error:
            raise InvalidValue(f"{path} is missing in {self.name}", why=error.strerror or "") from None
        raise InvalidValue(f"{path} in {self.name} is a link")


class _Tar(_Source):
    def __init__(self, name: str, archive: tarfile.TarFile) -> None:
        self.name, self._archive = name, archive
        self._members = {member.name.removeprefix("./"): member for member in archive if member.isreg()}

    def open(self, path: str) -> IO[bytes]:
        member = self._members.get(path)
        stream = None if member is None else self._archive.extractfile(member)
        if stream is None:
            raise InvalidValue(f"{path} is missing in {self.name}")
        return stream


def _path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise InvalidValue("a manifest of an OCI layout is no JSON object")
    return document


def _descriptors(listed: object) -> tuple[Descriptor, ...]:
    """Descriptors of what lies in the layout. InvalidValue for anything else."""
    if not isinstance(listed, list):
        raise InvalidValue("a manifest of an OCI layout lists no descriptors")
    return tuple(_descriptor(one) for one in listed)


def _descriptor(one: object) -> Descriptor:
    match one:
        case {"mediaType": str(kind), "digest": str(digest), "size": int(size)} if _DIGEST.fullmatch(digest):
            return Descriptor(kind, digest, size)
    raise InvalidValue("a descriptor of an OCI layout has no media type, sha256 digest and size")
