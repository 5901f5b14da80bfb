"""Put images for several platforms together into one OCI image layout, as one tar whose bytes depend on them alone.

Source: OCI image specification 1.1, image-index.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from shipline.clients.oci_layout import Descriptor, Layout, open_layout
from shipline.clients.oci_writer import INDEX_TYPE, LayoutWriter, entry, new_layout


def assemble(images: Mapping[str, Path], destination: Path, *, epoch_s: int) -> str:
    """Write the layout of `images`, platform (`linux/arm64/v8`) to layout; returns the digest of what it holds.

    One image is held as it is, several under an index in the order of `images`. The tar's entries carry `epoch_s`.
    InvalidValue where an image is none, or not what its digests say.
    """
    with ExitStack() as stack, new_layout(destination, epoch_s=epoch_s) as writer:
        layouts = {name: stack.enter_context(open_layout(path)) for name, path in images.items()}
        for layout in layouts.values():
            writer.copy(layout)
        root = _root(layouts, writer)
        writer.list_root(root)
    return root.digest


def platform_of(image: Path) -> list[str]:
    """The operating system and the architecture that a layout's only image says it is for."""
    with open_layout(image) as layout:
        (manifest,) = layout.manifests()
        config = json.loads(b"".join(layout.chunks(manifest.blobs[0])))
    return [str(config.get("os")), str(config.get("architecture"))]


def _root(layouts: Mapping[str, Layout], writer: LayoutWriter) -> Descriptor:
    """The only image, or an index over all of them."""
    if len(layouts) == 1:
        return next(iter(layouts.values())).root
    entries = [entry(layout.root) | {"platform": _platform(name)} for name, layout in layouts.items()]
    return writer.document({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": entries}, INDEX_TYPE)


def _platform(name: str) -> dict[str, str]:
    """`linux/arm/v7` as image-index.md writes it."""
    return dict(zip(("os", "architecture", "variant"), name.split("/"), strict=False))
