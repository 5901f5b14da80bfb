"""From what a package's plan, tags, store and registries say to a release that is under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shipline.capabilities.releases.batch import Part
from shipline.capabilities.releases.candidates import Candidate, is_final
from shipline.capabilities.releases.checks import (
    Wanted,
    check_attached,
    check_branch,
    check_calendar,
    check_edits_nothing,
    check_ground,
    check_is_free,
    check_lowers_nothing,
    check_outlets,
    check_outlets_are_used,
    check_promotable,
    check_pushed,
    check_remote,
    check_unmade,
    check_work_tree,
    has_moved,
)
from shipline.capabilities.releases.committed import find_committed, since
from shipline.capabilities.releases.footing import Footing, is_release_commit, was_merged
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.marks import was_taken_back
from shipline.capabilities.releases.moving_tags import check_moving_tags
from shipline.capabilities.releases.queries import find_release, newest_release
from shipline.capabilities.releases.rules import UNPUBLISHED, Brought, Decision, Known, Start, decide_start, is_whole
from shipline.capabilities.releases.steps import check_untagged
from shipline.capabilities.releases.tag_messages import has_key, notes_in
from shipline.capabilities.releases.usecases import (
    ReleaseOrder,
    begin_release,
    has_begun,
    leave_release,
    resume_release,
)
from shipline.capabilities.releases.waiting import held_up
from shipline.domain.actor import Actor
from shipline.domain.errors import ShiplineError
from shipline.domain.release import Release
from shipline.domain.release_plan import PackagePlan
from shipline.engine.engine import Engine
from shipline.engine.journal import runs_of
from shipline.engine.rules import ENDED
from shipline.ports.repository import Tag
from shipline.store.transaction import Transaction

PUBLIC_STEPS = ("push", "publish")


def release_package(  # noqa: PLR0913 - each is named where it is given
    ground: ReleaseGround,
    engine: Engine,
    candidate: Candidate,
    actor: Actor,
    *,
    branch: str,
    fellows: Sequence[Candidate] = (),
) -> tuple[Decision, Release | None]:
    """Begin, resume or follow the release of a package; None where there is nothing to do, or where it has to wait.

    A new release's commit is also that of those `fellows` that are to be released anew: their own releases begin from
    it, when it is their turn. `branch` is the only one that may be released from, "" for any. Raises RefusedError for
    another branch, for a remote that has moved on, for a registry that says no before anything is built, for a work
    tree in which tracked files differ from HEAD (for one that goes on: others than its own),
    for one that goes on and has made no commit if HEAD is not what it was planned on, and for one that needs a commit
    while the release that made the last one has not ended, and for a version whose tag exists elsewhere.
    """
    known = known_of(ground, candidate)
    decision = held_up(ground, candidate, decide_start(known))
    if decision.start is Start.FOLLOW:
        return decision, known.unfinished
    if decision.start is Start.RESUME and known.unfinished is not None:
        check_ground(ground, known.unfinished, branch)
        with ground.store.begin() as tx:
            return decision, resume_release(tx, engine, known.unfinished, actor)
    if decision.start in (Start.NOTHING, Start.WAIT) or decision.version is None:
        return decision, None
    order, left = new_order(ground, candidate, known, decision.version, branch=branch, fellows=fellows)
    if order.commit is None or (candidate.tag_only and ground.repository.find_tag(order.tag) is None):
        _check_outside(ground, candidate, order, fellows)
    again = known.unfinished if known.unfinished is not None and known.unfinished.version == decision.version else None
    with ground.store.begin() as tx:
        for release in left:
            leave_release(tx, engine, release)
        if order.commit is None:
            check_is_free(tx)
        if candidate.promotes is not None:
            check_promotable(tx, ground, candidate, candidate.beside or ground.repository.head())
        if again is None and decision.version != candidate.plan.current:
            check_unmade(tx, candidate.package.name, decision.version)
        return decision, begin_release(tx, engine, order, actor, again=again)


def _check_outside(
    ground: ReleaseGround, candidate: Candidate, order: ReleaseOrder, fellows: Sequence[Candidate]
) -> None:
    """Ask remote and registries about all that is to be committed, before anything of it is."""
    if candidate.beside is None:
        check_remote(ground)
    elif candidate.tag_only and candidate.promotes is None:
        check_pushed(ground, candidate.beside)
    by_name = {one.package.name: one for one in (candidate, *fellows)}
    parts = ((by_name[part.package.name], part.version) for part in order.parts)
    check_outlets(ground, [Wanted(one.package, version, one.channel(version)) for one, version in parts])


def new_order(  # noqa: PLR0913 - each is named where it is given
    ground: ReleaseGround,
    candidate: Candidate,
    known: Known,
    version: str,
    *,
    branch: str,
    fellows: Sequence[Candidate] = (),
) -> tuple[ReleaseOrder, tuple[Release, ...]]:
    """The order of a release that begins now, and the releases that it leaves behind.

    Refuses what must not begin here, as `release_package` says. It goes on from its tag, or from the commit that holds
    it already, or makes a commit for itself and its fellows, or has HEAD tagged as it is.
    """
    check_moving_tags(ground.moving_tags, candidate.package)
    left = () if known.unfinished is None else (known.unfinished,)
    now_us = ground.events.clock.now_us()
    if known.committed is not None and known.committed.version == version:
        check_branch(ground, branch)
        check_calendar(ground, candidate.package, version, committed_us=known.committed.time_us)
        return brought_order(ground, candidate, known.committed), left
    if version == candidate.plan.current:
        tag = ground.repository.find_tag(candidate.package.tag(version))
        return _tagged_order(ground, candidate, version, tag), left
    check_untagged(ground, candidate.package.tag(version))
    check_branch(ground, branch)
    check_attached(ground, candidate)
    check_calendar(ground, candidate.package, version)
    anew = [(candidate, known), *_anew(ground, candidate, fellows)]
    if candidate.beside is None or candidate.tag_only:
        check_work_tree(ground, candidate, known.unfinished)
    if candidate.beside is None:
        check_lowers_nothing(ground, [each for each, _ in anew], "HEAD")
    check_outlets_are_used(ground, [each.package for each, _ in anew])
    time_us = now_us // 1_000_000 * 1_000_000
    parts = [each.part(ground, time_us, replaces=_replaced(each, about)) for each, about in anew]
    unfinished = tuple(about.unfinished for _, about in anew if about.unfinished is not None)
    order = _first_order(ground, candidate, parts, time_us)
    if not candidate.tag_only:
        return order, unfinished
    check_edits_nothing(ground, candidate, order.parts)
    return replace(order, commit=candidate.beside), unfinished


def _anew(ground: ReleaseGround, candidate: Candidate, fellows: Sequence[Candidate]) -> list[tuple[Candidate, Known]]:
    """Those of the fellows whose planned version is to be committed now, with what is known of them."""
    if candidate.tag_only:
        return []  # Nothing is committed, so that each has its turn by itself.
    found = []
    for fellow in fellows:
        if not fellow.plan.releasable or (fellow.beside, fellow.promotes) != (candidate.beside, candidate.promotes):
            continue
        known = known_of(ground, fellow)
        decision = decide_start(known)
        held = known.committed.version if known.committed is not None else fellow.plan.current
        if decision.start is Start.NEW and decision.version == fellow.plan.next != held:
            check_moving_tags(ground.moving_tags, fellow.package)
            check_untagged(ground, fellow.package.tag(str(fellow.plan.next)))
            found.append((fellow, known))
    return found


def _replaced(candidate: Candidate, known: Known) -> str:
    """What the changelog says already of the version that is planned: a commit that nobody has tagged has left it."""
    overtaken = known.overtaken
    return overtaken.section if overtaken is not None and overtaken.version == candidate.plan.next else ""


def known_of(ground: ReleaseGround, candidate: Candidate) -> Known:
    """What is known of a package before its release."""
    known = _told(ground, candidate)
    committed = find_committed(ground, candidate)
    if committed is None:
        return known
    if committed.is_overtaken:
        return replace(known, overtaken=committed.brought)
    return replace(known, committed=committed.brought)


def _told(ground: ReleaseGround, candidate: Candidate) -> Known:
    """What store, tags and registries know."""
    plan = candidate.plan
    with ground.store.begin() as tx:
        newest = newest_release(tx, candidate.package.name)
        unfinished = newest if newest is not None and _is_unfinished(tx, newest) else None
        begun = unfinished is not None and has_begun(tx, runs_of(tx, f"release:{unfinished.id}"), PUBLIC_STEPS)
        recorded = plan.current is not None and find_release(tx, plan.name, plan.current) is not None
    if unfinished is not None or recorded or plan.current is None:
        moved = unfinished is not None and has_moved(ground, unfinished)
        return Known(plan, unfinished, tagged_here=False, on_registry=None, publishing_begun=begun, moved=moved)
    tag = ground.repository.find_tag(candidate.package.tag(plan.current))
    ours = tag is not None and _made_by_shipline(ground, candidate, tag)
    built = ground.kinds_of(candidate.package)
    pairs = ((outlet, outlet.kinds_of(candidate.package, built)) for outlet in ground.outlets)
    asked = tuple((outlet, kinds) for outlet, kinds in pairs if kinds)
    if tag is None or not ours or not asked:
        return Known(plan, None, tagged_here=ours, on_registry=None)
    found = [(kinds, outlet.registry.find(plan.name, plan.current)) for outlet, kinds in asked]
    whole = all(is_whole(kinds, tuple(file.name for file in served)) for kinds, served in found)
    begun = any(served for _, served in found) and not whole
    if not whole and was_taken_back(ground, tag.name):
        return Known(plan, None, tagged_here=False, on_registry=None, taken_back=True)
    return Known(plan, None, tagged_here=True, on_registry=whole, publishing_begun=begun)


def _is_unfinished(tx: Transaction, release: Release) -> bool:
    """True if it was not published, or if its run has not ended after that: the evidence bundle is missing then."""
    runs = runs_of(tx, f"release:{release.id}")
    return release.status in UNPUBLISHED or any(run.state.status not in ENDED for run in runs)


def _made_by_shipline(ground: ReleaseGround, candidate: Candidate, tag: Tag) -> bool:
    """True if the tag stands on a release commit, or on a merged one: older tags, from before Shipline, are nothing to
    go on with."""
    here, version = ground.repository, candidate.plan.current or ""
    commit = next(iter(here.log((), tag.commit, limit=1)), None)
    shares = candidate.shares_in("" if commit is None else commit.message)
    own = candidate.share(version)
    is_own = own in shares and is_release_commit(here, tag.commit, Footing(shares))
    return is_own or was_merged(here, tag.commit, own) or has_key(here.tag_message(tag.name), own)


def _first_order(ground: ReleaseGround, candidate: Candidate, parts: Sequence[Part], time_us: int) -> ReleaseOrder:
    """The order of a release that makes the commit of all `parts`, of which the first is its own."""
    plan, (own, *others) = candidate.plan, parts
    return ReleaseOrder(
        package=candidate.package,
        version=own.version,
        tag=candidate.package.tag(own.version),
        previous_version=plan.current,
        time_us=time_us,
        section=own.section,
        reasons=plan.reasons,
        commits=_commits(plan),
        requirements=own.requirements,
        changesets=own.changesets,
        version_files=own.version_files,
        changelog=own.changelog,
        replaces=own.replaces,
        locks=own.locks,
        others=tuple(others),
        base=ground.repository.head() if candidate.beside is None else None,
        branch=ground.branch,
        channel=candidate.channel(own.version),
        beside=candidate.beside,
        promotes=candidate.promotes,
    )


def _tagged_order(ground: ReleaseGround, candidate: Candidate, version: str, tag: Tag | None) -> ReleaseOrder:
    """The order of a release that goes on from its tag. It keeps the tag's instant, so that the bytes are the same."""
    if tag is None:
        raise ShiplineError(f"the tag of {version} is gone", todo="restore it, or release the next version")
    channel, share = candidate.channel(version), candidate.share(version)
    message = ground.repository.tag_message(tag.name)
    return ReleaseOrder(
        package=candidate.package,
        version=version,
        tag=candidate.package.tag(version),
        previous_version=None,
        time_us=tag.time_us,
        section=notes_in(message, share) if has_key(message, share) else "",
        commits=(),
        version_files=candidate.version_files,
        changelog=candidate.changelog if is_final(channel) else "",
        commit=tag.commit,
        branch=ground.branch,
        channel=channel,
        beside=candidate.beside,
        promotes=candidate.promotes,
    )


