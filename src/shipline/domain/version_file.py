"""Where a package's version stands: a file of a known kind, and the bytes of it that say the version."""

from __future__ import annotations

from dataclasses import dataclass

# What `kind` may be, in the order in which the files of a package are listed; the room `version_files` knows each.
VERSION_FILE_KINDS = (
    "python-project",
    "setup-cfg",
    "cargo-package",
    "npm-package",
    "composer",
    "maven",
    "gradle",
    "gradle-properties",
    "gemspec",
    "ruby-module",
    "helm-chart",
    "helm-app-version",
    "plain",
    "python-module",
    "dockerfile",
    "dockerfile-arg",
    "kustomize",
    "marker",
    "pattern",
    "npm-lock",
    "uv-lock",
    "cargo-lock",
    "pnpm-lock",
    "yarn-lock",
    "poetry-lock",
)


@dataclass(frozen=True, slots=True)
class VersionFile:
    """A file in which the version of a package stands.

    `path` is relative to the repository's root. `kind` is one of VERSION_FILE_KINDS; `pattern` belongs to the kind
    `pattern` alone. Of a file that states many versions, `names` and `folder` say which is meant: the names that the
    package goes by in it, and the package's folder as seen from the file's, "." for the same one.
    """

    path: str
    kind: str
    pattern: str = ""
    names: tuple[str, ...] = ()
    folder: str = "."


@dataclass(frozen=True, slots=True)
class Site:
    """One place that states a version: `version` stands in the bytes from `start` to `end`, exclusive, of `path`."""

    path: str
    kind: str
    start: int
    end: int
    version: str
