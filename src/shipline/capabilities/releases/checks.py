"""What keeps a release from beginning or going on here, each as an error in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shipline.capabilities.gates import judge
from shipline.capabilities.plans import is_lowered, scheme_named
from shipline.capabilities.releases.batch import Part, edited_files, footing_of, in_commit, parts_of
from shipline.capabilities.releases.candidates import Candidate
from shipline.capabilities.releases.footing import Footing, check_head, check_tree, inside, listed
from shipline.capabilities.releases.footing import has_moved as footing_has_moved
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.marks import is_marked
from shipline.capabilities.releases.outlets import IDLE_TODO, Outlet
from shipline.capabilities.releases.queries import RELEASES, find_release
from shipline.capabilities.releases.usecases import EXCLUSIVE_KEY
from shipline.capabilities.version_files import read_version
from shipline.domain.errors import RefusedError, ShiplineError, UnavailableError
from shipline.domain.package import Package
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.verdict import Answer, combined
from shipline.domain.version_file import VersionFile
from shipline.engine.journal import holder_of, runs_of
from shipline.engine.rules import ENDED
from shipline.store.transaction import Transaction

EDITS_SHOWN_MAX = 10


def check_is_free(tx: Transaction) -> None:
    """One release at a time works on the tree, whichever package it is of: that one has it until it has ended."""
    holder = holder_of(tx, EXCLUSIVE_KEY)
    if holder is None or holder.state.status in ENDED:
        return
    other = RELEASES.find(tx, str(holder.input["release_id"]))
    if other is not None:
        raise RefusedError(
            f"the release of {other.package} {other.version} has not ended: it is {other.status.value}",
            todo=f"end it first: shipline release --package {other.package}",
        )


def check_calendar(ground: ReleaseGround, package: Package, version: str, *, committed_us: int | None = None) -> None:
    """RefusedError while the calendar closes the stage `release`. Pre-releases and snapshots do not wait for a train.

    What was committed at `committed_us`, while it was open, goes on: half a plan is not left for the next train.
    """
    if not _is_final(package, version):
        return
    calendar = ground.calendar_now()
    name, now_us = f"{package.name} {version}", ground.events.clock.now_us()
    moments = (now_us,) if committed_us is None else (now_us, committed_us)
    found = [judge(calendar, "release", moment, release=name, signed=None) for moment in moments]
    if not calendar or any(combined(verdicts) is Answer.PASS for verdicts in found):
        return
    why = "; ".join(reason for verdict in found[0] for reason in verdict.reasons)
    raise RefusedError(f"{name} is not released now", why=why, todo="`shipline calendar` shows what comes")


def _is_final(package: Package, version: str) -> bool:
    parsed = scheme_named(package.scheme).parse(version)
    return parsed is None or parsed.is_stable


def _footing(ground: ReleaseGround, release: Release) -> Footing | None:
    """What an unfinished release was planned on; None where that does not matter: its commit is tagged, or is to stand
    beside the branch."""
    if release.commit is not None:
        return None
    with ground.store.begin() as tx:
        runs = runs_of(tx, f"release:{release.id}")
    if not runs or runs[-1].input.get("beside") is not None:
        return None
    given = runs[-1].input
    return footing_of(given, parts_of(given, release.version, release.notes_markdown))


def has_moved(ground: ReleaseGround, release: Release) -> bool:
    """True if what an unfinished release was planned on is not where the branch is any more."""
    footing = _footing(ground, release)
    return footing is not None and footing_has_moved(ground.repository, footing)


def check_ground(ground: ReleaseGround, release: Release, branch: str) -> None:
    """Refuse to go on with a release whose commit would not be the one that was planned."""
    footing = _footing(ground, release)
    if footing is not None:
        check_branch(ground, branch)
        check_head(ground.repository, footing)
        check_tree(ground.repository, footing)


def check_unmade(tx: Transaction, package: str, version: str) -> None:
    """Refuse (RefusedError) to make a version that the store knows."""
    made = find_release(tx, package, version)
    if made is not None:
        raise RefusedError(
            f"{package} {version} was made before: it is {made.status.value}, and its tag {made.tag} is gone",
            todo="bring the tag back (`git fetch --tags`); a version is never made twice",
        )


def moved_tag(ground: ReleaseGround, candidate: Candidate) -> str:
    """Says in a sentence that the tag of the last release is not where that was made from; "" where it is.

    What came before the tag would never be released, and nobody would know.
    """
    plan = candidate.plan
    if plan.current is None or plan.tag is None:
        return ""
    with ground.store.begin() as tx:
        known = find_release(tx, plan.name, plan.current)
    tag = ground.repository.find_tag(plan.tag)
    if known is None or tag is None or known.commit in (None, tag.commit):
        return ""
    was, now = str(known.commit)[:12], tag.commit[:12]
    return f"the tag {tag.name} was moved: it is on {now}, and {plan.current} was released from {was}"


def check_promotable(tx: Transaction, ground: ReleaseGround, candidate: Candidate, commit: str | None) -> None:
    """Refuse a release candidate that was taken back, or whose tag was moved since it was released."""
    package, version = candidate.package, candidate.promotes or ""
    known = find_release(tx, package.name, version)
    yanked = is_marked(ground, package.tag(version)) if known is None else known.status is ReleaseStatus.YANKED
    if yanked:
        raise RefusedError(
            f"{package.name} {version} was taken back",
            why="git remembers it" if known is None else known.yank_reason,
            todo="mend it, release another candidate, and make that one final",
        )
    if known is not None and known.commit not in (None, commit):
        raise RefusedError(
            f"the tag {known.tag} was moved: {known.version} was released from {str(known.commit)[:12]}",
            why=f"now it is on {str(commit)[:12]}, which nobody has tested under this name",
            todo="bring the tag back to where it was (`git fetch --tags --force`)",
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """A version that a commit is to be made for, and that nobody has tagged."""

    package: Package
    version: str
    channel: str


def check_outlets_are_used(ground: ReleaseGround, packages: Sequence[Package]) -> None:
    """Refuse where a registry is configured that would get nothing of these: it would look as if all went well."""
    for outlet in ground.outlets:
        meant = [one for one in packages if not outlet.packages or one.name in outlet.packages]
        if all(outlet.kinds_of(one, ground.kinds_of(one)) for one in meant):
            continue  # So the others need not be looked for.
        idle = {one.name for one in outlet.idle_for(ground.packages(), ground.kinds_of)}
        for package in meant:
            if package.name in idle:
                raise RefusedError(
                    f"the registry {outlet.name} is configured, and would get nothing of {package.name}",
                    why=outlet.wants(package, ground.kinds_of(package)),
                    todo=IDLE_TODO,
                )


def check_outlets(ground: ReleaseGround, wanted: Sequence[Wanted]) -> None:
    """Ask the registries before anything is committed: a number that is used up for nothing is nobody's wish.

    RefusedError for what would refuse the release later in any case, and where a registry has the version already,
    which is not ours, since it was never tagged. Raises UnavailableError for one that does not answer, but
    where several packages are released: then it holds up its own alone, when it is their turn.
    """
    for one in wanted:
        kinds = ground.kinds_of(one.package)
        for outlet in ground.outlets:
            if not outlet.kinds_of(one.package, kinds):
                continue
            try:
                _check_outlet(outlet, one)
            except UnavailableError:
                if len(wanted) == 1:
                    raise


def _check_outlet(outlet: Outlet, wanted: Wanted) -> None:
    name, version, tag = wanted.package.name, wanted.version, wanted.package.tag(wanted.version)
    if outlet.registry.find(name, version):
        raise RefusedError(
            f"the registry {outlet.name} has {name} {version} already, and no tag {tag} says from where",
            why="nothing was committed: it was published from elsewhere, and its bytes are never replaced",
            todo=f"`git fetch --tags`; if there is no {tag}, tag the commit that it was made from"
            f" (git tag --annotate {tag} COMMIT), and the next version is released",
        )
    findings = outlet.registry.check(name, version, (), channel=wanted.channel)
    refused = [finding for finding in findings if finding.answer is Answer.FAIL]
    if refused:
        raise RefusedError(
            "; ".join(f"{outlet.name}: {finding.words}" for finding in refused),
            why="nothing was committed, pushed or published",
            todo="; ".join(dict.fromkeys(finding.todo for finding in refused if finding.todo)),
        )


def check_remote(ground: ReleaseGround) -> None:
    """RefusedError where the remote's branch has commits that are not here: the push at the end would be rejected."""
    branch, head = ground.repository.branch(), ground.repository.head()
    if not ground.remote or branch is None or head is None:
        return
    tip = ground.repository.fetch_branch(ground.remote, branch)
    if tip is not None and ground.repository.merge_base((tip, head)) != tip:
        raise RefusedError(
            f"{ground.remote} has commits on {branch} that are not here",
            why="the release's own commit could not be pushed",
            todo=f"git pull {ground.remote} {branch}, then run this again",
        )


