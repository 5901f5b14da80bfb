"""Approvals of releases: taken in as evidence, and counted when the gates of a stage are asked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785

from shipline.capabilities.gates import NAMESPACE, Matter, Signed, counted, objection, read_statement, statement
from shipline.capabilities.plans import co_author_mails_in
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.queries import EVIDENCE, evidence_of
from shipline.capabilities.releases.telling import append
from shipline.clients.ssh_signatures import is_signed
from shipline.domain.errors import RefusedError, ShiplineError
from shipline.domain.evidence import Evidence, EvidenceKind
from shipline.domain.gate import Approval, Approver
from shipline.domain.release import Release
from shipline.domain.secrecy import redacted
from shipline.store.transaction import Transaction

FORMAT = "shipline.approval/1"
APPROVALS_MAX = 100


@dataclass(frozen=True, slots=True)
class SignedApproval:
    """An approval with its armoured SSH signature."""

    approval: Approval
    signature: str


def approval_digest(release: Release) -> str:
    """What an approval is bound to: the version, the commit and the digests of all that was built."""
    content = {
        "package": release.package,
        "version": release.version,
        "commit": release.commit or "",
        "artifacts": sorted(artifact.digest for artifact in release.artifacts),
    }
    return f"sha256:{hashlib.sha256(rfc8785.dumps(content)).hexdigest()}"


def matter_of(ground: ReleaseGround, release: Release, stage: str, plan: str = "") -> Matter:
    """What is to be approved now: the release, or a plan for it, by its digest. ShiplineError where the release's
    commits are not in this clone."""
    digest = plan or approval_digest(release)
    return Matter(release.package, release.version, stage, digest, _authors(ground, release))


def _authors(ground: ReleaseGround, release: Release) -> frozenset[str]:
    """The addresses of all who have written something between the release before and this one: the commits' authors,
    and whom their messages name beside them, as they stand there and as `.mailmap` has them.

    Both, since whoever releases may write a `.mailmap`: with it they may hold others off, as with a line
    `Co-authored-by:`, and make nobody count who has written something. Of all who ever have where the release before
    has no tag here: rather somebody too many than the author.
    """
    if release.commit is None:
        return frozenset()
    repository = ground.repository
    package = next((one for one in ground.packages() if one.name == release.package), None)
    before = None
    if package is not None and release.previous_version is not None:
        before = repository.find_tag(package.tag(release.previous_version))
    if repository.find_commit(release.commit) is None:
        raise ShiplineError(
            f"the commit of {release.package} {release.version} is not in this clone",
            why="who has written it may not approve it, and that cannot be seen",
            todo="fetch it: git fetch --tags",
        )
    if repository.is_shallow():
        raise ShiplineError(
            "this is a shallow clone",
            why=f"who has written a part of {release.package} {release.version} may not approve it, and the commits are"
            " cut off",
            todo="run `git fetch --unshallow --tags`; in CI, let the checkout fetch the whole history (fetch-depth: 0)",
        )
    since = () if before is None else (before.commit,)
    found = {commit.author_mail for commit in repository.log(since, release.commit)}  # By their names, too.
    named: set[str] = set()
    for commit in repository.log(since, release.commit, mailmap=False):
        named |= {commit.author_mail, *co_author_mails_in(commit.message)}
    return frozenset(found | named | repository.mapped_mails(frozenset(named))) - {""}


def check_approval(ground: ReleaseGround, release: Release, given: SignedApproval, *, plan: str = "") -> None:
    """RefusedError, saying why, for an approval that does not count now. `plan` is the digest of the plan that it is
    for, "" for the release itself."""
    matter = matter_of(ground, release, given.approval.stage, plan)
    reason = objection(_checked(given, ground.approvers), matter, ground.approvers, ground.events.clock.now_us())
    if reason:
        raise RefusedError(f"this approval of {release.package} {release.version} does not count", why=reason)


def record_approval(tx: Transaction, ground: ReleaseGround, release: Release, given: SignedApproval) -> Evidence:
    """Keep an approval that was checked, as evidence; the same one twice is kept once."""
    if redacted(given.approval.comment) != given.approval.comment:
        raise RefusedError(
            "the comment of this approval holds what looks like a secret",
            why="it would be in the log for good, and what is signed cannot be masked",
            todo="revoke that secret, and approve with another comment",
        )
    signed = statement(given.approval)
    digest = f"sha256:{hashlib.sha256(signed).hexdigest()}"
    known = [piece for piece in evidence_of(tx, release.id) if piece.kind is EvidenceKind.APPROVAL]
    for piece in known:
        if piece.digest == digest:
            return piece
    if len(known) >= APPROVALS_MAX:
        raise RefusedError(f"{release.package} {release.version} has {APPROVALS_MAX} approvals already")
    piece = Evidence(
        id=ground.events.ids.new("evd"),
        release_id=release.id,
        kind=EvidenceKind.APPROVAL,
        tool="ssh",
        format=FORMAT,
        digest=digest,
        created_us=ground.events.clock.now_us(),
        subjects=tuple(artifact.digest for artifact in release.artifacts),
        summary={"statement": signed.decode(), "signature": given.signature},
    )
    EVIDENCE.save(tx, piece)
    approval = given.approval
    body: dict[str, Any] = {
        "approver": approval.approver,
        "role": approval.role,
        "stage": approval.stage,
        "digest": approval.digest,
    }
    body |= {"expires_us": approval.expires_us, "comment": approval.comment, "evidence_id": piece.id}
    append(tx, ground.events, release, "ReleaseApproved", body)
    return piece


def approvals_of(pieces: Sequence[Evidence]) -> tuple[SignedApproval, ...]:
    """The approvals among a release's evidence."""
    return tuple(
        SignedApproval(read_statement(str(piece.summary["statement"]).encode()), str(piece.summary["signature"]))
        for piece in pieces
        if piece.kind is EvidenceKind.APPROVAL
    )


