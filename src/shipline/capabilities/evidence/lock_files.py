"""Where the lock file of a package lies in a tree of sources."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from shipline.domain.errors import InvalidValue


def nearest_lock(source: Path, folder: str, names: Sequence[str]) -> tuple[Path, PurePosixPath] | None:
    """The lock that holds for the package in `folder` of the tree `source`: the nearest one upwards, of two in one
    folder the one named first; and the folder that it lies in. None without any.

    Raises InvalidValue for a link: what it leads to may be anything on this machine.
    """
    inner = PurePosixPath(folder)
    for above in (inner, *inner.parents):
        for name in names:
            path = source / above / name
            if path.is_symlink():
                raise InvalidValue(f"{name} is a link, and is not followed")
            if path.is_file():
                return path, above
    return None
