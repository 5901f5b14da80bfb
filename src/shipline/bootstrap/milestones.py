"""The milestone flow, wired: what it looks at, its hand on a server, and what a CI job calls."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from shipline.bootstrap.places import Place, trusted_settings
from shipline.capabilities.automation import (
    MILESTONES,
    Carried,
    Command,
    MilestoneFlow,
    MilestoneGround,
    MilestonesDone,
    MilestonesDue,
    carry_out_milestones,
    decide_milestones,
    look_at_milestones,
    order_look,
    tell_ignored,
)
from shipline.capabilities.releases import state_final, state_on_the_way, stated_version
from shipline.domain.errors import ConfigurationError, RefusedError
from shipline.domain.package import unknown_package

if TYPE_CHECKING:
    from shipline.capabilities.automation import MilestonesSeen
    from shipline.capabilities.releases import Stated
    from shipline.configuration import MilestoneFlowSettings, Settings
    from shipline.domain.package import Package

CHECKS_AGAIN_S = 15.0
WORDS_MAX = 100


def milestone_settings(settings: Settings) -> MilestoneFlowSettings | None:
    """`[automation.milestones]`, None where it is off."""
    found = settings.automation.milestones
    return found if found.enabled else None


def development_branch(settings: Settings) -> str:
    """Where changes are merged, "" where the flow is off."""
    found = milestone_settings(settings)
    return "" if found is None else found.development_branch or settings.release.branch


def milestone_ground(here: Place, settings: Settings) -> MilestoneGround:
    """What a look stands on, by the trusted settings. ConfigurationError where the flow is off or lacks something."""
    said = milestone_settings(settings)
    if said is None:
        raise ConfigurationError(
            "milestones lead to nothing here", todo="set enabled = true in [automation.milestones] of shipline.toml"
        )
    forge, remote = here.forge, settings.release.remote
    if forge is None or not remote or not settings.release.branch:
        raise ConfigurationError(
            "milestones need a forge, a remote and a branch", todo="set [forge], and remote and branch in [release]"
        )
    package = _package(here, said.package)
    files, changelog = here.version_files(package, here.known_packages()).files, here.table_of(package).changelog
    ground = here.release_ground

    def final(_version: str, tag: str, base: str) -> Stated:
        # The plan of the final version begins at its pre-release's tag, which is to be here for that.
        here.repository.move_tag(tag, base, remote="")
        return state_final(ground, here.final_candidate(tag), base)

    return MilestoneGround(
        forge=forge,
        repository=here.repository,
        remote=remote,
        package=package,
        flow=MilestoneFlow(
            development=development_branch(settings),
            release_branch=settings.release.branch,
            reopens=said.when_issues_are_open == "reopen",
        ),
        on_the_way=lambda version, base: state_on_the_way(ground, package, files, version, base),
        final=final,
        stated=lambda commit: stated_version(here.repository, package, files, changelog, commit),
    )


def _package(here: Place, name: str) -> Package:
    known = here.known_packages()
    found = [one for one in known if name in ("", one.name)]
    if len(found) == 1:
        return found[0]
    if name:
        raise unknown_package(name, [one.name for one in known])
    raise ConfigurationError(
        f"{len(known)} packages are here, and milestones are versions of one",
        todo="set package in [automation.milestones] of shipline.toml",
    )


def due_milestones(ground: MilestoneGround, now_us: int) -> tuple[MilestonesDue, MilestonesSeen]:
    """What is to be done now, and what is so. Changes nothing."""
    seen = look_at_milestones(ground, now_us)
    return decide_milestones(seen, ground.flow), seen


def keep_milestones(here: Place, ground: MilestoneGround) -> tuple[MilestonesDone, MilestonesSeen]:
    """Do all that is due; what is so after it. Retryable errors are raised, others are told with what was done."""
    last: list[MilestonesSeen] = []

    def look() -> MilestonesDue:
        due, seen = due_milestones(ground, here.clock.now_us())
        last[:] = [seen]
        return due

    done = carry_out_milestones(look, ground.forge, ground.repository, ground.remote)
    (seen,) = last
    with here.store.begin() as tx:
        tell_ignored(tx, here.events, ground.flow.development, seen.ignored, here.clock.now_us())
    return done, seen


class MilestoneHand:
    """Does what milestones ask for. A look waits for checks that have not ended: their hook may never come."""

    def __init__(self, application: Place) -> None:
        self._application = application

    def __call__(self, command: Command, memory: dict[str, Any]) -> Carried:
        """One look. RefusedError for what stands in the way, with what was done in spite of it."""
        here: Any = self._application.afresh()
        settings = trusted_settings(here)
        if development_branch(settings) != command.about:
            return Carried("milestones lead to nothing here any more")
        done, seen = keep_milestones(here, milestone_ground(here, settings))
        words = [*memory.get("words", []), *done.words][-WORDS_MAX:]
        if done.troubles:
            raise RefusedError("; ".join((*done.troubles, *words)), todo=done.todo)
        if seen.waits:
            return Carried("Waiting for checks", again_s=CHECKS_AGAIN_S, memory={"words": words})
        return Carried("; ".join(words) or "nothing is due", changed=bool(words))


class MilestoneReconciler:
    """A chore: has milestones looked at now and then: Gitea has no hook of them, GitLab none of edits."""

    def __init__(self, application: Place) -> None:
        self._application = application
        self._next_s = float("-inf")

    def __call__(self) -> None:
        """Order a look when it is time."""
        if time.monotonic() < self._next_s:
            return
        settings = trusted_settings(self._application)
        branch = development_branch(settings)
        self._next_s = time.monotonic() + settings.automation.reconcile_every_s
        if not branch:
            return
        with self._application.store.begin() as tx:
            order_look(tx, self._application.engine, Command(MILESTONES, branch))
