"""What is so of pull requests that propose versions: made from the base branch as the remote has it. Changes nothing
that anybody else can see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from shipline.capabilities.automation.remediation.bumping import MANIFESTS_MAX, Proposal, manifests_of, propose
from shipline.capabilities.automation.remediation.flaws import SEVERITIES, Flaw, Rule, Thing
from shipline.capabilities.automation.remediation.pulls import (
    BRANCHES,
    KEY_LINE,
    Bump,
    PullSeen,
    commit_message,
    pull_key,
    read_target,
)
from shipline.capabilities.automation.remediation.ranges import highest, target_of
from shipline.capabilities.automation.remediation.texts import read_state
from shipline.domain.errors import ConfigurationError
from shipline.ports.forge import Forge, PullRequest, PullState
from shipline.ports.repository import Repository

CLOSED_MAX = 300
"""So many closed pull requests are looked through, the latest change first, for one that a person has closed."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What proposals stand on: `tip` is the commit of `base` on the remote."""

    repository: Repository
    remote: str
    base: str
    tip: str
    paths: tuple[str, ...]
    time_us: int


def ground_of(repository: Repository, remote: str, base: str) -> Ground:
    """The base branch as it is now. ConfigurationError where the remote does not have it."""
    tip = repository.fetch_branch(remote, base)
    commit = None if tip is None else next(iter(repository.log((), tip, limit=1)), None)
    if tip is None or commit is None:
        raise ConfigurationError(f"{remote} has no branch {base}", todo="push it, or mend branch in [release]")
    return Ground(repository, remote, base, tip, repository.list_files(("",), tip), commit.time_us)


def bumps_of(ground: Ground, things: Sequence[Thing]) -> tuple[Bump, ...]:
    """The dependencies that a rule wants raised and for which a version is known that mends them, the worst first."""
    wanted: dict[str, list[tuple[Rule, Flaw]]] = {}
    for thing in things:
        for flaw in thing.flaws if thing.purl and thing.rule.pull_request else ():
            if flaw.certain and flaw.fixed:
                wanted.setdefault(thing.purl, []).append((thing.rule, flaw))
    found = [bump for purl, some in wanted.items() if (bump := _bump(ground, purl, some)) is not None]
    return tuple(sorted(found, key=lambda one: (SEVERITIES.index(one.flaws[0].severity), one.key)))


def _bump(ground: Ground, purl: str, some: Sequence[tuple[Rule, Flaw]]) -> Bump | None:
    kind = purl.removeprefix("pkg:").partition("/")[0]
    targets = [(flaw, target_of(kind, flaw.installed, flaw.fixed)) for _, flaw in some]
    target = highest(kind, tuple(text for _, text in targets if text is not None))
    if target is None:
        return None
    flaws = tuple(flaw for flaw, text in targets if text is not None)
    bare = Bump(pull_key(purl), some[0][0], flaws, _proposal(ground, purl, target, flaws))
    tip = ground.repository.fetch_branch(ground.remote, bare.branch)
    is_ours = tip is None or is_own_commit(ground.repository, tip)
    commit = _committed(ground, bare) if bare.proposal.files else ""
    is_current = tip is not None and commit != "" and (tip == commit or _is_same(ground, bare, tip))
    return Bump(bare.key, bare.rule, flaws, bare.proposal, commit, tip, is_ours, is_current)


def _proposal(ground: Ground, purl: str, target: str, flaws: Sequence[Flaw]) -> Proposal:
    manifests = manifests_of(purl, ground.paths)[:MANIFESTS_MAX]
    contents = ground.repository.read_files(manifests, ground.tip) if manifests else {}
    installed = frozenset(flaw.installed for flaw in flaws)
    return propose(purl, target, contents, ground.paths, installed=installed)


def _committed(ground: Ground, bump: Bump) -> str:
    return ground.repository.commit_beside(
        ground.tip,
        dict(bump.proposal.files),
        commit_message(bump),
        key=f"remediation:{bump.key}",
        time_us=ground.time_us,
    )


def _is_same(ground: Ground, bump: Bump, tip: str) -> bool:
    """Whether a commit that stands on an older base proposes just this: the branch is not moved for each commit of the
    base, and its checks need not run again."""
    files = bump.proposal.files
    commit = next(iter(ground.repository.log((), tip, changed_paths=True, limit=1)), None)
    if commit is None or set(commit.paths) != set(files):
        return False
    return ground.repository.read_files(tuple(files), tip) == dict(files)


def is_own_commit(repository: Repository, commit: str) -> bool:
    """Whether remediation has made it."""
    found = next(iter(repository.log((), commit, limit=1)), None)
    return found is not None and any(line.startswith(f"{KEY_LINE}remediation:") for line in found.message.splitlines())


def pulls_of(forge: Forge, ground: Ground, bumps: Sequence[Bump]) -> tuple[PullSeen, ...]:
    """Our pull requests: those that are open, and closed ones of dependencies for which none is open."""
    account = forge.account()
    opened = [pull for pull in forge.open_pull_requests(base=ground.base) if _is_ours(pull, account)]
    found = [seen for pull in opened if (seen := _seen(ground, pull)) is not None]
    missing = {bump.branch for bump in bumps if bump.commit} - {pull.head for pull in opened}
    if missing:
        ended = islice(forge.each_pull_request(state=PullState.CLOSED), CLOSED_MAX)
        some = (pull for pull in ended if pull.head in missing and _is_ours(pull, account))
        found += [seen for pull in some if (seen := _seen(ground, pull)) is not None]
    return tuple(found)


def _is_ours(pull: PullRequest, account: str) -> bool:
    return pull.head.startswith(BRANCHES) and not pull.fork and account in ("", pull.author)


def _seen(ground: Ground, pull: PullRequest) -> PullSeen | None:
    said = read_state(pull.body)
    if said is None:
        return None
    is_open = pull.state is PullState.OPEN
    tip = ground.repository.fetch_branch(ground.remote, pull.head) if is_open else None
    return PullSeen(
        number=pull.number,
        key=said[0],
        state=said[1],
        target=read_target(pull.body),
        title=pull.title,
        body=pull.body,
        head=pull.head,
        head_commit=tip or pull.head_commit,
        is_open=is_open,
        is_merged=pull.state is PullState.MERGED,
        is_ours=tip is None or is_own_commit(ground.repository, tip),
        url=pull.url,
    )
