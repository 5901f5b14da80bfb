"""What is due of pull requests that propose a version: pure, with what they say.

mended by a version, and a manifest can be edited -> a branch -> a pull request -> the branch follows the base
-> merged, or not needed any more -> closed; closed by a person -> not opened again for the same version
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from shipline.capabilities.automation.remediation import texts
from shipline.capabilities.automation.remediation.bumping import Proposal
from shipline.capabilities.automation.remediation.effects import (
    ClosePull,
    DressPull,
    EditPull,
    Effect,
    OpenPull,
    PushBranch,
)
from shipline.capabilities.automation.remediation.flaws import Flaw, Rule, name_of
from shipline.capabilities.automation.remediation.rules import Due, labels_made
from shipline.capabilities.automation.remediation.texts import State
from shipline.ports.forge import hidden

BRANCHES = "shipline/fix/"
KEY_LINE = "Shipline-Key: "
_TARGET = re.compile(r"<!-- shipline:remediation:target ([0-9A-Za-z.+_:-]{1,100}) -->")


@dataclass(frozen=True, slots=True)
class PullSeen:
    """A pull request of ours. `target` is the version that it proposes. `is_merged`: nobody has closed it.
    `is_ours` False: people have committed to its branch."""

    number: int
    key: str
    state: State
    target: str
    title: str
    body: str
    head: str
    head_commit: str
    is_open: bool
    is_merged: bool = False
    is_ours: bool = True
    url: str = ""


@dataclass(frozen=True, slots=True)
class Bump:
    """A dependency that is to be raised. `commit` holds the change, on no branch yet, "" where nothing is to be
    changed. `tip` is where the remote has its branch, None for nowhere; `is_ours` False: people have committed to it;
    `is_current`: it proposes just this."""

    key: str
    rule: Rule
    flaws: tuple[Flaw, ...]
    proposal: Proposal
    commit: str = ""
    tip: str | None = None
    is_ours: bool = True
    is_current: bool = False

    @property
    def branch(self) -> str:
        """The branch that it is proposed from."""
        return branch_of(self.proposal.purl)

    @property
    def title(self) -> str:
        """The title of its pull request and of its commit."""
        return texts.plain(f"fix(deps): update {name_of(self.proposal.purl)} to {self.proposal.target}", 150)[
            : texts.TITLE_MAX
        ].strip()


def pull_key(purl: str) -> str:
    """The natural key of the pull request that raises a dependency."""
    return hashlib.sha256(f"pull\0{purl}".encode()).hexdigest()[:20]


def branch_of(purl: str) -> str:
    """The branch of a dependency: readable, and one of its own. Small letters and dots alone: no secret has that shape,
    so nothing of it is masked on its way to the forge."""
    slug = ".".join(re.findall(r"[a-z0-9]+", purl.removeprefix("pkg:").lower()[:80]))
    return f"{BRANCHES}{slug}.{pull_key(purl)[:8]}"


def commit_message(bump: Bump) -> str:
    """What the commit says."""
    mended = ", ".join(dict.fromkeys(texts.plain(flaw.name, 60) for flaw in bump.flaws[:10]))
    return f"{bump.title}\n\nIt mends {mended}."


def read_target(body: str) -> str:
    """The version that a pull request proposes, "" where it does not say."""
    found = _TARGET.search(body)
    return "" if found is None else found[1]


def pull_body(bump: Bump, state: State) -> str:
    """The whole text of a pull request."""
    proposal = bump.proposal
    marks = f"{hidden(texts.marker_of(bump.key))}\n{state.text}\n{hidden(f'{texts.MARKER}target {proposal.target}')}"
    found = "\n".join(texts.flaw_line(flaw) for flaw in bump.flaws[: texts.SHOWN_MAX])
    changes = "\n".join(f"- {sentence}" for sentence in proposal.changes)
    todo = "\n".join(f"- {sentence}" for sentence in (*proposal.locks, *proposal.left))
    before = ("Before it is merged:", todo) if todo else ()
    last = (
        f"The rule `{bump.rule.name}` asks for this. Shipline keeps it up to date until somebody commits to its "
        "branch, and closes it when it is not needed any more. Close it to be asked no more for this version."
    )
    return "\n\n".join((marks, "What it changes:", changes, "What it mends:", found, *before, last))


@dataclass(frozen=True, slots=True)
class Proposed:
    """What is so: what is to be raised, what is open already, who has looked, and the repository's labels."""

    bumps: tuple[Bump, ...]
    pulls: tuple[PullSeen, ...]
    looked: frozenset[str]
    labels: tuple[str, ...]


