"""Which lock files a manifest has, and what writes them."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import NamedTuple

from shipline.capabilities.version_files.locks.changed import Changed
from shipline.capabilities.version_files.locks.elsewhere import foreign
from shipline.capabilities.version_files.locks.helm import with_chart_versions
from shipline.capabilities.version_files.locks.npm import with_npm_ranges, with_pnpm_ranges, with_yarn_ranges
from shipline.capabilities.version_files.locks.poetry import with_poetry_digest
from shipline.domain.errors import RefusedError


class _Lock(NamedTuple):
    """A lock file: of which manifests, what writes it, and what makes it anew. None: it repeats no range of what is in
    the repository. One that is `shared` may be in a folder further up, for a whole workspace."""

    manifests: tuple[str, ...]
    writer: Callable[[str, bytes, Sequence[Changed]], bytes] | None
    command: str
    shared: bool = True


_LOCKS: Mapping[str, _Lock] = MappingProxyType(
    {
        "package-lock.json": _Lock(("package.json",), with_npm_ranges, "npm install --package-lock-only"),
        "npm-shrinkwrap.json": _Lock(("package.json",), with_npm_ranges, "npm install --package-lock-only"),
        "pnpm-lock.yaml": _Lock(
            ("package.json", "pnpm-workspace.yaml"), with_pnpm_ranges, "pnpm install --lockfile-only"
        ),
        "yarn.lock": _Lock(("package.json",), with_yarn_ranges, "yarn install"),
        "poetry.lock": _Lock(("pyproject.toml",), with_poetry_digest, "poetry lock", shared=False),
        "uv.lock": _Lock(("pyproject.toml",), None, "uv lock"),
        "Cargo.lock": _Lock(("Cargo.toml",), None, "cargo update --workspace"),
        "Chart.lock": _Lock(("Chart.yaml",), with_chart_versions, "helm dependency update", shared=False),
    }
)


def is_lock(path: str) -> bool:
    """True for a lock file that says what is required."""
    return posixpath.basename(path) in _LOCKS


def lock_paths(manifest: str) -> tuple[str, ...]:
    """Where lock files may be that say what a manifest requires; both from the root."""
    folder, name = posixpath.split(manifest)
    own = {lock: about.shared for lock, about in _LOCKS.items() if name in about.manifests}
    found = [posixpath.join(folder, lock) for lock in own]
    while folder:
        folder = posixpath.dirname(folder)
        found += [posixpath.join(folder, lock) for lock, shared in own.items() if shared]
    return tuple(found)


def locked_elsewhere(path: str, content: bytes, manifests: Sequence[Changed]) -> frozenset[tuple[str, str]]:
    """The manifest and the name of each of the requirements that a lock file answers from a registry."""
    with _refusing(path, manifests):
        return foreign(path, content, manifests)


def write_lock(path: str, content: bytes, manifests: Sequence[Changed]) -> bytes:
    """The lock file with what the manifests require now, and every other byte as it was.

    What says another range than a manifest did stays. RefusedError where it cannot be written.
    """
    about = _LOCKS[posixpath.basename(path)]
    missing = sorted({name for _, name in locked_elsewhere(path, content, manifests)})
    if missing:
        names = ", ".join(missing)[:200]
        raise RefusedError(
            f"{path} cannot be kept in step: it has {names} from a registry, where the new version is not yet",
            why="a lock file that disagrees with its manifest would be committed",
            todo=f"release {names} alone first; then write the new range into the manifest by hand, run"
            f" `{about.command}` and commit both. A workspace, or a path, does without that",
        )
    with _refusing(path, manifests):
        return content if about.writer is None else about.writer(path, content, manifests)


@contextmanager
def _refusing(path: str, manifests: Sequence[Changed]) -> Iterator[None]:
    try:
        yield
    except (ValueError, RecursionError, MemoryError, KeyError, AttributeError, TypeError) as error:
        paths = ", ".join(each.path for each in manifests)
        command = _LOCKS[posixpath.basename(path)].command
        raise RefusedError(
            f"{path} cannot be kept in step with {paths[:200]}",
            why=str(error)[:200],
            todo=f"run `{command}`, commit {path}, then run this again; if that does not help, write the range that the"
            " plan shows by hand, and the lock file with it, and commit both",
        ) from None
