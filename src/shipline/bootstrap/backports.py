"""What a backport of a project stands on. It opens no store, and asks the forge only where something is pushed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipline.capabilities.releases import BackportGround

if TYPE_CHECKING:
    from shipline.bootstrap.application import Application


def backport_ground(application: Application, *, push: bool) -> BackportGround:
    """The repository, and with `push` the remote's forge."""
    return BackportGround(
        repository=application.repository,
        packages=application.known_packages,
        remote=application.settings.release.remote,
        forge=application.forge if push else None,
    )
