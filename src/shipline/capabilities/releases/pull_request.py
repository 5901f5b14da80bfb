"""Releases by pull request: one that is kept up to date for each branch, and what was merged from it is released.

What is so is read from git alone: the branch's commit carries a key, and a merged release is known by what its files
and changelog say, whatever the merge did to commits and titles. Labels say nothing. The work tree is not touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shipline.capabilities.plans import scheme_named, section_titles, written_section
from shipline.capabilities.releases.batch import edited_files, in_commit, message_of
from shipline.capabilities.releases.candidates import Candidate
from shipline.capabilities.releases.checks import check_lowers_nothing, check_outlets_are_used, check_unmade
from shipline.capabilities.releases.committed import since, uses_changesets
from shipline.capabilities.releases.footing import KEY_TRAILER, PULL_REQUEST_KEY, inside
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.ordering import brought_order, known_of, release_package
from shipline.capabilities.releases.pull_request_rules import body_with, branch_for, part_of, title_of
from shipline.capabilities.releases.rules import Brought, Decision, Start, decide_merged, decide_start
from shipline.capabilities.releases.usecases import begin_release, leave_release, resume_release
from shipline.capabilities.releases.waiting import held_up
from shipline.capabilities.version_files import read_version
from shipline.domain.actor import Actor
from shipline.domain.errors import ConfigurationError, ConflictError, RefusedError, ShiplineError
from shipline.domain.package import Package
from shipline.domain.release import Release
from shipline.domain.version_file import VersionFile
from shipline.engine.engine import Engine
from shipline.ports.forge import Forge, PullRequest
from shipline.ports.forge.answers import Thread
from shipline.ports.repository import Commit, Repository

MERGED_SEARCH_MAX = 500
MARKER = "shipline:release-pull-request"
CLOSED_WORDS = "Nothing is left to release here, so Shipline has closed this."


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of the pull request. `change` is opened, updated, unchanged, closed, none or waiting; `pull` is None
    where there is none."""

    change: str
    pull: PullRequest | None
    reason: str = ""


# --- keeping it up to date -----------------------------------------------------------------------------------------


def keep_pull_request(ground: ReleaseGround, candidates: tuple[Candidate, ...], *, target: str) -> Kept:
    """Make the pull request to `target` say what HEAD would release; close it where that is nothing.

    ConfigurationError without forge and remote. RefusedError where HEAD is not on the remote's branch, or where people
    have committed to the pull request's branch. ConflictError where somebody else was faster.
    """
    forge, head = check_hosted(ground)
    if not _is_newest(ground, head, target):
        return Kept("waiting", None, f"{target} has moved on: the run for its newest commit sees to the pull request")
    proposal = propose(ground, candidates, head)
    branch = branch_for(target)
    tip = ground.repository.fetch_branch(ground.remote, branch)
    _check_ours(ground, tip, branch)
    if proposal is None:
        return _close(forge, branch, target, tip)
    message, key = proposal.message
    commit = ground.repository.commit_beside(head, proposal.files, message, key=key, time_us=proposal.time_us)
    if commit != tip:
        ground.repository.move_branch(ground.remote, branch, commit, expected=tip)
    return _say(forge, proposal, target, moved=commit != tip)