def check_pushed(ground: ReleaseGround, commit: str) -> None:
    """RefusedError where the remote's branch lacks what is to be tagged: the tag would make it public, on no branch."""
    branch = ground.branch
    if not ground.remote or branch is None:
        return
    tip = ground.repository.fetch_branch(ground.remote, branch)
    if tip is None or ground.repository.merge_base((tip, commit)) != commit:
        raise RefusedError(
            f"{branch} of {ground.remote} does not have {commit[:12]}",
            why='with mode = "tag" a release pushes its tag alone, and what that stands on is to be on the branch',
            todo=f"git push {ground.remote} {branch}, then run this again",
        )


def check_edits_nothing(ground: ReleaseGround, candidate: Candidate, parts: Sequence[Part]) -> None:
    """RefusedError, naming each file, where a release by its tag alone would have to edit some."""
    read = in_commit(ground.repository, str(candidate.beside), parts)
    there = [replace(part, version_files=tuple(one for one in part.version_files if read(one.path))) for part in parts]
    reasons = [
        _edit_in_words(candidate, path)
        for path, content in sorted(edited_files(there, read).items())
        if content != read(path)
    ]
    if reasons:
        raise RefusedError(
            f"{candidate.package.name} {candidate.plan.next} cannot be released by its tag alone",
            why="; ".join(reasons[:EDITS_SHOWN_MAX]) + (" ..." if len(reasons) > EDITS_SHOWN_MAX else ""),
            todo='leave mode = "tag" out of [release], so that they are committed, or let git alone state the version',
        )


