"""What is asked for where a plan is made: what people said, whatever the repository holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from shipline.capabilities.plans.bumps import BumpRules
from shipline.capabilities.plans.channels import Channel
from shipline.domain.package import Group


@dataclass(frozen=True, slots=True)
class Monorepo:
    """What people said of their packages as a whole.

    `source` is where the changes come from: commits, changesets or both; "" is changesets where there is a folder of
    them, else commits. `notes` are repeated by the plan.
    """

    groups: tuple[Group, ...] = ()
    source: str = ""
    notes: tuple[str, ...] = ()


ALONE = Monorepo()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a plan is to be like, whatever the repository holds."""

    aim: Channel
    day: date | None
    bumps: BumpRules
    monorepo: Monorepo
