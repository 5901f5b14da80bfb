"""What every provider is built from.

A provider class has an inner frozen dataclass `Settings` (its table in `shipline.toml`, checked strictly by it) and
is constructed as `Provider(settings, context)`, which does no I/O. Providers come in by entry points
(`shipline.registry`, `shipline.target` ...), built-in ones too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shipline.ports.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from shipline.ports.forge import Forge
    from shipline.ports.variables import Variables


@dataclass(frozen=True, slots=True)
class ProviderContext:
    """Where a provider works.

    `root` is the top of the repository. `state` is a folder that outlives the process, created on first use with mode
    0700: this provider's own, but for traffic and signals of one environment, which share theirs.
    `environment` is the environment's name, or "" for providers that serve none. `given` is what a target gives to what
    it starts, None where that is nothing; one that can says so by `gives`, a tuple of "variables" and "secrets".
    `target` are the Settings of the environment's target, for the traffic of the same platform; None for all others.
    `read_secret` reads what a table such as `{ environment = "NAME" }` in the provider's own settings refers to, for a
    signer and an assistant; None for all others.
    `forge_of` makes the forge of the repository that a remote's address names; None where there is nothing to ask.
    """

    root: Path
    state: Path
    clock: Clock
    environment: str = ""
    given: Variables | None = None
    target: object = None
    forge_of: Callable[[str], Forge] | None = None
    read_secret: Callable[[dict[str, Any]], str] | None = None

    @property
    def variables(self) -> Variables:
        """What is given, also where that is nothing."""
        from shipline.ports.variables import Variables  # noqa: PLC0415 - a plan has a context, and no time for it

        return Variables() if self.given is None else self.given
