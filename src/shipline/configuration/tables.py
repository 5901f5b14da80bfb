"""What is noted about tables that are checked by whoever they are for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProviderTable:
    """Notes that a table is a provider's own: `provider` names one of `port`, the rest are that provider's Settings.

    `default` is the provider where the table names none; "" leaves that to what is found out later. `common` is the
    dataclass of the keys that the table has whatever the provider is; with it the provider must be named, unless it
    `may_be_empty`, which is the same as no table.
    """

    port: str
    default: str = ""
    common: type | None = None
    may_be_empty: bool = False
