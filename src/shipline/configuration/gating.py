"""`[gates]`: which ready-made gates hold, and what is told of their verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from shipline.configuration.limits import Limits

SETS = ("quality", "security", "compliance")


@dataclass(frozen=True, slots=True)
class GatesSettings:
    """`[gates]`: what concerns all gates.

    `sets` are ready-made sets of gates: quality, security or compliance. With `statuses` each verdict is posted to the
    forge, as a status of the commit.
    """

    sets: tuple[Annotated[str, Limits(choices=SETS)], ...] = ()
    statuses: bool = False
