"""Releases that a server begins by itself or for somebody: in its own copy of the repository, one look at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from shipline.capabilities.releases import RELEASE_WORKFLOW, release_merged, release_package
from shipline.domain.errors import ConfigurationError, UnavailableError
from shipline.engine import journal
from shipline.engine.lease import Lease
from shipline.engine.rules import RunStatus

if TYPE_CHECKING:
    from shipline.bootstrap.places import Place
    from shipline.capabilities.releases import Candidate, Decision
    from shipline.domain.actor import Actor
    from shipline.domain.release import Release


@contextmanager
def own_tree(place: Place) -> Iterator[None]:
    """While this lasts nobody else of this machine brings the work tree elsewhere, or begins a release in it.

    UnavailableError, retryable, where somebody else is at it.
    """
    folder = place.release_ground.folder
    folder.mkdir(parents=True, exist_ok=True)
    lease = Lease(folder / "tree")
    if not lease.acquire():
        raise UnavailableError("another look is at work in the same tree")
    try:
        yield
    finally:
        lease.release()


def under_way(place: Place) -> str:
    """What is being released now, in words: its steps work in the same tree. "" for nothing."""
    with place.store.begin() as tx:
        runs = journal.open_runs(tx, RELEASE_WORKFLOW)
    active = [run for run in runs if run.state.status is RunStatus.ACTIVE]
    return f"{len(active)} releases that are under way" if active else ""


def caught_up(place: Place, branch: str) -> Place:
    """The project on the commit that the remote has of the branch now, by the settings of that one.

    ConfigurationError where there is no remote.
    """
    here = place.afresh()
    remote = here.settings.release.remote
    if not remote:
        raise ConfigurationError(
            "nothing can be released by itself without a remote", todo="set remote in [release], in shipline.toml"
        )
    here.repository.catch_up(remote, branch)
    # Its settings, packages and policy are those of the commit that it is on now.
    return place.afresh()


def by_pull_request(here: Place) -> bool:
    """True where only what was merged is released."""
    return here.settings.release.mode == "pull-request"


def begin(
    here: Place, candidate: Candidate, fellows: Sequence[Candidate], actor: Actor
) -> tuple[Decision, Release | None]:
    """Begin, resume or follow the release of a package: what `shipline release` does."""
    ground, branch = here.release_ground, here.release_branch
    if by_pull_request(here):
        return release_merged(ground, here.engine, candidate, actor, branch=branch)
    return release_package(ground, here.engine, candidate, actor, branch=branch, fellows=fellows)
