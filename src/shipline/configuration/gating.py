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
    forge, as a status of the commit. `page` is where people find this project's page, which these statuses then lead
    to: an address up to what stands before `/releases`; "": they lead nowhere.
    """

    sets: tuple[Annotated[str, Limits(choices=SETS)], ...] = ()
    statuses: bool = False
    page: Annotated[
        str,
        Limits(pattern=r"|https?://[A-Za-z0-9.:\[\]_-]{1,255}(?:/[A-Za-z0-9._~/-]{0,500})?", meaning="a web address"),
    ] = ""
