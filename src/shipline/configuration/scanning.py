"""The table `[scan]`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

from shipline.configuration.limits import Limits
from shipline.configuration.root import FILE_NAME
from shipline.domain.errors import ConfigurationError, UsageError


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """`[scan]`: scanners of others, and what they are to look at.

    `scanners` are those that `shipline scan` runs where it is given none, and that every release is looked at by; they
    have to be installed then. Empty: `shipline scan` runs what is installed and works offline, and a release nothing.
    `arguments` are added to a scanner's own, by its name. `timeout_s` bounds each of them, in seconds.
    """

    scanners: tuple[str, ...] = ()
    arguments: dict[str, tuple[str, ...]] = field(default_factory=dict)
    timeout_s: Annotated[int, Limits(minimum=1, maximum=86_400)] = 600


def scan_complaints(said: ScanSettings) -> Iterator[ConfigurationError]:
    """Scanners that nobody knows."""
    names = dict.fromkeys((*said.scanners, *said.arguments))
    if not names:
        return
    from shipline.capabilities.evidence import scanner_named  # noqa: PLC0415 - loading has no need of the room

    for name in names:
        try:
            scanner_named(name)
        except UsageError as error:
            yield ConfigurationError(f"{FILE_NAME}, scan: {error.what}", todo=error.todo)
