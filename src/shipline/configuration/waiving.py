"""`[waiving]`: what waivers of findings are held to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from shipline.configuration.limits import Limits

_ROLE = Limits(pattern=r"[A-Za-z_][A-Za-z0-9_-]{0,60}", meaning="a role of approvers")


@dataclass(frozen=True, slots=True)
class WaivingSettings:
    """`[waiving]`: what waivers of findings are held to.

    `days_max` is how many days one may hold, from the day on which it was given. `roles` are those whose
    approvers may waive; without any, every approver may.
    """

    days_max: Annotated[int, Limits(minimum=1, maximum=3650)] = 90
    roles: tuple[Annotated[str, _ROLE], ...] = ()
