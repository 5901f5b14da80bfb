"""From what a package's plan, tags, store and registries say to a release that is under way."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.capabilities.plans import MANIFESTS, STABLE, render_section
from shipline.capabilities.releases.footing import (
    Footing,
    check_head,
    check_tree,
    footing_of,
    has_moved,
    inside,
    is_release_commit,
    listed,
    was_merged,
)
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.moving_tags import check_moving_tags
from shipline.capabilities.releases.outlets import channel_of
from shipline.capabilities.releases.queries import RELEASES, find_release, newest_release
from shipline.capabilities.releases.rules import Decision, Known, Start, decide_start, is_whole
from shipline.capabilities.releases.steps import check_untagged
from shipline.capabilities.releases.usecases import EXCLUSIVE_KEY, ReleaseOrder, begin_release, resume_release
from shipline.domain.actor import Actor
from shipline.domain.errors import ConflictError, RefusedError, ShiplineError
from shipline.domain.package import Package
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.release_plan import PackagePlan
from shipline.domain.version_file import VersionFile
from shipline.engine.engine import Engine
from shipline.engine.journal import holder_of, journal_of, runs_of
from shipline.engine.rules import ENDED, RunStatus
from shipline.ports.repository import Tag
from shipline.store.transaction import Transaction

PUBLIC_STEPS = ("push", "publish")
UNPUBLISHED = (ReleaseStatus.PREPARING, ReleaseStatus.STOPPED, ReleaseStatus.REFUSED)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A package with its plan and with the files that a release of it edits; the changelog relative to the package.

    `beside` is the commit to release from, where the release's commit is to stand beside the branch; `promotes` is the
    version of the release candidate that is made final.
    """

    package: Package
    plan: PackagePlan
    version_files: tuple[VersionFile, ...]
    changelog: str
    beside: str | None = None
    promotes: str | None = None


def release_package(
    ground: ReleaseGround, engine: Engine, candidate: Candidate, actor: Actor, *, branch: str
) -> tuple[Decision, Release | None]:
    """Begin, resume or follow the release of a package; None where there is nothing to do.

    `branch` is the only one that may be released from, "" for any. Raises RefusedError for another branch, for a work
    tree in which tracked files differ from HEAD (for one that goes on: others than its own), for one that goes on and
    has made no commit if HEAD is not what it was planned on, and while another package's release has not ended;
    ConflictError if the new version's tag exists elsewhere.
    """
    known = known_of(ground, candidate)
    decision = decide_start(known)
    if decision.start is Start.FOLLOW:
        return decision, known.unfinished
    if decision.start is Start.RESUME and known.unfinished is not None:
        _check_ground(ground, known.unfinished, branch)
        with ground.store.begin() as tx:
            return decision, resume_release(tx, engine, known.unfinished, actor)
    if decision.start is Start.NOTHING or decision.version is None:
        return decision, None
    tag = check_new(ground, candidate, known, decision.version, branch=branch)
    again = known.unfinished if known.unfinished is not None and known.unfinished.version == decision.version else None
    with ground.store.begin() as tx:
        if known.unfinished is not None:
            for run in runs_of(tx, f"release:{known.unfinished.id}"):
                engine.abandon(tx, run.id)
        check_is_free(tx)
        if candidate.promotes is not None:
            _check_promotable(tx, candidate, candidate.beside or ground.repository.head())
        if tag is None and again is None:
            check_unmade(tx, candidate.package.name, decision.version)
        order = order_of(ground, candidate, decision.version, tag, engine.clock.now_us())
        return decision, begin_release(tx, engine, order, actor, again=again)


def check_new(ground: ReleaseGround, candidate: Candidate, known: Known, version: str, *, branch: str) -> Tag | None:
    """Refuse a release that must not begin here, as `release_package` says; the tag that it goes on from, or None."""
    check_moving_tags(ground.moving_tags, candidate.package)
    if version == candidate.plan.current:
        return ground.repository.find_tag(candidate.package.tag(version))
    check_untagged(ground, candidate.package.tag(version))
    _check_branch(ground, branch)
    if candidate.beside is None:
        _check_work_tree(ground, candidate, known.unfinished)
    return None


