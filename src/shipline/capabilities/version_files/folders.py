"""Folders of the work tree by a pattern of a stranger: no link is followed, and no more than FOLDERS_MAX looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

FOLDERS_MAX = 5_000


def matching_folders(top: Path, pattern: str) -> list[Path]:
    """The folders below `top` that the pattern stands for, in order. `*`, `?` and `[...]` stay within one name, `**` is
    any number of folders. A pattern that leads up or is no pattern stands for none."""
    names = [name for name in pattern.split("/") if name not in ("", ".")]
    if pattern.startswith("/") or ".." in names or "\0" in pattern:
        return []
    found = [top]
    for name in names:
        deeper = (each for folder in found for each in (_tree(folder) if name == "**" else _inside(folder, name)))
        found = list(dict.fromkeys(_first(deeper)))
    return sorted(found)


def _tree(folder: Path) -> Iterator[Path]:
    """The folder, and all below it."""
    yield folder
    for each in _inside(folder, "*"):
        yield from _tree(each)


def _inside(folder: Path, pattern: str) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return  # It is gone, or closed to us: then nothing in it is ours.
    yield from (folder / name for name in sorted(names) if fnmatchcase(name, pattern))


def _first(folders: Iterator[Path]) -> Iterator[Path]:
    return (folder for folder, _ in zip(folders, range(FOLDERS_MAX), strict=False))