def check_hosted(ground: ReleaseGround) -> tuple[Forge, str]:
    """The forge, and HEAD. ConfigurationError where there can be no pull request."""
    forge, head = ground.forge, ground.repository.head()
    if forge is None or not ground.remote or head is None:
        raise ConfigurationError(
            "releases by pull request need a forge and a remote",
            todo="set [forge], and remote in [release], in shipline.toml",
        )
    return forge, head


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a pull request is to say. `packages` are names and versions, `text` is Shipline's part of the body.

    `files` are those of its one commit on top of HEAD, None for one that it deletes; `message` is the commit's, with
    the key, and `time_us` is HEAD's instant, so that the same HEAD makes the same commit.
    """

    packages: tuple[tuple[str, str], ...]
    title: str
    text: str
    files: dict[str, bytes | None]
    message: tuple[str, str]
    time_us: int


def propose(ground: ReleaseGround, candidates: Sequence[Candidate], head: str) -> Proposal | None:
    """What HEAD would release, None for nothing. What was merged and not released yet is left out."""
    proposed = [one for one in candidates if one.plan.releasable and find_merged(ground, one) is None]
    if not proposed:
        return None
    check_lowers_nothing(ground, proposed, head)
    check_outlets_are_used(ground, [one.package for one in proposed])
    time_us = _commit_at(ground, head).time_us
    # What was merged is known by its changelog too, so that pre-releases have their sections.
    parts = [replace(one.part(ground, time_us), changelog=one.changelog) for one in proposed]
    plans = [one.plan for one in proposed]
    return Proposal(
        packages=tuple((part.package.name, part.version) for part in parts),
        title=title_of(plans, ground.commit_message),
        text=part_of(plans, [part.section for part in parts]),
        files=edited_files(parts, in_commit(ground.repository, head, parts)),
        message=message_of(ground.commit_message, parts, PULL_REQUEST_KEY),
        time_us=time_us,
    )


def _is_newest(ground: ReleaseGround, head: str, target: str) -> bool:
    """True if HEAD is the remote's branch. RefusedError where it holds what nobody has pushed."""
    tip = ground.repository.fetch_branch(ground.remote, target)
    if tip == head:
        return True
    if tip is None or next(iter(ground.repository.log((tip,), head)), None) is not None:
        raise RefusedError(
            f"HEAD is not on {target} of {ground.remote}",
            why="a pull request would propose commits that nobody has seen",
            todo=f"push it first, or check out {target} as {ground.remote} has it",
        )
    return False


def _check_ours(ground: ReleaseGround, tip: str | None, branch: str) -> None:
    """RefusedError where the branch ends with a commit that is not Shipline's own: it would be lost."""
    if tip is None:
        return
    commit = next(iter(ground.repository.log((), tip, limit=1)), None)
    if commit is None or f"{KEY_TRAILER}: {PULL_REQUEST_KEY}" not in commit.message.splitlines():
        raise RefusedError(
            f"people have committed to {branch}, and an update would lose that",
            why=f"its newest commit is {tip[:12]}",
            todo=f"merge it as it is, or delete the branch {branch}: it is made anew",
        )


def _say(forge: Forge, proposal: Proposal, target: str, *, moved: bool) -> Kept:
    branch, title, part = branch_for(target), proposal.title, proposal.text
    known = next(iter(forge.open_pull_requests(head=branch, base=target)), None)
    if known is None:
        return Kept(
            "opened", forge.create_pull_request(head=branch, base=target, title=title, body=body_with("", part))
        )
    body = body_with(known.body, part)
    if (known.title, _unified(known.body)) == (title, _unified(body)):
        return Kept("updated" if moved else "unchanged", known)
    return Kept("updated", forge.update_pull_request(known.number, title=title, body=body))


def _unified(body: str) -> str:
    """Forges may change line breaks, and cut white space at the end."""
    return body.replace("\r\n", "\n").strip()


def _close(forge: Forge, branch: str, target: str, tip: str | None) -> Kept:
    """Nothing to release: say so on the pull request, close it, and take the branch away."""
    open_ones = forge.open_pull_requests(head=branch, base=target)
    for pull in open_ones:
        forge.put_comment(Thread.pull(pull.number), marker=MARKER, body=CLOSED_WORDS)
        forge.close_pull_request(pull.number)
    if tip is not None:
        forge.delete_branch(branch, tip)
    return Kept("closed", open_ones[0]) if open_ones else Kept("none", None, "nothing is to be released")


# --- releasing what was merged -------------------------------------------------------------------------------------


def release_merged(
    ground: ReleaseGround, engine: Engine, candidate: Candidate, actor: Actor, *, branch: str
) -> tuple[Decision, Release | None]:
    """Begin the release of what a pull request has brought, or go on with one; None where there is nothing to do, or
    where it has to wait.

    Errors as for `release_package`. Nothing is edited or committed: the commit that brought it is tagged.
    """
    known, merged = known_of(ground, candidate), find_merged(ground, candidate)
    usual = decide_start(known)
    decision = held_up(ground, candidate, decide_merged(usual, known, merged))
    if decision == usual:
        return release_package(ground, engine, candidate, actor, branch=branch)
    with ground.store.begin() as tx:
        if decision.start is Start.RESUME and known.unfinished is not None:
            return decision, resume_release(tx, engine, known.unfinished, actor)
        if decision.start is not Start.NEW or merged is None:
            return decision, None
        if known.unfinished is not None:
            leave_release(tx, engine, known.unfinished)
        again = known.unfinished if known.unfinished and known.unfinished.version == merged.version else None
        if again is None:
            check_unmade(tx, candidate.package.name, merged.version)
        order = brought_order(ground, candidate, merged, merged=True)
        return decision, begin_release(tx, engine, order, actor, again=again)


