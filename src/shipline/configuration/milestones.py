"""The table of the milestone flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from shipline.configuration.limits import Limits

_BRANCH = Limits(pattern=r"|[^-\s][^\s]{0,249}", meaning="empty, or a branch's name")


@dataclass(frozen=True, slots=True)
class MilestoneFlowSettings:
    """`[automation.milestones]`: milestones whose title is a version lead to its release.

    `enabled` switches it on. `development_branch` is where changes are merged, "" for the `branch` of `[release]`.
    `when_issues_are_open` says what becomes of a milestone that is closed with open issues: `report` lists them in
    the tracking issue, `reopen` opens the milestone again, too. `package` is the one whose versions they are, "" for
    the only one.
    """

    enabled: bool = False
    development_branch: Annotated[str, _BRANCH] = ""
    when_issues_are_open: Annotated[str, Limits(choices=("report", "reopen"))] = "report"
    package: Annotated[str, Limits(pattern=r"|\S.{0,199}", meaning="empty, or a package's name")] = ""
