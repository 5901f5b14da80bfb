"""Whether the way back leads past a migration that cannot be undone."""

from __future__ import annotations

from shipline.capabilities.plans import known_packages, migrations_between
from shipline.domain.deployment import Deployment
from shipline.domain.errors import RefusedError, ShiplineError
from shipline.domain.package import Package
from shipline.domain.release import Release
from shipline.ports.repository import Repository

SHOWN = 3
WAY_OUT = 'release a fix and deploy it; or mend the data, and say why: --past-migrations "..."'


def check_migrations(
    repository: Repository, packages: tuple[Package, ...] | None, release: Release, serving: Deployment
) -> None:
    """Refuse (RefusedError) to go back from what serves to `release` past a migration that cannot be undone.

    Also where git cannot tell: what is not known is no permission. `packages` are those of the settings, if any.
    """
    if serving.commit is None or release.commit is None:
        return  # It was deployed from nothing that git knows, so nothing was declared.
    try:
        known = packages or known_packages(repository)
        found = migrations_between(repository, known, release.package, older=release.commit, newer=serving.commit)
    except ShiplineError as error:
        raise RefusedError(
            "nobody can tell whether a migration is in the way",
            why=f"git cannot tell what {serving.version} holds beyond {release.version}: {error.what}",
            todo=f"git fetch --unshallow --tags; or: {WAY_OUT}",
        ) from error
    fixed = [one for one in found if not one.reversible]
    if fixed:
        named = "; ".join(f"{one.commit[:7]}: {one.words or 'a migration'}" for one in fixed[:SHOWN])
        raise RefusedError(
            f"{release.version} cannot serve again: a migration that cannot be undone has come after it",
            why=named + (f"; and {len(fixed) - SHOWN} more" if len(fixed) > SHOWN else ""),
            todo=WAY_OUT,
        )