def decide_pulls(seen: Proposed, most: int, now_us: int) -> Due:
    """What is due; at most `most` are opened."""
    bumps, pulls, looked = seen.bumps, seen.pulls, seen.looked
    due: list[tuple[str, Effect]] = []
    notes: list[str] = []
    opened = waiting = 0
    is_open = {pull.key: pull for pull in sorted(pulls, key=lambda one: -one.number) if pull.is_open}
    refused = {(pull.key, pull.target) for pull in pulls if not (pull.is_open or pull.is_merged or pull.state.gone)}
    for bump in bumps:
        pull = is_open.get(bump.key)
        if not bump.is_ours:
            notes.append(f"people have committed to {bump.branch}, which is left alone")
        elif not bump.commit:
            due += [(bump.key, _closing(pull))] if pull is not None else []
        elif pull is not None:
            due += [(bump.key, effect) for effect in _keep(bump, pull, looked)]
        elif (bump.key, bump.proposal.target) in refused:
            notes.append(f"{bump.title}: a person has closed that, and it is left alone")
        elif opened < most:
            opened += 1
            due += [(bump.key, effect) for effect in _open(bump, now_us)]
        else:
            waiting += 1
    wanted = {bump.key for bump in bumps}
    gone = [
        pull
        for key, pull in is_open.items()
        if key not in wanted and pull.is_ours and set(pull.state.sources) <= looked
    ]
    due += [(pull.key, _closing(pull)) for pull in gone]
    if waiting:
        notes.append(
            f"{waiting} more pull requests wait for the next look: pulls_most in [automation.remediation] is {most}"
        )
    return Due((*labels_made([effect for _, effect in due], seen.labels), *due), tuple(notes))


def _sources(bump: Bump) -> tuple[str, ...]:
    return tuple(flaw.source for flaw in bump.flaws)


def _push(bump: Bump) -> Iterator[Effect]:
    if not bump.is_current:
        yield PushBranch(bump.branch, bump.commit, bump.tip)


def _open(bump: Bump, now_us: int) -> Iterator[Effect]:
    rule = bump.rule
    is_dressed = not (rule.labels or rule.assign)
    state = State(int(is_dressed), now_us, sources=_sources(bump))
    dressed = pull_body(bump, replace(state, stage=1))
    yield from _push(bump)
    yield OpenPull(bump.branch, bump.title, pull_body(bump, state), rule.labels, rule.assign, dressed)


def _keep(bump: Bump, pull: PullSeen, looked: frozenset[str]) -> Iterator[Effect]:
    silent = [each for each in pull.state.sources if each not in looked]
    state = replace(pull.state, stage=1, sources=tuple(sorted({*_sources(bump), *silent})))
    body = pull_body(bump, state)
    yield from _push(bump)
    if pull.state.stage == 0:
        yield DressPull(pull.number, bump.title, body, bump.rule.labels, bump.rule.assign)
    elif not texts.are_same((pull.title, pull.body), (bump.title, body)):
        yield EditPull(pull.number, bump.title, body)


def _closing(pull: PullSeen) -> Effect:
    body = texts.with_state(pull.body, texts.gone_state(pull.state))
    return ClosePull(pull.number, pull.title, body, pull.head, pull.head_commit)


def remedies(bumps: Sequence[Bump], pulls: Sequence[PullSeen], base: str) -> dict[str, tuple[str, ...]]:
    """What an issue says about what mends it, by the dependency's package URL."""
    urls = {pull.key: pull.url for pull in pulls if pull.is_open}
    said = {}
    for bump in bumps:
        proposal, target = bump.proposal, texts.neutral(bump.proposal.target, 100)
        lines = [f"{target} mends it"]
        if proposal.is_settled:
            lines.append(f"`{base}` requires {target} or later already: release and deploy that")
        if bump.key in urls:
            lines.append(f"a pull request proposes it: {urls[bump.key]}")
        said[proposal.purl] = (*lines, *proposal.locks, *proposal.left)
    return said
