"""Gate: a rule that must hold; Approval and Waiver are what people add to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from shipline.domain.actor import Actor


@dataclass(frozen=True, slots=True)
class Gate:
    """A rule that must hold.

    `name` tells the gates of a stage apart. `rule` is CEL over typed facts. `stage` is `release` or an environment's
    name. `message` is shown on refusal. `when`, CEL too, says for what the gate applies, "" for everything.
    `approvals` is how many authenticated people of each role must have said yes, each count at least 1.
    """

    name: str
    rule: str
    stage: str = "release"
    message: str = ""
    when: str = ""
    approvals: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Approval:
    """A yes by a person for exactly one content (`digest` of the thing approved). `expires_us` None: never."""

    actor: Actor
    role: str
    digest: str
    given_us: int
    expires_us: int | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """A finding that is accepted for a time: owner, reason and expiry (UTC microseconds) are mandatory."""

    finding: str
    owner: Actor
    reason: str
    expires_us: int