def known_of(ground: ReleaseGround, candidate: Candidate) -> Known:
    """What is known of a package before its release."""
    plan = candidate.plan
    with ground.store.begin() as tx:
        newest = newest_release(tx, candidate.package.name)
        unfinished = newest if newest is not None and _is_unfinished(tx, newest) else None
        begun = unfinished is not None and _publishing_begun(tx, unfinished)
        recorded = plan.current is not None and find_release(tx, plan.name, plan.current) is not None
    if unfinished is not None or recorded or plan.current is None:
        moved = unfinished is not None and _has_moved(ground, unfinished)
        return Known(plan, unfinished, tagged_here=False, on_registry=None, publishing_begun=begun, moved=moved)
    tag = ground.repository.find_tag(candidate.package.tag(plan.current))
    ours = tag is not None and _made_by_shipline(ground, candidate, tag)
    built = ground.kinds_of(candidate.package)
    pairs = ((outlet, outlet.kinds_of(candidate.package, built)) for outlet in ground.outlets)
    asked = tuple((outlet, kinds) for outlet, kinds in pairs if kinds)
    if not ours or not asked:
        return Known(plan, None, tagged_here=ours, on_registry=None)
    found = [(kinds, outlet.registry.find(plan.name, plan.current)) for outlet, kinds in asked]
    whole = all(is_whole(kinds, tuple(file.name for file in served)) for kinds, served in found)
    begun = any(served for _, served in found) and not whole
    return Known(plan, None, tagged_here=True, on_registry=whole, publishing_begun=begun)


def _is_unfinished(tx: Transaction, release: Release) -> bool:
    """True if it was not published, or if its run stopped after that: the evidence bundle is missing then."""
    runs = runs_of(tx, f"release:{release.id}")
    return release.status in UNPUBLISHED or any(run.state.status is RunStatus.STOPPED for run in runs)


def check_is_free(tx: Transaction) -> None:
    """One release at a time works on the tree, whichever package it is of."""
    holder = holder_of(tx, EXCLUSIVE_KEY)
    if holder is None or holder.state.status in ENDED:
        return
    other = RELEASES.find(tx, str(holder.input["release_id"]))
    if other is not None:
        raise RefusedError(
            f"the release of {other.package} {other.version} has not ended: it is {other.status.value}",
            todo=f"end it first: shipline release --package {other.package}",
        )


def _publishing_begun(tx: Transaction, release: Release) -> bool:
    runs = runs_of(tx, f"release:{release.id}")
    return any(entry.step in PUBLIC_STEPS for run in runs for entry in journal_of(tx, run.id))


def _made_by_shipline(ground: ReleaseGround, candidate: Candidate, tag: Tag) -> bool:
    """True if the tag stands on a release commit, or on a merged one: older tags, from before Shipline, are nothing to
    go on with."""
    package = candidate.package
    footing = Footing(
        package=package.name,
        version=candidate.plan.current or "",
        version_files=candidate.version_files,
        changelog=inside(package, candidate.changelog),
        base=None,
        branch=None,
        manifests=tuple(inside(package, name) for name in MANIFESTS),
    )
    here = ground.repository
    return is_release_commit(here, tag.commit, footing) or was_merged(here, tag.commit, footing)


def _footing(ground: ReleaseGround, release: Release) -> Footing | None:
    """What an unfinished release was planned on; None where that does not matter: its commit is tagged, or is to stand
    beside the branch."""
    if release.commit is not None:
        return None
    with ground.store.begin() as tx:
        runs = runs_of(tx, f"release:{release.id}")
    if not runs or runs[-1].input.get("beside") is not None:
        return None
    return footing_of(runs[-1].input, release.version)


def _has_moved(ground: ReleaseGround, release: Release) -> bool:
    footing = _footing(ground, release)
    return footing is not None and has_moved(ground.repository, footing)


def _check_ground(ground: ReleaseGround, release: Release, branch: str) -> None:
    """Refuse to go on with a release whose commit would not be the one that was planned."""
    footing = _footing(ground, release)
    if footing is not None:
        _check_branch(ground, branch)
        check_head(ground.repository, footing)
        check_tree(ground.repository, footing)


