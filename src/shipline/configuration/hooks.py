"""`[[hook]]`: the forges whose hooks a server takes, and whether it looks after them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from shipline.configuration.limits import Limits, SecretTable
from shipline.domain.errors import ConfigurationError

_ADDRESS = Limits(
    pattern=r"|https?://[A-Za-z0-9.:\[\]-]{1,200}(?:/[!-~]{0,500})?",
    meaning="empty, or an address that begins with https:// or http://, without a name or password in it",
)


@dataclass(frozen=True, slots=True)
class HookSettings:
    """`[[hook]]`: a forge that may tell this server of events.

    `forge` is github, gitlab or gitea. `secrets` say where the secrets are that its hooks are signed with: each is like
    an entry of `[environment.secrets]`. Any of them may have signed, so that one can be changed without a gap. `url` is
    the address at which the forge reaches this server; with it a server looks every `watch_every_s` seconds whether the
    hook of `[forge]` to there works. With `mend` it puts right what is wrong, and has sent again what did not arrive.
    """

    forge: Annotated[str, Limits(choices=("github", "gitlab", "gitea"))]
    secrets: Annotated[tuple[Annotated[dict[str, Any], SecretTable()], ...], Limits(items_min=1)]
    url: Annotated[str, _ADDRESS] = ""
    watch_every_s: Annotated[int, Limits(minimum=60, maximum=86_400)] = 600
    mend: bool = False


def hook_complaints(hooks: tuple[HookSettings, ...], file_name: str) -> Iterator[ConfigurationError]:
    """What is wrong with them beside their secrets."""
    forges = [hook.forge for hook in hooks]
    for forge in sorted({forge for forge in forges if forges.count(forge) > 1}):
        yield ConfigurationError(
            f"{file_name}: there are two [[hook]] tables of {forge}", todo="put the secrets of both into one of them"
        )
    for hook in hooks:
        if hook.mend and not hook.url:
            yield ConfigurationError(
                f"{file_name}: the hook of {hook.forge} cannot be mended, since nobody knows where it leads",
                todo="set url to the address at which the forge reaches this server",
            )
        if hook.url and not hook.url.endswith(f"/hooks/{hook.forge}"):
            yield ConfigurationError(
                f"{file_name}: the url of the hook of {hook.forge} is not where this server takes hooks",
                todo=f"let it end with /hooks/{hook.forge}",
            )
