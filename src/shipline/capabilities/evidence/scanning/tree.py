"""What lies in a folder that is to be scanned, as far as that tells which scanners have something to look at."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

FILES_MAX = 200_000
TEXT_BYTES_MAX = 1024 * 1024
LEFT_OUT = (".git", ".hg", ".shipline", ".tox", ".nox", ".venv", "venv", "node_modules", "__pycache__")
"""Folders that hold what others have written, or nothing at all."""


@dataclass(frozen=True, slots=True)
class Tree:
    """`files` are the paths of its files, relative and with forward slashes, sorted. Folders of LEFT_OUT are not among
    them, nor what lies behind a link. One that begins as an option does has `./` before it where it is `named`."""

    folder: Path
    files: tuple[str, ...]

    def named(self, *patterns: str) -> tuple[str, ...]:
        """The files whose name fits one of the patterns, in whatever folder they are, as arguments of a program: the
        tree is somebody's, and a folder may be called `--ignore=DL3002`."""
        found = (path for path in self.files if any(fnmatch(path.rpartition("/")[2], one) for one in patterns))
        return tuple(f"./{path}" if path.startswith("-") else path for path in found)

    def has(self, path: str) -> bool:
        """True if there is such a file or folder, one of LEFT_OUT too."""
        return (self.folder / path).exists()

    def text(self, path: str) -> str:
        """The text of a file at the top, "" where there is none or it cannot be read."""
        try:
            with (self.folder / path).open("rb") as file:
                return file.read(TEXT_BYTES_MAX).decode("utf-8", "replace")
        except OSError:
            return ""


def read_tree(folder: Path) -> Tree:
    """What is there; of more than FILES_MAX files the first ones."""
    found: list[str] = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - set(LEFT_OUT))
        inner = Path(place).relative_to(folder)
        found += [(inner / name).as_posix() for name in sorted(files)]
        if len(found) >= FILES_MAX:
            break
    return Tree(folder, tuple(sorted(found[:FILES_MAX])))
