"""Which folders a workspace says its packages lie in: npm, pnpm, Cargo, uv, Poetry, and Helm's `charts/`. Pure.

Sources: https://docs.npmjs.com/cli/v10/using-npm/workspaces; https://pnpm.io/pnpm-workspace_yaml;
https://doc.rust-lang.org/cargo/reference/workspaces.html; https://docs.astral.sh/uv/concepts/projects/workspaces/;
https://python-poetry.org/docs/dependency-specification/#path-dependencies.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.plans.globs import cleaned, literal_folder, selected
from shipline.capabilities.plans.packages.documents import read_document, strings, sub
from shipline.capabilities.plans.packages.manifests import MANIFESTS
from shipline.domain.errors import ConfigurationError
from shipline.domain.package import Package

ROOT_FILES = (*MANIFESTS, "pnpm-workspace.yaml")
LEFT_OUT = "node_modules"  # Foreign packages, whichever pattern would match them.
# What only serves tests may be broken on purpose, where a pattern such as `**` matches it too.
FIXTURES = frozenset({"test", "tests", "__tests__", "testdata", "fixtures", "__fixtures__"})
SHOWN_MAX = 5


@dataclass(frozen=True, slots=True)
class Members:
    """The folders that one workspace names: glob `patterns` with `!` for what is left out.

    A package there has one of `manifests`. `source` says in words who names them.
    """

    source: str
    patterns: tuple[str, ...]
    manifests: tuple[str, ...]


def workspaces_of(contents: Mapping[str, bytes]) -> tuple[Members, ...]:
    """The workspaces that the files at the top declare; `contents` are those of ROOT_FILES, by name.

    Charts in `charts/` are packages where a workspace is declared, or where the top has no manifest: beside a single
    package they are a part of it until somebody says otherwise.
    """
    tables = {name: read_document(name, content) for name, content in contents.items()}
    declared = [each for each in (_npm(tables), _cargo(tables), _uv(tables), _poetry(tables)) if each is not None]
    if declared or not any(name in contents for name in MANIFESTS):
        declared.append(Members("charts/", ("charts/*",), ("Chart.yaml",)))
    return tuple(declared)


def prefixes(members: Sequence[Members]) -> tuple[str, ...]:
    """The folders to list so that all members are seen, "" for the whole tree."""
    return tuple(dict.fromkeys(literal_folder(each) for one in members for each in one.patterns if each[:1] != "!"))


def member_folders(members: Members, files: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The folders with a manifest among those that the patterns name, and those that have none."""
    kept = [path for path in files if LEFT_OUT not in path.split("/")]
    holders = {posixpath.dirname(path) for path in kept if posixpath.basename(path) in members.manifests}
    chosen = set(selected(members.patterns, sorted(holders - {""})))
    # Behind `**` every folder would be one without a manifest.
    single = tuple(each for each in members.patterns if "**" not in each)
    bare = set(selected(single, sorted(_folders(kept)))) - holders
    return tuple(sorted(chosen)), tuple(sorted(bare))


def bare_note(members: Members, bare: Sequence[str]) -> str:
    """What is said of folders that match and have no manifest."""
    more = f" and {len(bare) - SHOWN_MAX} more" if len(bare) > SHOWN_MAX else ""
    wanted = " or ".join(members.manifests)
    return f"Left aside for want of a {wanted}: {', '.join(bare[:SHOWN_MAX])}{more} (named by {members.source})."


def is_fixture(folder: str) -> bool:
    """True for a folder that only serves tests."""
    return not FIXTURES.isdisjoint(folder.split("/"))


def check_names(packages: Sequence[Package]) -> None:
    """Refuse two folders with packages of one name: their tags and changelogs could not be told apart."""
    seen: dict[str, Package] = {}
    for package in packages:
        other = seen.setdefault(package.name, package)
        if other.path != package.path:
            raise ConfigurationError(
                f"two packages are named {package.name!r}",
                why=f"one is in {other.path}, the other in {package.path}",
                todo='rename one of them, or give it another name with [[package]] name = "..." in shipline.toml',
            )


def _folders(files: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for path in files:
        folder = posixpath.dirname(path)
        while folder and folder not in found:
            found.add(folder)
            folder = posixpath.dirname(folder)
    return found


def _npm(tables: Mapping[str, dict[str, Any]]) -> Members | None:
    pnpm = strings(tables.get("pnpm-workspace.yaml", {}).get("packages"))
    if pnpm:
        return Members("pnpm-workspace.yaml", pnpm, ("package.json",))
    declared = tables.get("package.json", {}).get("workspaces")
    patterns = strings(declared.get("packages") if isinstance(declared, dict) else declared)
    return Members("workspaces in package.json", patterns, ("package.json",)) if patterns else None


def _cargo(tables: Mapping[str, dict[str, Any]]) -> Members | None:
    table = sub(tables.get("Cargo.toml", {}), "workspace")
    return _with_excludes("[workspace] in Cargo.toml", table, "Cargo.toml")


def _uv(tables: Mapping[str, dict[str, Any]]) -> Members | None:
    table = sub(tables.get("pyproject.toml", {}), "tool", "uv", "workspace")
    return _with_excludes("[tool.uv.workspace] in pyproject.toml", table, "pyproject.toml")


def _with_excludes(source: str, table: dict[str, Any], manifest: str) -> Members | None:
    """Cargo leaves out whole trees by their top, uv by globs: both are met by the folder and all below it."""
    members = tuple(each for each in strings(table.get("members")) if each[:1] != "!")
    out = tuple(f"!{each}{below}" for each in map(cleaned, strings(table.get("exclude"))) for below in ("", "/**"))
    return Members(source, (*members, *out), (manifest,)) if members else None


def _poetry(tables: Mapping[str, dict[str, Any]]) -> Members | None:
    paths = tuple(dict.fromkeys(_paths(tables.get("pyproject.toml", {}))))
    return Members("path packages in pyproject.toml", paths, ("pyproject.toml",)) if paths else None


def _paths(table: dict[str, Any]) -> Iterator[str]:
    """The folders of path dependencies that lie in this repository."""
    poetry = sub(table, "tool", "poetry")
    groups = [sub(poetry, "group", name) for name in sub(poetry, "group")]
    tables = [sub(each, "dependencies") for each in (poetry, *groups)]
    for wanted in (wanted for each in (*tables, sub(table, "tool", "uv", "sources")) for wanted in each.values()):
        path = wanted.get("path") if isinstance(wanted, dict) else None
        inside = posixpath.normpath(path) if isinstance(path, str) else ".."
        if inside != "." and not inside.startswith(("..", "/")) and not inside.endswith((".whl", ".tar.gz")):
            yield _escaped(inside)


def _escaped(path: str) -> str:
    """A path that is one, whatever it holds."""
    return "".join(f"[{each}]" if each in "*?[" else each for each in path)
