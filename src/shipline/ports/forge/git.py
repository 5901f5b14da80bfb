"""How git reaches a repository on a forge, with what lets it in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class GitAccess:
    """`url` is the repository's address over HTTP, without a secret; `header` is the line of a request that lets git
    in: a secret, which is handed over by git's environment and nowhere else."""

    url: str
    header: str = field(repr=False)


class ForgeGit(Protocol):
    """The repository itself."""

    def git_access(self) -> GitAccess:
        """Where git finds it. The token is read anew with each call, and may be short-lived. Asks the forge nothing,
        but for an app's token."""
        ...
