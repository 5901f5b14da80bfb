"""The table of the milestone flow, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from shipline.configuration.limits import Limits
from shipline.configuration.root import FILE_NAME
from shipline.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from shipline.configuration.settings import Settings

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


def milestone_complaints(settings: Settings) -> Iterator[ConfigurationError]:
    """What the flow needs of other tables."""
    if not settings.automation.milestones.enabled:
        return
    release, where = settings.release, f"{FILE_NAME}, automation.milestones"
    missing = [
        words
        for words, is_there in (
            ("branch in [release]", release.branch != ""),
            ("remote in [release]", release.remote != ""),
            ('mode = "pull-request" in [release]', release.mode == "pull-request"),
            ("release_on_push = true in [automation]", settings.automation.release_on_push),
            ("[forge]", bool(settings.forge)),
        )
        if not is_there
    ]
    if missing:
        yield ConfigurationError(
            f"{where}: milestones cannot lead to releases without {', '.join(missing)}", todo="set that, too"
        )
