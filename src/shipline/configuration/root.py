"""Where a project is, and whether it has settings. Loads none of them: most commands need to know only this."""

from __future__ import annotations

from pathlib import Path

FILE_NAME = "shipline.toml"


def find_root(start: Path) -> Path:
    """The nearest folder from `start` upwards that holds `shipline.toml` or `.git`; `start` itself if none does."""
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file() or (folder / ".git").exists():
            return folder
    return start
