"""What commands in comments need of other tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from shipline.configuration.root import FILE_NAME
from shipline.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from shipline.configuration.settings import Settings


def command_complaints(settings: Settings) -> Iterator[ConfigurationError]:
    """What commands need of other tables."""
    said = asdict(settings.automation.commands)
    if any(said.values()) and not settings.forge:
        yield ConfigurationError(
            f"{FILE_NAME}, automation.commands: nobody can be asked who may", todo="add [forge], which is asked"
        )
    if said["release"] and not settings.release.remote:
        yield ConfigurationError(
            f"{FILE_NAME}, automation.commands: nothing can be released without a remote",
            todo="set remote in [release]",
        )
