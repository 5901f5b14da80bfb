"""Project and Package: what is released, and where it lives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shipline.domain.errors import UsageError

KNOWN_SHOWN_MAX = 20

DEFAULT_ORGANISATION = "org_00000000000070008000000000000000"
DEFAULT_PROJECT = "prj_00000000000070008000000000000000"


@dataclass(frozen=True, slots=True)
class Project:
    """One repository. Every row and stream carries its id and that of its organisation."""

    id: str = DEFAULT_PROJECT
    organisation_id: str = DEFAULT_ORGANISATION
    name: str = "default"


@dataclass(frozen=True, slots=True)
class Package:
    """Something with a version of its own.

    `path` is relative to the repository's root with forward slashes, "." for the root. `ecosystem` is `python`,
    `npm`, `cargo`, `helm` or `plain`; `scheme` is `semver`, `pep440` or `calver:` with a format; `tag_format` holds
    `{version}` and may hold `{package}`. `include` and `exclude` are globs from the root: what belongs to the package
    beside its own folder, and what does not although it lies in it.
    """

    name: str
    path: str = "."
    ecosystem: str = "plain"
    scheme: str = "semver"
    tag_format: str = "v{version}"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def tag(self, version: str) -> str:
        """The git tag of `version`."""
        return self.tag_format.replace("{package}", self.name).replace("{version}", version)


def unknown_package(name: str, known: Sequence[str]) -> UsageError:
    """The error for a package that there is not: it says which one may have been meant, and which there are."""
    import difflib  # noqa: PLC0415 - a plan has no time for it

    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    more = f" and {len(known) - KNOWN_SHOWN_MAX} more" if len(known) > KNOWN_SHOWN_MAX else ""
    listed = ", ".join(known[:KNOWN_SHOWN_MAX]) + more
    return UsageError(f"there is no package {name[:80]!r}", todo=f"{hint}the packages: {listed}")


@dataclass(frozen=True, slots=True)
class Group:
    """Packages whose versions belong together.

    `packages` are names, or globs of names. `fixed`: all of them are released whenever one is, at one version. Else
    they are linked: those that are released together get one version.
    """

    name: str
    packages: tuple[str, ...]
    fixed: bool = False
