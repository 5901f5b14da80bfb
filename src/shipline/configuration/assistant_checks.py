"""What an assistant needs of other tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shipline.configuration.given import read_secret
from shipline.configuration.root import FILE_NAME
from shipline.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from shipline.configuration.settings import Settings


def assistant_complaints(settings: Settings) -> Iterator[ConfigurationError]:
    """What an assistant needs of other tables."""
    table = settings.assistant
    if not table:
        return
    if not settings.forge:
        yield ConfigurationError(f"{FILE_NAME}: [assistant] has nowhere to speak", todo="add [forge]")
    elif table.get("provider") == "gitlab-duo" and settings.forge.get("provider") != "gitlab":
        yield ConfigurationError(f"{FILE_NAME}: GitLab Duo reviews on GitLab alone", todo="name another [assistant]")
    key = table.get("key")
    if isinstance(key, dict) and key:
        try:
            read_secret(key)
        except ConfigurationError as error:
            what = f"{FILE_NAME}: the key of the assistant: {error.what}"
            yield ConfigurationError(what, why=error.why, todo=error.todo)
