"""The Registry port: where artifacts are published, found and withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file that the registry serves. `digest` is `sha256:…`, None where the registry does not say;
    `yanked` per PEP 592."""

    name: str
    digest: str | None
    yanked: bool = False


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What a registry did when asked to withdraw, and what it does not allow; both in sentences for people."""

    done: tuple[str, ...]
    not_done: tuple[str, ...]


class Registry(Protocol):
    """A package index. Addresses and credentials come from settings or from the ecosystem client's configuration."""

    api_version: int

    def find(self, package: str, version: str) -> tuple[PublishedFile, ...]:
        """The files of exactly this version; empty if there are none. Unreachable: UnavailableError."""
        ...

    def publish(self, package: str, version: str, files: tuple[Path, ...]) -> tuple[PublishedFile, ...]:
        """Make all `files` served; returns what the registry serves then.

        Idempotent by file name and digest: a file that is there with the same bytes is left alone, with other bytes
        is a ConflictError. Trouble on the registry's side: UnavailableError, and a later call does what is missing.
        """
        ...

    def withdraw(self, package: str, version: str, *, reason: str) -> Withdrawal:
        """Withdraw a version as far as the registry allows. Idempotent."""
        ...

    def install_arguments(self) -> tuple[str, ...]:
        """What the ecosystem's installer needs to install from here (`--index-url …`); no secret."""
        ...
