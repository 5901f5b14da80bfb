"""The Controller port: what brings a version to the users of an environment by itself, step by step.

Argo Rollouts and Flagger are such. Nobody else writes weights there: Shipline names the image, follows what the
controller says of itself, and speaks to it by its own means. `docs/adr/0013-driving-controllers.md` says why.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

API_VERSION = 1


class Phase(StrEnum):
    """Where the controller stands."""

    SETTLED = "settled"  # What is wanted serves alone, and nothing is under way.
    MOVING = "moving"  # It is at work, or waits for a time that it knows.
    WAITING = "waiting"  # It holds until somebody lets it go on.
    BACK = "back"  # It has given all traffic back, and what is wanted does not serve.
    BROKEN = "broken"  # It cannot go on by itself, and has not given the traffic back.


class Verb(StrEnum):
    """What a controller can be told."""

    PAUSE = "pause"
    UNPAUSE = "unpause"  # Take back what PAUSE has brought, and leave the pauses of its own steps.
    RESUME = "resume"  # Leave whatever pause there is.
    SKIP = "skip"
    PROMOTE = "promote"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class Content:
    """What runs: `image` as the platform names it, and the version that Shipline knows it as.

    What Shipline did not set has package "" and no digests; its version is then how the image is named there.
    """

    image: str
    package: str
    version: str
    digests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that may serve. `id` tells its requests from the other's, `[a-z0-9-]`; of `size` copies that are
    wanted `ready` are."""

    id: str
    content: Content
    size: int
    ready: int


@dataclass(frozen=True, slots=True)
class Controlled:
    """How it stands. `words` is the controller's own account, with its step, for people.

    `wanted` is what the controller was told to run; `noticed` is False until it says that it knows of that. `stable` is
    what serves beside the canary, None before anything has; `canary` None where none runs. `weight` is the canary's
    share of the traffic, 0 to 1; where `splits` is False it is 0 or 1. `awaits_verdict`: it waits at a place that is
    meant for one, and not because somebody has paused it. `refused` says by verb why it cannot be told that.
    """

    phase: Phase
    words: str
    wanted: Content
    noticed: bool
    stable: Side | None
    canary: Side | None
    weight: float
    splits: bool
    awaits_verdict: bool = False
    refused: dict[str, str] = field(default_factory=dict)


class Controller(Protocol):
    """The controller of one environment. `revision` is a fencing number as in the Target port.

    `name` is what people call it. One that `asks` comes for the verdict by itself (webhooks): what it is told to
    promote or to abort, it hears then. `artifact_kinds` are as in the Target port.
    """

    api_version: int
    name: str
    asks: bool
    artifact_kinds: tuple[str, ...]

    def prepare(self, package: str, version: str, digests: tuple[str, ...]) -> Content:
        """Find what would be set for this version, and try whether it may be. Changes nothing.

        ShiplineError where the image is not there, or the controller or its object is not; RefusedError where that is
        busy with something else, or set up so that Shipline could not turn it back.
        """
        ...

    def look(self) -> Controlled:
        """How it stands now. Takes a few seconds at most. ShiplineError where its object is gone."""
        ...

    def set(self, content: Content, *, revision: int) -> None:
        """Name what shall run; the controller does the rest. Idempotent. RefusedError for an older revision."""
        ...

    def tell(self, verb: Verb, *, revision: int) -> None:
        """Say it by the controller's own means, and return at once. Idempotent: what holds already is not said again.

        RefusedError for what it cannot be told, and for an older revision.
        """
        ...
