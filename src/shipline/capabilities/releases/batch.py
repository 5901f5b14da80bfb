"""What one release commit holds: of each package of a plan its version files, changelog, requirements and changesets.

The same function edits the work tree, a commit beside the branch, that of a release pull request, and what a dry run
shows; they differ in where they read and write alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from shipline.capabilities.plans import prepend, without_package
from shipline.capabilities.releases.footing import KEY_TRAILER, Footing, Share, inside, version_files_of
from shipline.capabilities.releases.rules import subject_of
from shipline.capabilities.version_files import (
    Changed,
    Rewritten,
    content_of,
    lock_paths,
    locked_elsewhere,
    own_file,
    write_atomically,
    write_lock,
    write_requirement,
    write_version,
)
from shipline.domain.codec import from_json
from shipline.domain.errors import ShiplineError
from shipline.domain.package import Package
from shipline.domain.release_plan import RequirementEdit
from shipline.domain.version_file import VersionFile
from shipline.ports.repository import Repository


@dataclass(frozen=True, slots=True)
class Part:
    """One package's part of a release commit.

    `section` is the version's part of the changelog. `changelog` is relative to the package, "" leaves it alone.
    `replaces` is what the changelog says of this version already, from a commit that nobody has tagged; "" for nothing.
    `locks` are the lock files that may repeat what `requirements` say.
    """

    package: Package
    version: str
    section: str
    version_files: tuple[VersionFile, ...]
    changelog: str
    requirements: tuple[RequirementEdit, ...] = ()
    changesets: tuple[str, ...] = ()
    replaces: str = ""
    locks: tuple[str, ...] = ()

    @property
    def share(self) -> Share:
        """What it may write, and the key that the commit has for it."""
        return Share(
            package=self.package.name,
            version=self.version,
            version_files=self.version_files,
            changelog=self.changelog_path,
            manifests=(*(edit.path for edit in self.requirements), *self.locks),
        )

    @property
    def changelog_path(self) -> str:
        """From the root, "" for none."""
        return inside(self.package, self.changelog) if self.changelog else ""

    @property
    def paths(self) -> tuple[str, ...]:
        """All files that it reads and may write."""
        return (*self.share.paths, *self.changesets)


Reader = Callable[[str], bytes | None]
"""The content of a file, by its path from the root; None where there is none."""


def parts_of(given: dict[str, Any], version: str, section: str) -> tuple[Part, ...]:
    """The parts of a run's commit, by its input: the release's own first, then those of its fellows."""
    own = Part(
        package=from_json(Package, given["package"]),
        version=version,
        section=section,
        version_files=version_files_of(given),
        changelog=given["changelog"],
        requirements=tuple(from_json(RequirementEdit, each) for each in given.get("requirements", ())),
        changesets=tuple(given.get("changesets", ())),
        replaces=given.get("replaces", ""),
        locks=tuple(given.get("locks", ())),
    )
    return (own, *(from_json(Part, each) for each in given.get("others", ())))


def footing_of(given: dict[str, Any], parts: Sequence[Part]) -> Footing:
    """The footing of a run, by its input and the parts of its commit."""
    return Footing(tuple(part.share for part in parts), given.get("base"), given.get("branch"))


def edited_files(parts: Sequence[Part], read: Reader) -> dict[str, bytes | None]:
    """Every file that the commit is about as it then is, also one that is so already; None for one that is not there.

    Does the same again with what it made before. Raises ShiplineError for what cannot be edited.
    """
    files: dict[str, bytes | None] = {}

    def now(path: str) -> bytes | None:
        return files[path] if path in files else read(path)

    parts = _without_foreign(parts, read)
    for part in parts:
        # One after the other, since a package may be in one file with another, and a changeset of both.
        files.update(_edits(part, now))
    # Before the manifests: a digest is made from the manifest as it was, which is gone once it is written.
    locked = _locked(parts, read, files)
    return {**locked, **files, **locked}


def _locked(parts: Sequence[Part], read: Reader, files: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
    """The lock files as they are then, each at once, since what one package requires another one may require too."""
    requirements = _rewritten(parts)
    locked: dict[str, bytes | None] = {}
    for path in dict.fromkeys(path for part in parts for path in part.locks):
        content = files[path] if path in files else read(path)
        manifests = [
            Changed(manifest, before, after, tuple(some))
            for manifest, some in requirements.items()
            if path in lock_paths(manifest) and (before := read(manifest)) and (after := files.get(manifest))
        ]
        if content is not None:
            locked[path] = write_lock(path, content, manifests)
    return locked


def _without_foreign(parts: Sequence[Part], read: Reader) -> list[Part]:
    """The parts without what is required for development and locked from a registry: it has no need of the new version,
    and nobody can lock that before its release."""
    foreign: set[tuple[str, str]] = set()
    developed = [replace(part, requirements=_for_development(part)) for part in parts]
    for path in dict.fromkeys(path for part in developed if part.requirements for path in part.locks):
        content = read(path)
        manifests = [
            Changed(manifest, b"", b"", tuple(some))
            for manifest, some in _rewritten(developed).items()
            if path in lock_paths(manifest)
        ]
        foreign |= locked_elsewhere(path, content, manifests) if content is not None else frozenset()
    return [
        replace(
            part,
            requirements=tuple(
                edit for edit in part.requirements if not (edit.development and (edit.path, edit.name) in foreign)
            ),
        )
        for part in parts
    ]


def _for_development(part: Part) -> tuple[RequirementEdit, ...]:
    return tuple(edit for edit in part.requirements if edit.development)


def _rewritten(parts: Sequence[Part]) -> dict[str, list[Rewritten]]:
    """The ranges that are written anew in each manifest."""
    found: dict[str, list[Rewritten]] = {}
    for edit in (edit for part in parts for edit in part.requirements if edit.after != edit.before):
        found.setdefault(edit.path, []).append(Rewritten(edit.name, edit.before, edit.after, edit.version))
    return found


def _edits(part: Part, now: Reader) -> Iterator[tuple[str, bytes | None]]:
    for file in part.version_files:
        yield file.path, write_version(file, _there(file.path, now), part.version)
    for edit in part.requirements:
        if edit.after != edit.before:
            written = write_requirement(edit.path, _there(edit.path, now), edit.name, edit.after, before=edit.before)
            yield edit.path, written
    for name in part.changesets:
        content = now(name)
        # Other packages keep their lines until they are released themselves, whatever happens in between.
        yield name, None if content is None else without_package(name, content, part.package.name)
    if part.changelog_path:
        text = (now(part.changelog_path) or b"").decode("utf-8", "surrogateescape")
        yield part.changelog_path, _with_section(text, part).encode("utf-8", "surrogateescape")


def _there(path: str, now: Reader) -> bytes:
    content = now(path)
    if content is None:
        raise ShiplineError(f"{path} is not there", todo="commit it, or take it out of version_files")
    return content


def _with_section(text: str, part: Part) -> str:
    old = part.replaces.strip()
    if old and old in text:
        new = part.section.strip()
        return text.replace(old, new.replace("\n", "\r\n") if "\r\n" in old else new, 1)
    return prepend(text, part.section, part.version)


def message_of(pattern: str, parts: Sequence[Part], *more: str) -> tuple[str, str]:
    """The commit's message without its last key, and that key: each package has one, and `more` come after them."""
    subject = subject_of(pattern, [(part.package.name, part.version) for part in parts])
    *keys, last = [*(part.share.key for part in parts), *more]
    trailers = "\n".join(f"{KEY_TRAILER}: {key}" for key in keys)
    return f"{subject}\n\n{trailers}" if trailers else subject, last


def in_tree(root: Path) -> Reader:
    """Reads the work tree. RefusedError where a link leads to a file."""
    return lambda path: content_of(root, path) if own_file(root, path).exists() else None


def in_commit(repository: Repository, commit: str, parts: Sequence[Part]) -> Reader:
    """Reads what the parts are about as it is in a commit."""
    paths = tuple(dict.fromkeys(path for part in parts for path in part.paths))
    return repository.read_files(paths, commit).get


def write_parts(root: Path, parts: Sequence[Part]) -> tuple[str, ...]:
    """Edit the work tree, and give the paths that the commit is about; changes nothing the second time."""
    read = in_tree(root)
    files = edited_files(parts, read)
    own = partial(own_file, root)
    for path, content in files.items():
        if content is None:
            own(path).unlink(missing_ok=True)
        elif content != read(path):
            write_atomically(own(path), content)
    return tuple(files)
