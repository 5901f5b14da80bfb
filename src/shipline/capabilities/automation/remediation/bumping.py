"""What makes a repository require a version that mends something: its manifests, edited as bytes. Pure.

Lock files with checksums are not edited: the checksums are the registry's to say. They are named, with the command that
brings them after, and so is everything else that is left to people.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from shipline.capabilities.automation.remediation.flaws import name_of
from shipline.capabilities.automation.remediation.ranges import leaves, raised
from shipline.capabilities.automation.remediation.texts import neutral
from shipline.capabilities.version_files import (
    is_pinning,
    pinned,
    required_ranges,
    write_pinned,
    write_requirement,
)
from shipline.domain.errors import ShiplineError

MANIFESTS_MAX = 200
# So many sentences are told of each kind, each of so many characters: a forge takes a text of 65,536.
TOLD_MAX, SENTENCE_MAX = 10, 500
_NAME = re.compile(r"[A-Za-z0-9@._/~-]{1,200}")
_TARGET = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_:-]{0,99}")
_FOREIGN = frozenset({"node_modules", "vendor", "third_party"})
_MANIFESTS = {
    "pypi": ("pyproject.toml",),
    "npm": ("package.json", "pnpm-workspace.yaml"),
    "cargo": ("Cargo.toml",),
    "golang": (),
    "docker": (),
    "oci": (),
}
_PINS = {"pypi": ".txt", "golang": "go.mod", "docker": "file", "oci": "file"}
"""How the names of files end whose lines pin what is of this type."""
# The commands are those of the tools' own documentation.
_LOCKS = {
    "npm": {
        "package-lock.json": "npm install --package-lock-only",
        "npm-shrinkwrap.json": "npm install --package-lock-only",
        "yarn.lock": "yarn install",
        "pnpm-lock.yaml": "pnpm install --lockfile-only",
    },
    "pypi": {
        "poetry.lock": "poetry lock",
        "uv.lock": "uv lock",
        "Pipfile.lock": "pipenv lock",
        "pdm.lock": "pdm lock",
    },
    "cargo": {"Cargo.lock": "cargo update"},
    "golang": {"go.sum": "go mod tidy"},
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would be changed for `target`: `files` by path, with their new content; `changes` say it in sentences.

    `left` says what people have to do themselves, `locks` which lock files follow by which command. `is_settled`: all
    that names the dependency requires the target, or a later one, already.
    """

    purl: str
    target: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    is_settled: bool = False


def manifests_of(purl: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Those of a repository's files that may require the dependency, without what is copied from elsewhere."""
    kind = _kind(purl)
    return tuple(path for path in paths if _is_own(path) and _is_manifest(kind, path))


def _kind(purl: str) -> str:
    return purl.removeprefix("pkg:").partition("/")[0]


def _is_own(path: str) -> bool:
    return not _FOREIGN & set(PurePosixPath(path).parts)


def _is_manifest(kind: str, path: str) -> bool:
    if kind not in _MANIFESTS:
        return False
    if PurePosixPath(path).name in _MANIFESTS[kind]:
        return True
    return kind in _PINS and path.endswith(_PINS[kind]) and is_pinning(path)


def propose(
    purl: str, target: str, contents: Mapping[str, bytes], paths: Sequence[str], *, installed: frozenset[str]
) -> Proposal:
    """What is to be changed so that everything requires `target`. `contents` are those of the manifests, `paths` all
    files of the repository. `installed` are the versions in which something was found: images, whose tags have no
    order, are raised from those alone."""
    kind, name = _kind(purl), name_of(purl)
    if kind not in _MANIFESTS or not _NAME.fullmatch(name) or not _TARGET.fullmatch(target):
        return Proposal(purl, target, left=(f"require {neutral(target, 100)}: it is not known here where",))
    work = _Work(kind, name, target, installed)
    for path, content in sorted(contents.items()):
        work.take(path, content)
    if not work.is_named:
        work.left.append(
            "no manifest requires a range of it: update what it comes with, or the lock file, so that it is "
            f"{neutral(target, 100)}"
        )
    locks = tuple(_locks(kind, paths)) if work.files or work.left else ()
    is_settled = not (work.files or work.left)
    return Proposal(purl, target, work.files, _told(work.changes), _told(work.left), _told(locks), is_settled)


def _told(sentences: Sequence[str]) -> tuple[str, ...]:
    more = len(sentences) - TOLD_MAX
    cut = (sentence[:SENTENCE_MAX] for sentence in sentences[:TOLD_MAX])
    return (*cut, *((f"and {more} more of that kind",) if more > 0 else ()))


class _Work:
    """One dependency through all manifests."""

    def __init__(self, kind: str, name: str, target: str, installed: frozenset[str]) -> None:
        self.kind, self.name, self.target = kind, name, target
        self.installed = installed
        self.files: dict[str, bytes] = {}
        self.changes: list[str] = []
        self.left: list[str] = []
        self.is_named = False

    def take(self, path: str, content: bytes) -> None:
        """Edit one; what cannot be edited is left to people."""
        pins = is_pinning(path)
        try:
            ranges = pinned(path, content, self.name) if pins else required_ranges(path, content, self.name)
            self.is_named = self.is_named or bool(ranges)
            edited = content
            for text in ranges:
                edited = self._edited(path, edited, text, pins=pins)
        except ShiplineError as error:
            self.is_named = True
            self.left.append(f"require {self.target} in {neutral(path)} by hand: {neutral(error.sentence())}")
            return
        if edited != content:
            self.files[path] = edited

    def _edited(self, path: str, content: bytes, text: str, *, pins: bool) -> bytes:
        new = raised(self.kind, text, self.target)
        if self.kind in ("docker", "oci") and text not in (*self.installed, self.target):
            new = None
        if new is None:
            self.left.append(
                f"{neutral(path)} requires {neutral(text)}, which is not raised by itself: let it take {self.target}"
            )
            return content
        if new == text:
            return content
        write = write_pinned if pins else write_requirement
        edited = write(path, content, self.name, new, before=text)
        beyond = ", which leaves the range that was required and may break something"
        told = beyond if leaves(self.kind, text, self.target) else ""
        self.changes.append(f"{neutral(path)}: {neutral(text)} becomes {neutral(new)}{told}")
        return edited


def _locks(kind: str, paths: Sequence[str]) -> Iterator[str]:
    known = _LOCKS.get(kind, {})
    for path in paths:
        command = known.get(PurePosixPath(path).name)
        if command is not None and _is_own(path):
            yield f"run `{command}` for {neutral(path)}: it holds checksums, which only the registry can say"
