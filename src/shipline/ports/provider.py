"""What every provider is built from.

A provider class has an inner frozen dataclass `Settings` (its table in `shipline.toml`, checked strictly by it) and
is constructed as `Provider(settings, context)`, which does no I/O. Providers come in by entry points
(`shipline.registry`, `shipline.target` ...), built-in ones too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from shipline.ports.clock import Clock
from shipline.ports.variables import Variables


@dataclass(frozen=True, slots=True)
class ProviderContext:
    """Where a provider works.

    `root` is the top of the repository. `state` is a folder that outlives the process, created on first use with mode
    0700: this provider's own, but for traffic and signals of one environment, which share theirs.
    `environment` is the environment's name, or "" for providers that serve none. `variables` are what a target gives to
    what it starts; one that can says so by `gives`, a tuple of "variables" and "secrets", and others get none.
    """

    root: Path
    state: Path
    clock: Clock
    environment: str = ""
    variables: Variables = field(default_factory=Variables)
