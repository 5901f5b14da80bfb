"""`[freezes]`: what freezes are held to that people declare while Shipline runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from shipline.configuration.limits import Limits

_LONGEST = Limits(pattern="[1-9][0-9]{0,4}(?:min|h|d)", meaning="a time such as 90min, 12h or 14d")


@dataclass(frozen=True, slots=True)
class FreezesSettings:
    """`[freezes]`: freezes that people declare while Shipline runs, beside those of the calendar.

    `longest` is how long one may last, as in `90min`, `12h` or `14d`.
    """

    longest: Annotated[str, _LONGEST] = "14d"
