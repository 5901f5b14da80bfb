"""The Registry port: where artifacts are published, found and taken back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shipline.domain.verdict import Answer

API_VERSION = 1
STABLE = "stable"
"""The channel of final versions. Other channels are the words of pre-releases: `rc`, `beta`, `dev`."""


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file that the registry serves, under the name that the artifact has here. `digest` is `sha256:…`, None where
    the registry does not say; `yanked` says that the registry marks it as not to be used."""

    name: str
    digest: str | None
    yanked: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a registry was asked: FAIL is a no, UNKNOWN that it cannot be asked. `words` are a sentence,
    `todo` says what a person can do about a no."""

    answer: Answer
    words: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class YankAnswer:
    """What a registry did when asked to take a version back: `done`; what a person has to do, since there is no call
    for it (`by_hand`); and what nobody can do (`not_done`). All in sentences for people."""

    done: tuple[str, ...]
    by_hand: tuple[str, ...] = ()
    not_done: tuple[str, ...] = ()


class Registry(Protocol):
    """Where an ecosystem's packages come from. Addresses and credentials come from settings or from the ecosystem
    client's own configuration, never from code.

    `kinds` are the kinds of artifacts that it takes (`wheel`, `sdist`, `npm`, `oci`, `file`); empty: any.
    """

    api_version: int
    kinds: tuple[str, ...]

    def check(
        self, package: str, version: str, files: tuple[Path, ...], *, channel: str = STABLE
    ) -> tuple[Finding, ...]:
        """Whether publishing would work: can it be reached, are the credentials good, is the name free or ours, are
        the files in order? Publishes nothing. `files` is empty before anything is built. Trouble on the registry's
        side: UnavailableError; no credentials at all: ConfigurationError.
        """
        ...

    def find(self, package: str, version: str) -> tuple[PublishedFile, ...]:
        """The files of exactly this version; empty if there are none. Unreachable: UnavailableError."""
        ...

    def publish(
        self, package: str, version: str, files: tuple[Path, ...], *, channel: str = STABLE
    ) -> tuple[PublishedFile, ...]:
        """Make all `files` served; returns what the registry serves then.

        Idempotent by file name and digest: a file that is there with the same bytes is left alone, with other bytes
        is a ConflictError. Where the registry has a pointer for each `channel` (npm's dist-tags, a moving tag), it
        moves last, and never from a newer version to an older one. Trouble on the registry's side: UnavailableError,
        and a later call does what is missing.
        """
        ...

    def yank(self, package: str, version: str, *, reason: str, back_to: str | None = None) -> YankAnswer:
        """Take a version back as far as the registry allows. Idempotent.

        `back_to` is the version that was good before, None where none is known: channel pointers that name the bad
        version go there.
        """
        ...

    def verify_yank(self, package: str, version: str) -> Finding:
        """Whether the registry shows the version as taken back: PASS, FAIL, or UNKNOWN where it has no way to show
        it. Unreachable: UnavailableError."""
        ...

    def install_arguments(self) -> tuple[str, ...]:
        """What the ecosystem's installer needs to install from here (`--index-url …`); no secret."""
        ...