def find_merged(ground: ReleaseGround, candidate: Candidate) -> Brought | None:
    """The version that HEAD's files and changelog state and that has no tag yet, with the commit that brought it.

    That is the oldest commit of the branch itself (first parents) since when both say so: a merge, a squashed or a
    rebased commit, and not a commit that came later.
    """
    head = ground.repository.head()
    version = _stated(ground, candidate, head) if head is not None else None
    if head is None or version is None or not _is_new(ground, candidate, version):
        return None
    commits = {commit.id: commit for commit in ground.repository.log(since(ground, candidate), head)}
    brought = commits.get(head)
    for _ in range(MERGED_SEARCH_MAX):
        if brought is None:
            return None
        parent = brought.parents[0] if brought.parents else None
        if parent is None or _stated(ground, candidate, parent) != version:
            return _merged(ground, candidate, version, brought)
        brought = commits.get(parent)
    raise ShiplineError(
        f"{candidate.package.name} {version} was merged more than {MERGED_SEARCH_MAX} commits ago, and has no tag",
        todo=f"tag the commit that brought it, or raise the version on {head[:12]}",
    )


def _merged(ground: ReleaseGround, candidate: Candidate, version: str, commit: Commit) -> Brought | None:
    if _counts_from_files(candidate, version) and not uses_changesets(ground, candidate.package.name, commit):
        return None
    section = written_section(_changelog(ground.repository, candidate.package, candidate.changelog, commit.id), version)
    return Brought(version, commit.id, commit.time_us, section)


def _counts_from_files(candidate: Candidate, version: str) -> bool:
    """True where nothing of the package is tagged, and changesets count from what its files state: what they state
    may have been there all the time."""
    return candidate.plan.current == version and candidate.plan.tag is None


def _stated(ground: ReleaseGround, candidate: Candidate, commit: str) -> str | None:
    package, files = candidate.package, candidate.version_files
    return stated_version(ground.repository, package, files, candidate.changelog, commit)


def stated_version(
    repository: Repository, package: Package, files: Sequence[VersionFile], changelog: str, commit: str
) -> str | None:
    """The one version that all version files state at a commit, if the changelog has a section of it; else None.

    Without version files, the changelog's newest.
    """
    titles = section_titles(_changelog(repository, package, changelog, commit))
    found = repository.read_files(tuple(dict.fromkeys(file.path for file in files)), commit)
    if not files:
        return titles[0] if titles else None
    if any(file.path not in found for file in files):
        return None
    try:
        versions = {read_version(file, found[file.path]) for file in files}
    except ShiplineError:
        return None
    if len(versions) != 1:
        return None
    (version,) = versions
    return version if version in titles else None


def _is_new(ground: ReleaseGround, candidate: Candidate, version: str) -> bool:
    """True for a version after the current one that has no tag."""
    scheme = scheme_named(candidate.package.scheme)
    parsed, current = scheme.parse(version), scheme.parse(candidate.plan.current or "")
    if parsed is None:
        return False
    if current is not None and parsed.key <= current.key and not _counts_from_files(candidate, version):
        return False
    return ground.repository.find_tag(candidate.package.tag(version)) is None


def _changelog(repository: Repository, package: Package, changelog: str, commit: str) -> str:
    path = inside(package, changelog)
    return repository.read_files((path,), commit).get(path, b"").decode("utf-8", "replace")


def _commit_at(ground: ReleaseGround, commit: str) -> Commit:
    found = next(iter(ground.repository.log((), commit, limit=1)), None)
    if found is None:
        raise ConflictError(f"the commit {commit[:12]} is gone")
    return found
