"""Who did it: a person, a machine identity or Shipline itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """What stands behind an actor."""

    PERSON = "person"
    WORKLOAD = "workload"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """An identity as (kind, issuer, subject); `issuer` is who vouches for the subject.

    `authenticated` is true only where a credential was checked. Approvals count from authenticated actors alone.
    """

    kind: ActorKind
    issuer: str
    subject: str
    authenticated: bool = False

    def __str__(self) -> str:
        """`subject@issuer`, as shown to people."""
        return f"{self.subject}@{self.issuer}"


SYSTEM = Actor(kind=ActorKind.SYSTEM, issuer="shipline", subject="engine", authenticated=True)
