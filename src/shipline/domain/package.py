"""Project and Package: what is released, and where it lives."""

from __future__ import annotations

from dataclasses import dataclass

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
    `npm` or `plain`; `scheme` is `semver`, `pep440` or `calver:` with a format; `tag_format` holds `{version}` and may
    hold `{package}`.
    """

    name: str
    path: str = "."
    ecosystem: str = "plain"
    scheme: str = "semver"
    tag_format: str = "v{version}"

    def tag(self, version: str) -> str:
        """The git tag of `version`."""
        return self.tag_format.replace("{package}", self.name).replace("{version}", version)
