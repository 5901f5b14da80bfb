"""Small sites as a release leaves them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from shipline.clients.released_names import folder_name
from shipline.clients.site_archive import pack_site, site_name

RELEASED = ".shipline/releases"


def release_site(root: Path, package: str, version: str, files: dict[str, str]) -> str:
    """Put a site's tar where a release leaves it below `root`; returns its digest."""
    source = root / "source" / version
    for name, text in files.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    place = root / RELEASED / folder_name(package, version) / "dist" / site_name(package, version)
    place.parent.mkdir(parents=True, exist_ok=True)
    pack_site(source, place, time_s=1_700_000_000)
    return f"sha256:{hashlib.sha256(place.read_bytes()).hexdigest()}"
