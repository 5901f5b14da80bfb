"""Whose review a pull request needs: CODEOWNERS of its base, read as the forge there reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipline.bootstrap.places import trusted_settings
from shipline.capabilities.automation import OwnersNeed
from shipline.capabilities.gates import LOCATIONS, owned
from shipline.configuration.forges import completed
from shipline.domain.errors import RefusedError

if TYPE_CHECKING:
    from shipline.bootstrap.places import Place
    from shipline.ports.forge import PullRequest


class Owners:
    """Finds them out. The file is that of the base: a pull request cannot choose who looks at it."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def __call__(self, pull: PullRequest, paths: tuple[str, ...]) -> tuple[OwnersNeed, ...]:
        """For what changes; nobody where there is no such file. InvalidValue, RefusedError where it cannot be read."""
        here, settings = self._place.repository, trusted_settings(self._place)
        remote = settings.release.remote or "origin"
        rules = str(completed(settings.forge, here.remote_address(remote) or remote)["provider"])
        if rules not in LOCATIONS:
            raise RefusedError(f"no rules of {rules} for CODEOWNERS are known")
        base = here.fetch_branch(remote, pull.base)
        if base is None:
            raise RefusedError(f"{remote} has no branch {pull.base}")
        files = here.read_files(LOCATIONS[rules], base)
        content = next((files[path] for path in LOCATIONS[rules] if path in files), b"")
        return tuple(OwnersNeed(need.owners, need.count) for need in owned(content, rules, paths).needs)
