"""Artifact: something built; its identity is its digest."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipline.domain.errors import InvalidValue

DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")


@dataclass(frozen=True, slots=True)
class Artifact:
    """Published bytes. `digest` is `sha256:` and 64 hex digits; `size` is in bytes; `kind` is wheel, sdist, npm, oci,
    site or file; `name` is the file's name as published."""

    name: str
    kind: str
    digest: str
    size: int

    def __post_init__(self) -> None:
        """Refuse a digest of any other form, and names that are paths."""
        if not DIGEST.match(self.digest):
            raise InvalidValue(f"{self.digest[:80]!r} is not a sha256 digest")
        if "/" in self.name or self.name in ("", ".", ".."):
            raise InvalidValue(f"{self.name[:80]!r} is not a file name")
