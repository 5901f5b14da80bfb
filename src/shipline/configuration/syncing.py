"""`[sync]`: the other forge that this one is kept alike with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from shipline.configuration.limits import Limits
from shipline.configuration.tables import ProviderTable


@dataclass(frozen=True, slots=True)
class MirrorSettings:
    """`[sync.mirror]`: branches and tags are carried between both forges.

    `direction` is where to: "both" ways, "to-there" or "to-here", which is `[forge]`; "" carries nothing. `branches`
    and `tags` are patterns of their names, in which `*` stands for anything; `!` before one leaves out what fits it.
    Branches of the merge queue are never carried. What fits `rewrite` may also be moved backwards, or aside, where
    only one side has changed it, as Shipline does with its own; all else goes forward alone.
    """

    direction: Annotated[str, Limits(choices=("", "both", "to-there", "to-here"))] = ""
    branches: tuple[str, ...] = ("*",)
    tags: tuple[str, ...] = ("*",)
    rewrite: tuple[str, ...] = ("shipline/*",)


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """`[sync]`: issues, comments, labels and milestones of `[forge]` are kept alike with those of another forge.

    `forge` is a table like `[forge]`, with `provider` and `repository`; without it nothing is kept alike. `wins` is the
    side whose text is taken where both have changed it: here, which is `[forge]`, or there. `every_s` is how often a
    server looks by itself, in seconds. `removals_max` is how many items one pass may remove. `test_every_s`
    is how often a server sends a marked label round, to see that it works; 0: never. `mirror` carries branches and
    tags, too.
    """

    forge: Annotated[dict[str, Any], ProviderTable("forge")] = field(default_factory=dict)
    wins: Annotated[str, Limits(choices=("here", "there"))] = "here"
    every_s: Annotated[int, Limits(minimum=60, maximum=86_400)] = 900
    removals_max: Annotated[int, Limits(minimum=0, maximum=100_000)] = 50
    test_every_s: Annotated[int, Limits(minimum=0, maximum=2_592_000)] = 0
    mirror: MirrorSettings = field(default_factory=MirrorSettings)
