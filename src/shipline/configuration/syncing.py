"""`[sync]`: the other forge that this one is kept alike with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from shipline.configuration.limits import Limits
from shipline.configuration.tables import ProviderTable


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """`[sync]`: issues, comments, labels and milestones of `[forge]` are kept alike with those of another forge.

    `forge` is a table like `[forge]`, with `provider` and `repository`; without it nothing is kept alike. `wins` is the
    side whose text is taken where both have changed it: here, which is `[forge]`, or there. `every_s` is how often a
    server looks by itself, in seconds. `removals_max` is how many items one pass may remove.
    """

    forge: Annotated[dict[str, Any], ProviderTable("forge")] = field(default_factory=dict)
    wins: Annotated[str, Limits(choices=("here", "there"))] = "here"
    every_s: Annotated[int, Limits(minimum=60, maximum=86_400)] = 900
    removals_max: Annotated[int, Limits(minimum=0, maximum=100_000)] = 50
