"""The table `[advisories]`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from shipline.configuration.limits import Limits


@dataclass(frozen=True, slots=True)
class AdvisoriesSettings:
    """`[advisories]`: by what shipped releases are examined. Such a table has these beside its provider's own keys.

    `provider` is the database. Every `every_s` seconds a server examines all that was shipped; 0: only
    `shipline advisories check` does.
    """

    provider: str
    every_s: Annotated[int, Limits(minimum=0, maximum=31_536_000)] = 86_400
