"""What the milestone flow needs of other tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shipline.configuration.root import FILE_NAME
from shipline.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from shipline.configuration.settings import Settings


def milestone_complaints(settings: Settings) -> Iterator[ConfigurationError]:
    """What the flow needs of other tables."""
    if not settings.automation.milestones.enabled:
        return
    release, where = settings.release, f"{FILE_NAME}, automation.milestones"
    missing = [
        words
        for words, is_there in (
            ("branch in [release]", release.branch != ""),
            ("remote in [release]", release.remote != ""),
            ('mode = "pull-request" in [release]', release.mode == "pull-request"),
            ("release_on_push = true in [automation]", settings.automation.release_on_push),
            ("[forge]", bool(settings.forge)),
        )
        if not is_there
    ]
    if missing:
        yield ConfigurationError(
            f"{where}: milestones cannot lead to releases without {', '.join(missing)}", todo="set that, too"
        )
