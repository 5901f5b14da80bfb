"""What is known of a commit that nobody has released yet: what reports about it say beside those of what it stands on,
and what the gates of pull requests answer. Nothing is kept, and nothing is run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shipline.capabilities.evidence import Difference, facts_of
from shipline.capabilities.gates import evaluate
from shipline.capabilities.releases.ahead import AHEAD, Ahead
from shipline.capabilities.releases.circumstances import StageQuestion, circumstances_of
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.judging import opening
from shipline.capabilities.releases.queries import EVIDENCE, evidence_of
from shipline.capabilities.releases.stored.comparing import base_of, differences_between
from shipline.capabilities.releases.stored.findings import StoredFinding, findings_beside
from shipline.capabilities.releases.waiving import findings_now
from shipline.domain.evidence import Evidence, EvidenceKind
from shipline.domain.gate import PULL_STAGE
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.verdict import Verdict
from shipline.store.transaction import Transaction

SHOWN_MAX = 5
ABOUT_MAX = 50
"""Packages of one commit that are looked at: a pull request is read by people."""


@dataclass(frozen=True, slots=True)
class CommitRecord:
    """What reports about a commit say of a package.

    `facts` are the tree that gates are asked by. `beside` is what they are compared with, a version or a commit, "" for
    nothing. `failing` are tests that fail now and did not there, at most SHOWN_MAX; `new` the worst findings that were
    not there, of `new_count`, and `gone_count` are there no more: None where there is nothing to compare with.
    """

    package: str
    version: str
    facts: Mapping[str, Mapping[str, Any]]
    beside: str = ""
    failing: tuple[str, ...] = ()
    new: tuple[StoredFinding, ...] = ()
    new_count: int | None = None
    gone_count: int | None = None


@dataclass(frozen=True, slots=True)
class Base:
    """What a commit is compared with: the id that its evidence is filed under, and its name."""

    id: str
    name: str


def records_of_commit(
    ground: ReleaseGround, commit: str, bases: Sequence[str], now_us: int
) -> tuple[CommitRecord, ...]:
    """What is known of a commit, by package; none where nobody has given evidence about it.

    It is compared with what is known of the first of the commits `bases` of which something is, else with the newest
    published release.
    """
    with ground.store.begin() as tx:
        newest = {one.package: one for one in AHEAD.where(tx, commit=commit, order="id", limit=ABOUT_MAX)}
        return tuple(_record(tx, ground, one, bases, now_us) for one in newest.values())


def _record(tx: Transaction, ground: ReleaseGround, about: Ahead, bases: Sequence[str], now_us: int) -> CommitRecord:
    pieces, base = evidence_of(tx, about.id), _base(tx, about, bases)
    differences = () if base is None else differences_between(tx, base.id, about.id)
    findings = findings_now(tx, ground.waiving, about, now_us).counts
    facts = facts_of(
        pieces,
        release=_as_release(about, now_us),
        prerelease=False,
        findings=findings,
        compared=[one.facts for one in differences],
    )
    record = CommitRecord(about.package, about.version, facts, "" if base is None else base.name, _failing(differences))
    if base is None or not (_has_findings(pieces) and _has_findings(evidence_of(tx, base.id))):
        return record
    new, new_count, gone_count = findings_beside(tx, base.id, about.id, shown=SHOWN_MAX)
    return replace(record, new=new, new_count=new_count, gone_count=gone_count)


def _base(tx: Transaction, about: Ahead, bases: Sequence[str]) -> Base | None:
    for commit in bases:
        for one in AHEAD.where(tx, commit=commit, package=about.package, order="id", newest_first=True, limit=1):
            if EVIDENCE.where(tx, release_id=one.id, limit=1):
                return Base(one.id, commit[:9])
    release = base_of(tx, about.package, previous=None)
    return None if release is None else Base(release.id, release.version)


def _has_findings(pieces: Sequence[Evidence]) -> bool:
    return any(piece.kind is EvidenceKind.FINDINGS for piece in pieces)


def _failing(differences: Sequence[Difference]) -> tuple[str, ...]:
    items = (item for one in differences for item in one.items if item.get("change") == "failed")
    return tuple(str(item["name"]) for item in items)[:SHOWN_MAX]


@dataclass(frozen=True, slots=True)
class CommitQuestion:
    """Which commit the gates are asked about. `packages` are those that it would release, each with its version;
    `records` are what is known of it."""

    commit: str
    packages: tuple[tuple[str, str], ...]
    records: tuple[CommitRecord, ...] = ()


def verdicts_of_commit(ground: ReleaseGround, asked: CommitQuestion, now_us: int) -> tuple[Verdict, ...]:
    """What gates and calendar of the stage `pull-request` say, each once: of several packages the worst answer.

    A fact that nobody has told of the commit is missing, which blocks.
    """
    gates, calendar = [gate for gate in ground.gates if gate.stage == PULL_STAGE], ground.calendar_now()
    if not gates and all(PULL_STAGE not in rule.stages for rule in calendar):
        return ()
    known = {one.package: one for one in asked.records}
    subjects = dict(asked.packages) | {name: one.version for name, one in known.items()} or {"": ""}
    worst: dict[str, Verdict] = {}
    for package, version in subjects.items():
        release = _as_release(Ahead("", package, version, asked.commit), now_us)
        record = known.get(package)
        facts = facts_of((), release=release, prerelease=False) if record is None else record.facts
        beside = circumstances_of(ground, release, StageQuestion(PULL_STAGE, gates, (), (), now_us))
        answers = evaluate(gates, {**facts, **beside.facts}, now_us, lacking=beside.lacking)
        for one in (*answers, *opening(ground, release, PULL_STAGE, calendar, now_us)):
            worst[one.gate] = max(worst.get(one.gate, one), one, key=_badness)
    return tuple(worst.values())


def _badness(verdict: Verdict) -> int:
    return ("PASS", "UNKNOWN", "FAIL").index(verdict.answer.value)


def _as_release(about: Ahead, now_us: int) -> Release:
    """What gates are asked about, before there is one."""
    return Release(
        id=about.id,
        package=about.package,
        version=about.version,
        tag="",
        status=ReleaseStatus.PREPARING,
        attempt=1,
        created_us=now_us,
        commit=about.commit,
    )
