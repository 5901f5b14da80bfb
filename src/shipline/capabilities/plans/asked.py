"""What is asked for where a plan is made: what people said, whatever the repository holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from shipline.capabilities.plans.bumps import BumpRules
from shipline.capabilities.plans.channels import Channel
from shipline.domain.package import Group

if TYPE_CHECKING:
    from shipline.domain.version_file import VersionFile


@dataclass(frozen=True, slots=True)
class Monorepo:
    """What people said of their packages as a whole.

    `source` is where the changes come from: commits, changesets or both; "" is changesets where there is a folder of
    them, else commits. `notes` are repeated by the plan. `version_files` are those that they named, by package,
    relative to it: they state the first version.
    """

    groups: tuple[Group, ...] = ()
    source: str = ""
    notes: tuple[str, ...] = ()
    version_files: Mapping[str, tuple[VersionFile, ...]] = field(default_factory=dict)


ALONE = Monorepo()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a plan is to be like, whatever the repository holds."""

    aim: Channel
    day: date | None
    bumps: BumpRules
    monorepo: Monorepo
