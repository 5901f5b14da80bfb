"""What tests look at as one text."""

from __future__ import annotations

from typing import Any

from shipline.capabilities.plans import changelog_pieces
from shipline.ports.repository import Repository


def changelog_of(repository: Repository, *arguments: Any, **named: Any) -> str:
    """The changelog in one piece."""
    return "".join(changelog_pieces(repository, *arguments, **named))
