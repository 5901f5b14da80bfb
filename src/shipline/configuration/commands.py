"""`[automation.commands]`: what may be asked for in comments, and by whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from shipline.configuration.limits import Limits

# Whoever may only read, or sort issues, is never asked for: everybody may write a comment below what is public.
_ROLE = Limits(choices=("", "write", "maintain", "admin"))


@dataclass(frozen=True, slots=True)
class CommandsSettings:
    """`[automation.commands]`: the least role on the forge of who may ask for something in a comment; "" for nobody.

    `release` releases what is due. `promote` brings to an environment what the one before serves. `rollback` brings one
    back. `hotfix` deploys one by its shorter way. `approve` lets a rollout go on that waits for a person.
    `freeze` closes a stage for a time, `unfreeze` ends that.
    """

    release: Annotated[str, _ROLE] = ""
    promote: Annotated[str, _ROLE] = ""
    rollback: Annotated[str, _ROLE] = ""
    hotfix: Annotated[str, _ROLE] = ""
    approve: Annotated[str, _ROLE] = ""
    freeze: Annotated[str, _ROLE] = ""
    unfreeze: Annotated[str, _ROLE] = ""
