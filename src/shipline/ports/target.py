"""The Target port: where versions run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shipline.domain.errors import InvalidValue

INSTANCE_ID = re.compile(r"[a-z0-9-]{1,60}")


class Role(StrEnum):
    """What an instance is for. A baseline is a clone of the stable version that is as young as the canary."""

    STABLE = "stable"
    BASELINE = "baseline"
    CANARY = "canary"


@dataclass(frozen=True, slots=True)
class Instance:
    """One running copy of a version.

    `id` is chosen by the caller, 1 to 60 of `[a-z0-9-]`, and names the instance everywhere (also in the proxy).
    `address` is host:port. `started_us` is UTC microseconds.
    """

    id: str
    version: str
    address: str
    started_us: int


def checked_instance_id(text: str) -> str:
    """Return `text` if it is an instance id; raise InvalidValue otherwise. Ids become paths and names in the proxy."""
    if not INSTANCE_ID.fullmatch(text):
        raise InvalidValue(f"{text[:80]!r} is not an instance id", todo="ids are 1 to 60 of a-z, 0-9 and -")
    return text


class Target(Protocol):
    """Runs instances of one environment. `revision` is a fencing number: a call with an older one than the newest
    seen is refused (RefusedError), so that a zombie's late call takes no effect."""

    api_version: int

    def prepare(self, package: str, version: str) -> None:
        """Bring the version to where it will run (install it). Idempotent; half a preparation is done over."""
        ...

    def start(self, instance_id: str, package: str, version: str, *, revision: int) -> Instance:
        """Start an instance and return it once it answers its health check. Idempotent by `instance_id`.

        Raises ShiplineError with the end of the instance's output when it does not become healthy in time.
        """
        ...

    def instances(self) -> tuple[Instance, ...]:
        """The instances that are alive, by id."""
        ...

    def is_healthy(self, instance_id: str) -> bool:
        """True if the instance is alive and answers its health check now."""
        ...

    def stop(self, instance_id: str, *, revision: int) -> None:
        """Stop an instance: ask, wait, then kill. Idempotent; nothing where it is not running.

        The caller has verified that the instance's weight is 0 and that its connections have drained.
        """
        ...
