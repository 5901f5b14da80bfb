"""Commands in comments, wired: which are switched on, who may give them, and the hand that carries them out."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from shipline.bootstrap.places import Place, trusted_settings
from shipline.capabilities.automation import AskedTaker, CommandGround, CommandTaker, Verb
from shipline.domain.actor import Actor, ActorKind
from shipline.domain.errors import ConfigurationError
from shipline.ports.forge.speakers import Role

if TYPE_CHECKING:
    from typing import Any

    from shipline.configuration import Settings


# Authenticated: each has shown the server's token.
WEB = Actor(kind=ActorKind.PERSON, issuer="local", subject="web", authenticated=True)
API = Actor(kind=ActorKind.WORKLOAD, issuer="token", subject="api", authenticated=True)
ACTORS = {"web": WEB, "api": API}


def allowed_verbs(settings: Settings) -> dict[Verb, Role]:
    """The verbs that are switched on, each with the least role of who may give it."""
    return {Verb(name): Role(role) for name, role in asdict(settings.automation.commands).items() if role}


def command_ground(here: Any) -> CommandGround:
    """What commands stand on, in an application as it is now. ConfigurationError where there is no forge."""
    from shipline.bootstrap.asked import Asked

    if here.forge is None:
        raise ConfigurationError("there is no forge whose comments could be read", todo="add [forge] to shipline.toml")
    return CommandGround(
        forge=here.forge,
        store=here.store,
        events=here.events,
        clock=here.clock,
        # What is switched on is said by the protected branch: a pull request must not let itself in.
        allowed=allowed_verbs(trusted_settings(here)),
        issuer=str(here.settings.forge.get("provider", "")),
        doer=Asked(here),
    )


def command_hand(place: Place) -> CommandTaker:
    """A server's hand: each look by the settings of that moment."""
    return CommandTaker(lambda: command_ground(_afresh(place)))


def asked_hand(place: Place) -> AskedTaker:
    """A server's hand for what it was asked for by its page and its interface."""
    from shipline.bootstrap.asked import Asked

    return AskedTaker(lambda: Asked(_afresh(place)), ACTORS)


def _afresh(place: Place) -> Any:
    """As its files are now, and a server's still."""
    here: Any = place.afresh()
    here.is_server = getattr(place, "is_server", False)
    return here
