"""From what a package's plan, tags, store and registries say to a release that is under way."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.capabilities.plans import render_section
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.queries import RELEASES, find_release, newest_release
from shipline.capabilities.releases.rules import Decision, Known, Start, decide_start, is_whole
from shipline.capabilities.releases.steps import check_untagged, release_key
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

KEY_TRAILER = "Shipline-Key"
PUBLIC_STEPS = ("push", "publish")
UNPUBLISHED = (ReleaseStatus.PREPARING, ReleaseStatus.STOPPED, ReleaseStatus.REFUSED)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A package with its plan and with the files that a release of it edits; the changelog relative to the package."""

    package: Package
    plan: PackagePlan
    version_files: tuple[VersionFile, ...]
    changelog: str


def release_package(
    ground: ReleaseGround, engine: Engine, candidate: Candidate, actor: Actor, *, branch: str
) -> tuple[Decision, Release | None]:
    """Begin, resume or follow the release of a package; None where there is nothing to do.

    `branch` is the only one that may be released from, "" for any. Raises RefusedError for another branch, for a work
    tree in which tracked files differ from HEAD, and while another package's release has not ended; ConflictError if
    the new version's tag exists elsewhere.
    """
    known = _known(ground, candidate)
    decision = decide_start(known)
    if decision.start is Start.FOLLOW:
        return decision, known.unfinished
    if decision.start is Start.RESUME and known.unfinished is not None:
        with ground.store.begin() as tx:
            return decision, resume_release(tx, engine, known.unfinished, actor)
    if decision.start is Start.NOTHING or decision.version is None:
        return decision, None
    tag = None
    if decision.version == candidate.plan.current:
        tag = ground.repository.find_tag(candidate.package.tag(decision.version))
    else:
        check_untagged(ground, candidate.package.tag(decision.version))
        _check_work_tree(ground, branch)
    with ground.store.begin() as tx:
        if known.unfinished is not None:
            for run in runs_of(tx, f"release:{known.unfinished.id}"):
                engine.abandon(tx, run.id)
        _check_is_free(tx)
        if tag is None:
            _check_unmade(tx, candidate.package.name, decision.version)
        return decision, begin_release(
            tx, engine, _order(candidate, decision.version, tag, engine.clock.now_us()), actor
        )


def _known(ground: ReleaseGround, candidate: Candidate) -> Known:
    plan = candidate.plan
    with ground.store.begin() as tx:
        newest = newest_release(tx, candidate.package.name)
        unfinished = newest if newest is not None and _is_unfinished(tx, newest) else None
        begun = unfinished is not None and _publishing_begun(tx, unfinished)
        recorded = plan.current is not None and find_release(tx, plan.name, plan.current) is not None
    if unfinished is not None or recorded or plan.current is None:
        return Known(plan, unfinished, tagged_here=False, on_registry=None, publishing_begun=begun)
    tag = ground.repository.find_tag(candidate.package.tag(plan.current))
    ours = tag is not None and _made_by_shipline(ground, candidate, tag)
    outlets = tuple(outlet for outlet in ground.outlets if outlet.takes(candidate.package))
    if not ours or not outlets:
        return Known(plan, None, tagged_here=ours, on_registry=None)
    found = [outlet.registry.find(plan.name, plan.current) for outlet in outlets]
    whole = all(is_whole(candidate.package.ecosystem, tuple(file.name for file in served)) for served in found)
    return Known(plan, None, tagged_here=True, on_registry=whole, publishing_begun=any(found) and not whole)


def _is_unfinished(tx: Transaction, release: Release) -> bool:
    """True if it was not published, or if its run stopped after that: the evidence bundle is missing then."""
    runs = runs_of(tx, f"release:{release.id}")
    return release.status in UNPUBLISHED or any(run.state.status is RunStatus.STOPPED for run in runs)


def _check_is_free(tx: Transaction) -> None:
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
    """True if the tagged commit carries our key: older tags, made before Shipline came, are nothing to go on with."""
    commit = next(iter(ground.repository.log((), tag.commit)), None)
    key = release_key(candidate.package.name, candidate.plan.current or "")
    return commit is not None and f"{KEY_TRAILER}: {key}" in commit.message.splitlines()


def _check_unmade(tx: Transaction, package: str, version: str) -> None:
    made = find_release(tx, package, version)
    if made is not None:
        raise ConflictError(
            f"{package} {version} was made before: it is {made.status.value}, and its tag {made.tag} is gone",
            todo="bring the tag back (`git fetch --tags`); a version is never made twice",
        )


def _check_work_tree(ground: ReleaseGround, branch: str) -> None:
    here = ground.repository.branch()
    if branch and here != branch:
        raise RefusedError(
            f"releases are made from {branch}, and this is {here or 'a detached HEAD'}", todo=f"git switch {branch}"
        )
    dirty = ground.repository.dirty_paths()
    if dirty:
        shown = ", ".join(dirty[:5]) + (f" and {len(dirty) - 5} more" if len(dirty) > 5 else "")
        raise RefusedError(
            "the work tree has changes that are not committed",
            why=shown,
            todo="commit or stash them, then run this again",
        )


def _order(candidate: Candidate, version: str, tag: Tag | None, now_us: int) -> ReleaseOrder:
    """The order. A release that goes on from its tag keeps the tag's instant, so that it builds the same bytes."""
    plan = candidate.plan
    begun = plan.releasable and plan.next == version
    if not begun and tag is None:
        raise ShiplineError(f"the tag of {version} is gone", todo="restore it, or release the next version")
    return ReleaseOrder(
        package=candidate.package,
        version=version,
        tag=candidate.package.tag(version),
        previous_version=plan.current if begun else None,
        time_us=tag.time_us if tag is not None else now_us // 1_000_000 * 1_000_000,
        section=render_section(plan, time_us=now_us) if begun else "",
        reasons=plan.reasons if begun else (),
        commits=tuple((each.commit, each.time_us) for each in plan.changes if each.is_commit) if begun else (),
        requirements=plan.requirements if begun else (),
        changesets=plan.changesets if begun else (),
        version_files=candidate.version_files,
        changelog=candidate.changelog,
        commit=tag.commit if tag is not None else None,
    )