def check_unmade(tx: Transaction, package: str, version: str) -> None:
    """Refuse (ConflictError) to make a version that the store knows."""
    made = find_release(tx, package, version)
    if made is not None:
        raise ConflictError(
            f"{package} {version} was made before: it is {made.status.value}, and its tag {made.tag} is gone",
            todo="bring the tag back (`git fetch --tags`); a version is never made twice",
        )


def _check_promotable(tx: Transaction, candidate: Candidate, commit: str | None) -> None:
    """Refuse a release candidate that was taken back, or whose tag was moved since it was released."""
    known = find_release(tx, candidate.package.name, candidate.promotes or "")
    if known is not None and known.status is ReleaseStatus.YANKED:
        raise RefusedError(
            f"{known.package} {known.version} was taken back",
            why=known.yank_reason,
            todo="mend it, release another candidate, and make that one final",
        )
    if known is not None and known.commit not in (None, commit):
        raise ConflictError(
            f"the tag {known.tag} was moved: {known.version} was released from {str(known.commit)[:12]}",
            why=f"now it is on {str(commit)[:12]}, which nobody has tested under this name",
            todo="bring the tag back to where it was (`git fetch --tags --force`)",
        )


def _check_branch(ground: ReleaseGround, branch: str) -> None:
    here = ground.repository.branch()
    if branch and here != branch:
        raise RefusedError(
            f"releases are made from {branch}, and this is {here or 'a detached HEAD'}", todo=f"git switch {branch}"
        )


def _check_work_tree(ground: ReleaseGround, candidate: Candidate, unfinished: Release | None) -> None:
    """What a release that came to nothing has left half written is not to be committed, but to be taken away."""
    dirty = list(ground.repository.dirty_paths())
    changelog = inside(candidate.package, candidate.changelog)
    own = {changelog, *(file.path for file in candidate.version_files)}
    todo = "commit or stash them, then run this again"
    if unfinished is not None and unfinished.commit is None:
        if (ground.repository.root() / changelog).exists() and not ground.repository.is_tracked(changelog):
            raise RefusedError(
                f"{changelog} was left by {unfinished.version}, which came to nothing",
                todo=f"remove it, unless it is yours (then commit it): rm {changelog}; then run this again",
            )
        if set(dirty) <= own:
            todo = f"{unfinished.version} has left them: git checkout -- {' '.join(dirty)}; then run this again"
    if dirty:
        raise RefusedError("the work tree has changes that are not committed", why=listed(dirty), todo=todo)


def order_of(ground: ReleaseGround, candidate: Candidate, version: str, tag: Tag | None, now_us: int) -> ReleaseOrder:
    """The order. A release that goes on from its tag keeps the tag's instant, so that it builds the same bytes."""
    plan = candidate.plan
    begun = plan.releasable and plan.next == version
    channel = channel_of(candidate.package, version, plan.channel)
    is_final = channel == STABLE or channel.endswith(".x")
    if not begun and tag is None:
        raise ShiplineError(f"the tag of {version} is gone", todo="restore it, or release the next version")
    return ReleaseOrder(
        package=candidate.package,
        version=version,
        tag=candidate.package.tag(version),
        previous_version=plan.current if begun else None,
        time_us=tag.time_us if tag is not None else now_us // 1_000_000 * 1_000_000,
        section=render_section(plan, time_us=now_us, style=ground.style) if begun else "",
        reasons=plan.reasons if begun else (),
        commits=_commits(plan) if begun else (),
        requirements=plan.requirements if begun else (),
        changesets=plan.changesets if begun else (),
        version_files=candidate.version_files,
        # The notes of a pre-release are part of the final version's section.
        changelog=candidate.changelog if is_final else "",
        commit=tag.commit if tag is not None else None,
        base=ground.repository.head() if tag is None and candidate.beside is None else None,
        branch=ground.repository.branch(),
        channel=channel,
        beside=candidate.beside,
        promotes=candidate.promotes,
    )


def _commits(plan: PackagePlan) -> tuple[tuple[str, int], ...]:
    """The released commits with their times, each once; changesets and the like are none."""
    return tuple(dict.fromkeys((change.commit, change.time_us) for change in plan.changes if change.is_commit))
