"""Write an OCI image layout as one tar whose bytes depend on what goes in alone.

The shape is the one that `oci_layout` reads. Source: OCI image specification 1.1, image-layout.md and descriptor.md.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shipline.clients.oci_layout import Descriptor, Layout

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


@contextmanager
def new_layout(destination: Path, *, epoch_s: int) -> Iterator[LayoutWriter]:
    """A layout that is written to `destination`, a tar; every entry of it carries `epoch_s`."""
    with tarfile.open(destination, "w", format=tarfile.USTAR_FORMAT) as archive:
        writer = LayoutWriter(archive, epoch_s)
        writer.write("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        yield writer


class LayoutWriter:
    """Writes each file once, since images share layers. `list_root` comes last."""

    def __init__(self, archive: tarfile.TarFile, epoch_s: int) -> None:
        self._archive = archive
        self._epoch_s = epoch_s
        self._written: set[str] = set()

    def write(self, name: str, content: bytes) -> None:
        """A file by its path in the layout."""
        if name not in self._written:
            self._archive.addfile(self._member(name, len(content)), io.BytesIO(content))

    def blob(self, content: bytes, media_type: str) -> Descriptor:
        """A blob that is held in memory."""
        descriptor = Descriptor(media_type, f"sha256:{hashlib.sha256(content).hexdigest()}", len(content))
        self.write(_path(descriptor), content)
        return descriptor

    def document(self, document: Mapping[str, Any], media_type: str) -> Descriptor:
        """A JSON document, the same bytes for the same content."""
        return self.blob(_canonical(document), media_type)

    def file(self, path: Path, media_type: str) -> Descriptor:
        """A blob that is a file, which is read twice and never held whole."""
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            descriptor = Descriptor(media_type, f"sha256:{digest}", stream.tell())
            stream.seek(0)
            if _path(descriptor) not in self._written:
                self._archive.addfile(self._member(_path(descriptor), descriptor.size), stream)
        return descriptor

    def list_root(self, root: Descriptor) -> None:
        """Say which manifest or index the layout is of."""
        self.write("index.json", _canonical({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [entry(root)]}))

    def copy(self, layout: Layout) -> None:
        """All blobs of a layout, each checked against its digest on the way."""
        for manifest in layout.manifests():
            for blob in manifest.blobs:
                self._copy(layout, blob)
            self.write(_path(manifest.descriptor), manifest.content)

    def _copy(self, layout: Layout, blob: Descriptor) -> None:
        name = _path(blob)
        if name not in self._written:
            self._archive.addfile(self._member(name, blob.size), _Chunks(layout, blob))

    def _member(self, name: str, size: int) -> tarfile.TarInfo:
        self._written.add(name)
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = size, self._epoch_s, 0o644
        return member


class _Chunks(io.RawIOBase):
    """A blob as a stream. Its end is read too, where the blob's digest is checked."""

    def __init__(self, layout: Layout, blob: Descriptor) -> None:
        self._pieces = layout.chunks(blob)
        self._left = blob.size
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._rest or (size >= 0 and len(self._rest) < min(size, self._left)):
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._rest += piece
        taken = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(taken) :]
        self._left -= len(taken)
        if self._left == 0:
            next(self._pieces, b"")
        return taken


def entry(descriptor: Descriptor) -> dict[str, Any]:
    """A descriptor as documents hold it."""
    return {"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size}


def _path(descriptor: Descriptor) -> str:
    return f"blobs/{descriptor.digest.replace(':', '/')}"


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
