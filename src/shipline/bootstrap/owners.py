"""Whose CODEOWNERS counts for releases: the protected branch's, read as the forge there reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from shipline.capabilities.releases import OwnersPlace
    from shipline.configuration import Settings
    from shipline.configuration.policy import Policy
    from shipline.ports.repository import Repository

    class Place(Protocol):
        """What is asked of an application."""

        @property
        def settings(self) -> Settings:
            """As they lie here."""
            ...

        @property
        def policy(self) -> Policy:
            """What decides."""
            ...

        @property
        def repository(self) -> Repository:
            """The project's."""
            ...


def owners_place_of(place: Place) -> OwnersPlace:
    """Where CODEOWNERS is, and whose rules it is read by. ConfigurationError where no forge can be told."""
    from shipline.capabilities.releases import OwnersPlace
    from shipline.configuration.forges import completed
    from shipline.configuration.policy import protected_commit

    policy = place.policy
    settings = policy.trusted or place.settings
    remote = settings.release.remote or "origin"
    table = completed(settings.forge, place.repository.remote_address(remote) or remote)
    return OwnersPlace(str(table["provider"]), policy.commit or protected_commit(place.settings, place.repository))
