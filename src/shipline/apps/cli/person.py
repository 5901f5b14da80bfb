"""Who types the command."""

from __future__ import annotations

import getpass

from shipline.domain.actor import Actor, ActorKind


def local_person() -> Actor:
    """The user of this machine. Vouched for by the machine alone, so not authenticated: no approval by it counts."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):
        name = "somebody"  # A user id without an entry, as in many containers.
    return Actor(kind=ActorKind.PERSON, issuer="local", subject=name)
