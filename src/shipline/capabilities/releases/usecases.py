"""Beginning and resuming a release, and writing down how it goes."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace

from shipline.capabilities.plans import STABLE, is_hotfix
from shipline.capabilities.releases.ahead import id_ahead
from shipline.capabilities.releases.batch import Part
from shipline.capabilities.releases.queries import RELEASES
from shipline.capabilities.releases.telling import append
from shipline.capabilities.releases.workflow import RELEASE_WORKFLOW
from shipline.domain.actor import Actor
from shipline.domain.codec import to_json
from shipline.domain.package import Package
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.release_plan import RequirementEdit
from shipline.domain.version_file import VersionFile
from shipline.engine.engine import Engine
from shipline.engine.journal import Run, journal_of, load_run, runs_of
from shipline.engine.rules import RunStatus
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction

EXCLUSIVE_KEY = "release"
RESTING = frozenset({RunStatus.STOPPED, RunStatus.FAILED, RunStatus.ASKING})


@dataclass(frozen=True, slots=True)
class ReleaseOrder:
    """What is to be released: a package at a version.

    `time_us` is the release's instant, whole seconds, chosen once: commit, tag and archives carry it. `section` is the
    version's part of the changelog, `reasons` are the plan's. `commits` are the released commits with their times (for
    lead times), `commit` is the tagged commit where the tag exists already, or, with `merged`, the one that a pull
    request brought. `base` is the commit that the release's own is to sit on, None where there is one, and beside the
    branch; `branch` is the current one, None where HEAD is detached. `changelog` "" leaves it alone. `beside` is the
    commit to release from beside the branch, None for the branch itself; `promotes` is the version of the release
    candidate that this one is made from. `requirements` and `changesets` are the plan's, `replaces` and `locks` are as
    in Part. `others` are the parts of the packages that are released with this one, of the commit that this one makes.
    """

    package: Package
    version: str
    tag: str
    previous_version: str | None
    time_us: int
    section: str
    commits: tuple[tuple[str, int], ...]
    version_files: tuple[VersionFile, ...]
    changelog: str
    commit: str | None = None
    reasons: tuple[str, ...] = ()
    base: str | None = None
    branch: str | None = None
    channel: str = STABLE
    beside: str | None = None
    promotes: str | None = None
    merged: bool = False
    requirements: tuple[RequirementEdit, ...] = ()
    changesets: tuple[str, ...] = ()
    replaces: str = ""
    locks: tuple[str, ...] = ()
    others: tuple[Part, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        """What its commit holds, where it makes one."""
        own = Part(
            package=self.package,
            version=self.version,
            section=self.section,
            version_files=self.version_files,
            changelog=self.changelog,
            requirements=self.requirements,
            changesets=self.changesets,
            replaces=self.replaces,
            locks=self.locks,
        )
        return (own, *self.others)


def begin_release(
    tx: Transaction, engine: Engine, order: ReleaseOrder, actor: Actor, *, again: Release | None = None
) -> Release:
    """Begin a release; its run is under way when the transaction has committed.

    Of those that make a commit there is one at a time in a project, and one at a time of each package.

    `again` is the same version's release that was planned on other commits and came to nothing: a new attempt of it.
    Evidence that has come before, about the commit that it is made from, is its own from now on.
    """
    ahead = id_ahead(tx, order.package.name, order.version, made_from(order)) if again is None else None
    release = Release(
        id=again.id if again is not None else ahead or engine.ids.new("rel"),
        package=order.package.name,
        version=order.version,
        tag=order.tag,
        status=ReleaseStatus.PREPARING if again is None else again.to(ReleaseStatus.PREPARING).status,
        attempt=1 if again is None else again.attempt + 1,
        created_us=engine.clock.now_us() if again is None else again.created_us,
        previous_version=order.previous_version,
        commit=order.commit,
        notes_markdown=order.section,
        reasons=order.reasons,
        channel=order.channel,
    )
    release = replace(release, hotfix=is_hotfix(order.branch) and not release.is_prerelease)
    RELEASES.save(tx, release)
    commits = [list(one) for one in order.commits]
    body: dict[str, object] = {
        "tag": order.tag,
        "previous_version": order.previous_version,
        "commits": commits,
        "channel": order.channel,
    }
    body["hotfix"] = release.hotfix
    append(tx, EventWriter(engine.ids, engine.clock, actor), release, "ReleaseStarted", body)
    given = {
        "release_id": release.id,
        "package": to_json(order.package),
        "version_files": to_json(order.version_files),
        "changelog": order.changelog,
        "time_us": order.time_us,
        "commits": commits,
        "base": order.base,
        "branch": order.branch,
        "beside": order.beside,
        "promotes": order.promotes,
        "merged": order.merged,
        "requirements": to_json(order.requirements),
        "changesets": list(order.changesets),
        "replaces": order.replaces,
        "locks": list(order.locks),
        "others": to_json(order.others),
    }
    # Whose commit is there already touches no work tree, and so waits for nobody who does.
    key = EXCLUSIVE_KEY if order.commit is None else f"{EXCLUSIVE_KEY}:{release.package}"
    engine.start(tx, RELEASE_WORKFLOW, subject=f"release:{release.id}", given=given, exclusive_key=key)
    return release


def made_from(order: ReleaseOrder) -> tuple[str, ...]:
    """The commits that a release holds as it begins: what is tagged as it is, or what its own commit is made upon."""
    return tuple(commit for commit in (order.commit, order.base, order.beside) if commit is not None)


def resume_release(tx: Transaction, engine: Engine, release: Release, actor: Actor) -> Release:
    """Go on with a release that had stopped or was refused: a new numbered attempt from the step that failed.

    One that is published, and stopped after that, stays published. One that somebody else has resumed since `release`
    was read is returned as it is now.
    """
    # The runs first, as a tick takes them; from here on nobody else moves them or the release.
    found = (load_run(tx, run.id, lock=True) for run in runs_of(tx, f"release:{release.id}"))
    runs = [run for run in found if run is not None and run.state.status in RESTING]
    current = RELEASES.find(tx, release.id) or release
    if current.status is ReleaseStatus.PREPARING or not runs:
        return current
    is_public = current.status in (ReleaseStatus.PUBLISHED, ReleaseStatus.YANKED)
    again = replace(current if is_public else current.to(ReleaseStatus.PREPARING), attempt=current.attempt + 1)
    RELEASES.save(tx, again)
    events = EventWriter(engine.ids, engine.clock, actor)
    append(tx, events, again, "ReleaseResumed", {"attempt": again.attempt})
    for run in runs:
        engine.send(tx, run.id, "retry", {})
    return again


def leave_release(tx: Transaction, engine: Engine, release: Release) -> None:
    """End what has stopped of a release that another one takes the place of. Attempts that have ended stay so."""
    for run in runs_of(tx, f"release:{release.id}"):
        if run.state.status is RunStatus.STOPPED:
            engine.abandon(tx, run.id)


def follow_run(tx: Transaction, events: EventWriter, run: Run) -> None:
    """Keep the release's status in step with its run: a run that stopped is a release that stopped."""
    release = RELEASES.find(tx, str(run.input["release_id"]))
    if release is None or release.status is not ReleaseStatus.PREPARING:
        return
    if run.state.status in RESTING:
        RELEASES.save(tx, release.to(ReleaseStatus.STOPPED))
        append(tx, events, release, "ReleaseStopped", {"reason": run.state.reason, "attempt": release.attempt})


def has_begun(tx: Transaction, runs: Iterable[Run], steps: Container[str]) -> bool:
    """True if one of these steps was ever started in one of the runs: what it does may have happened."""
    return any(entry.step in steps for run in runs for entry in journal_of(tx, run.id))


def has_halted(tx: Transaction, release_id: str) -> bool:
    """True if a run of this release rests before its end, also where the version is public by then."""
    return any(run.state.status in RESTING for run in runs_of(tx, f"release:{release_id}"))
