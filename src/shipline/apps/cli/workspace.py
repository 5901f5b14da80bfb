"""What a command is handed by the group that it runs in: the repository, and the packages that are configured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from shipline.capabilities.plans import BumpRules, Channel, Monorepo, Style
from shipline.domain.package import Package
from shipline.domain.release_plan import ReleasePlan
from shipline.ports.repository import Repository


class Workspace(Protocol):
    """The click context's object. Properties do their work when they are first read."""

    @property
    def repository(self) -> Repository:
        """The repository of the current folder."""
        ...

    @property
    def branch(self) -> str | None:
        """The branch that HEAD is on, or is known to be of; None where it is detached and nothing tells."""
        ...

    def unfinished(self) -> dict[str, tuple[str, str]]:
        """The version and status of each package's release that has begun here and is not out."""
        ...

    def plan(self, asked: str | None) -> ReleasePlan:
        """The plan of HEAD on the channel that is asked for, or that of the current branch."""
        ...

    @property
    def packages(self) -> Sequence[Package] | None:
        """The configured packages, None where nothing is configured and they are found in the repository."""
        ...

    @property
    def monorepo(self) -> Monorepo:
        """How the packages are planned together."""
        ...

    @property
    def bumps(self) -> BumpRules:
        """How far changes move a version."""
        ...

    @property
    def changelog_style(self) -> Style:
        """How changelogs look."""
        ...

    @property
    def changelog_template(self) -> str | None:
        """The user's template, None where there is none."""
        ...

    @property
    def today(self) -> date:
        """The day in UTC."""
        ...

    def channel(self, asked: str | None) -> Channel:
        """The channel that was asked for, or that of the current branch."""
        ...