def count_approvals(
    ground: ReleaseGround, release: Release, stage: str, pieces: Sequence[Evidence], now_us: int
) -> dict[str, int] | None:
    """How many people have approved for a stage, by role; None where the project names no approvers.

    Every signature is checked anew, against the keys that the policy names now.
    """
    if not ground.approvers:
        return None
    given = [one for one in approvals_of(pieces) if one.approval.stage == stage]
    if not given:
        return {}
    signed = [_checked(one, ground.approvers) for one in given]
    return counted(signed, matter_of(ground, release, stage), ground.approvers, now_us)


def who_approves(
    ground: ReleaseGround, release: Release, stage: str, pieces: Sequence[Evidence], now_us: int
) -> frozenset[str]:
    """The names of all whose approval for a stage counts now, in whatever role."""
    given = [one for one in approvals_of(pieces) if one.approval.stage == stage]
    if not (ground.approvers and given):
        return frozenset()
    matter = matter_of(ground, release, stage)
    signed = [_checked(one, ground.approvers) for one in given]
    return frozenset(one.approval.approver for one in signed if not objection(one, matter, ground.approvers, now_us))


def approvers_by_role(
    ground: ReleaseGround, release: Release, stage: str, *, plan: str, now_us: int
) -> dict[str, tuple[str, ...]]:
    """Who has approved the release for a stage, or a plan for it there, by role. Signatures are checked anew."""
    with ground.store.begin() as tx:
        given = [one for one in approvals_of(evidence_of(tx, release.id)) if one.approval.stage == stage]
    if not (ground.approvers and given):
        return {}
    matter, found = matter_of(ground, release, stage, plan), set()
    for one in given:
        if not objection(_checked(one, ground.approvers), matter, ground.approvers, now_us):
            found.add((one.approval.role, one.approval.approver))
    return {role: tuple(sorted(name for each, name in found if each == role)) for role, _ in found}


def is_good(given: SignedApproval, approvers: Sequence[Approver]) -> bool:
    """True if it is signed with the key that the policy names now for who gave it, whatever it is about."""
    return _checked(given, approvers).holds


def _checked(given: SignedApproval, approvers: Sequence[Approver]) -> Signed:
    key = next((one.key for one in approvers if one.name == given.approval.approver), None)
    holds = key is not None and is_signed(
        statement(given.approval), given.signature, public_key=key, namespace=NAMESPACE
    )
    return Signed(given.approval, holds)