def _edit_in_words(candidate: Candidate, path: str) -> str:
    if any(file.path == path for file in candidate.version_files):
        return f"{path} states its version"
    if path in candidate.plan.changesets:
        return f"{path} would be used up"
    return f"{path} repeats the version of what it requires"


def check_branch(ground: ReleaseGround, branch: str) -> None:
    """Refuse to release from another branch than `branch`, "" for any."""
    here = ground.branch
    if branch and here != branch:
        raise RefusedError(
            f"releases are made from {branch}, and this is {here or 'a detached HEAD'}", todo=f"git switch {branch}"
        )


def check_attached(ground: ReleaseGround, candidate: Candidate) -> None:
    """Refuse a release commit on a detached HEAD: no branch would have it, nor find the tag that stands on it."""
    on_branch = candidate.beside is None or (candidate.tag_only and candidate.promotes is None)
    if on_branch and ground.branch is None:
        raise RefusedError(
            "HEAD is detached: the release's commit and tag would stand beside every branch",
            why="the next release from the branch would not know of this one",
            todo="git switch BRANCH, and run this again; in CI, `git switch -C BRANCH` puts HEAD on it",
        )


def check_lowers_nothing(ground: ReleaseGround, candidates: Sequence[Candidate], head: str) -> None:
    """Refuse to write a version over a final one that is above it: who has that one would never get the release.

    No tag tells of what the file states, so it was released from elsewhere, or nobody meant this version. A pre-release
    in the file (`1.5.0.dev0`) only says what is being worked on.
    """
    pairs = [(one, file) for one in candidates for file in one.version_files]
    contents = ground.repository.read_files(tuple({file.path: None for _, file in pairs}), head) if pairs else {}
    for candidate, file in pairs:
        plan, scheme = candidate.plan, scheme_named(candidate.package.scheme)
        stated = scheme.parse(_stated(file, contents.get(file.path)))
        following = scheme.parse(str(plan.next))
        if stated is None or following is None or not stated.is_stable or not is_lowered(stated, following):
            continue
        tag, lower = candidate.package.tag(stated.text), plan.current or following.text
        raise RefusedError(
            f"{file.path} says {stated.text}, and the release of {plan.name} {following.text} would lower it",
            why=f"no tag of this history tells of {stated.text}",
            todo=f"if {stated.text} is released, tag its commit (git tag --annotate {tag} COMMIT); if not, let the file"
            f" say {lower} (shipline version sync) and commit it",
        )


def _stated(file: VersionFile, content: bytes | None) -> str:
    """The version that a file states; "" where it cannot be said, which editing it will explain."""
    try:
        return read_version(file, content) if content is not None else ""
    except ShiplineError:
        return ""


def check_work_tree(ground: ReleaseGround, candidate: Candidate, unfinished: Release | None) -> None:
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
