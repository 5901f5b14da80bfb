"""Put images for several platforms together into one OCI image layout, as one tar whose bytes depend on them alone.

The shape is the one that `oci_layout` reads. Source: OCI image specification 1.1, image-layout.md and image-index.md.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from shipline.clients.oci_layout import Descriptor, Layout, open_layout

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


def assemble(images: Mapping[str, Path], destination: Path, *, epoch_s: int) -> str:
    """Write the layout of `images`, platform (`linux/arm64/v8`) to layout; returns the digest of what it holds.

    One image is held as it is, several under an index in the order of `images`. The tar's entries carry `epoch_s`.
    InvalidValue where an image is none, or not what its digests say.
    """
    with ExitStack() as stack, tarfile.open(destination, "w", format=tarfile.USTAR_FORMAT) as archive:
        layouts = {name: stack.enter_context(open_layout(path)) for name, path in images.items()}
        writer = _Writer(archive, epoch_s)
        writer.write("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        for layout in layouts.values():
            writer.copy(layout)
        root = _root(layouts, writer)
        listed = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [_entry(root)]}
        writer.write("index.json", _canonical(listed))
    return root.digest


def platform_of(image: Path) -> list[str]:
    """The operating system and the architecture that a layout's only image says it is for."""
    with open_layout(image) as layout:
        (manifest,) = layout.manifests()
        config = json.loads(b"".join(layout.chunks(manifest.blobs[0])))
    return [str(config.get("os")), str(config.get("architecture"))]


def _root(layouts: Mapping[str, Layout], writer: _Writer) -> Descriptor:
    """The only image, or an index over all of them."""
    if len(layouts) == 1:
        return next(iter(layouts.values())).root
    entries = [_entry(layout.root) | {"platform": _platform(name)} for name, layout in layouts.items()]
    content = _canonical({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": entries})
    index = Descriptor(INDEX_TYPE, f"sha256:{hashlib.sha256(content).hexdigest()}", len(content))
    writer.write(f"blobs/{index.digest.replace(':', '/')}", content)
    return index


class _Writer:
    """Writes each file once; images share layers."""

    def __init__(self, archive: tarfile.TarFile, epoch_s: int) -> None:
        self._archive = archive
        self._epoch_s = epoch_s
        self._written: set[str] = set()

    def write(self, name: str, content: bytes) -> None:
        if name not in self._written:
            self._archive.addfile(self._member(name, len(content)), io.BytesIO(content))

    def copy(self, layout: Layout) -> None:
        """All blobs of a layout, each checked against its digest on the way."""
        for manifest in layout.manifests():
            for blob in manifest.blobs:
                self._copy(layout, blob)
            self.write(f"blobs/{manifest.descriptor.digest.replace(':', '/')}", manifest.content)

    def _copy(self, layout: Layout, blob: Descriptor) -> None:
        name = f"blobs/{blob.digest.replace(':', '/')}"
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


def _entry(descriptor: Descriptor) -> dict[str, Any]:
    return {"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size}


def _platform(name: str) -> dict[str, str]:
    """`linux/arm/v7` as image-index.md writes it."""
    return dict(zip(("os", "architecture", "variant"), name.split("/"), strict=False))


def _canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
