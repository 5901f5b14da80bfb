"""`[retention]`: how long what a project has stored is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from shipline.configuration.limits import Limits

_DAYS = Limits(minimum=0, maximum=36_500)


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """`[retention]`: how long what a project has stored is kept, in days; 0: for ever.

    `reports_days` is about the reports of published releases as the tools wrote them, which their bundles hold, too.
    `artifacts_days` is about this machine's copies of what was built, counted from when a version was last served, and
    `journals_days` about the steps of runs that have ended. Events, bundles and statements are always kept.
    """

    reports_days: Annotated[int, _DAYS] = 0
    artifacts_days: Annotated[int, _DAYS] = 0
    journals_days: Annotated[int, _DAYS] = 0