def brought_order(
    ground: ReleaseGround, candidate: Candidate, brought: Brought, *, merged: bool = False
) -> ReleaseOrder:
    """The order of a release whose commit is there, by a pull request or with other packages' releases.

    Its instant is the commit's. `merged`: the commit is on the remote already.
    """
    plan, channel = candidate.plan, candidate.channel(brought.version)
    time_us = brought.time_us // 1_000_000 * 1_000_000
    held = {commit.id for commit in ground.repository.log(since(ground, candidate), brought.commit)}
    return ReleaseOrder(
        package=candidate.package,
        version=brought.version,
        tag=candidate.package.tag(brought.version),
        previous_version=plan.current if plan.current != brought.version else None,
        time_us=time_us,
        section=brought.section or _planned_section(ground, candidate, brought.version, time_us),
        reasons=plan.reasons,
        commits=tuple(one for one in _commits(plan) if one[0] in held),
        version_files=candidate.version_files,
        changelog=candidate.changelog if merged or is_final(channel) else "",
        commit=brought.commit,
        branch=ground.branch,
        channel=channel,
        beside=candidate.beside,
        merged=merged,
    )


def _planned_section(ground: ReleaseGround, candidate: Candidate, version: str, time_us: int) -> str:
    return candidate.part(ground, time_us).section if candidate.plan.next == version else ""


def _commits(plan: PackagePlan) -> tuple[tuple[str, int], ...]:
    """The released commits with their times, each once; changesets and the like are none."""
    return tuple(dict.fromkeys((change.commit, change.time_us) for change in plan.changes if change.is_commit))


def unfinished_first(
    ground: ReleaseGround, candidates: Sequence[Candidate]
) -> tuple[tuple[Candidate, ...], tuple[Candidate, ...]]:
    """The packages with a release that is under way or goes on, and the others: nothing begins before those have ended.

    What is planned for the others stands on versions that are there then.
    """
    going = [one for one in candidates if _goes_on(ground, one)]
    names = {one.package.name for one in going}
    return tuple(going), tuple(one for one in candidates if one.package.name not in names)


def _goes_on(ground: ReleaseGround, candidate: Candidate) -> bool:
    with ground.store.begin() as tx:
        newest = newest_release(tx, candidate.package.name)
        if newest is None or not _is_unfinished(tx, newest):
            return False
    return decide_start(_told(ground, candidate)).start in (Start.FOLLOW, Start.RESUME)
