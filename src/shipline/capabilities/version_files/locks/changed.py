"""What a release has changed in a manifest. Values."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A range of `name` that was `before` and is `after`, because that package is released at `version`."""

    name: str
    before: str
    after: str
    version: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A manifest, from the root, as it was and as it is."""

    path: str
    before: bytes
    after: bytes
    requirements: tuple[Rewritten, ...]

    @property
    def is_catalogs(self) -> bool:
        """True for the file of pnpm's catalogues, whose ranges several packages may take."""
        return posixpath.basename(self.path) == "pnpm-workspace.yaml"

    def folder_from(self, lock: str) -> str:
        """Its folder as seen from that of a lock file, "." for the same one."""
        return posixpath.relpath(posixpath.dirname(self.path) or ".", posixpath.dirname(lock) or ".")
