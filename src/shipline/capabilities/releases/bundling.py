"""What a release's evidence bundle holds, gathered from its folder and the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shipline.capabilities.evidence import (
    ApprovalsDocument,
    BundleContents,
    PlanDocument,
    SignedYes,
    StagedVerdict,
    UsedWaiver,
    VerdictsDocument,
    WaiversDocument,
    WaiverUse,
    document_bytes,
    make_bundle,
)
from shipline.capabilities.releases.approving import approvals_of, is_good
from shipline.capabilities.releases.bills import CYCLONEDX, SPDX
from shipline.capabilities.releases.ground import ReleaseGround, digest_of, envelopes_of, load_built
from shipline.capabilities.releases.queries import evidence_of, staged_verdicts
from shipline.capabilities.releases.scan_reports import bundled_reports
from shipline.capabilities.releases.signing import policy_of
from shipline.capabilities.releases.waiving import waiver_holds
from shipline.domain.errors import RefusedError, UsageError
from shipline.domain.event import Event
from shipline.domain.evidence import Evidence
from shipline.domain.release import Release
from shipline.engine.journal import runs_of
from shipline.store.excerpts import excerpt
from shipline.store.log import latest_checkpoint, stream_of

SBOM_NAME = "sbom.cdx.json"


@dataclass(frozen=True, slots=True)
class Besides:
    """What other rooms know of a release: documents by their names, and the streams of the log that tell of it."""

    documents: Mapping[str, bytes] = field(default_factory=dict)
    streams: Sequence[str] = ()


def contents_of(  # noqa: PLR0913 - each is named where it is given
    ground: ReleaseGround, release: Release, reports: Sequence[Path], *, commit: str, created_us: int, besides: Besides
) -> BundleContents:
    """All of it. `commit` is the one that the artifacts were built from, `reports` are those that were judged."""
    sbom = ground.folder_of(release) / "evidence" / SBOM_NAME
    log = excerpt(ground.store, (f"release:{release.id}", *besides.streams))
    # Outside the store the checkpoint is a witness: the log cannot be cut shorter unnoticed.
    checkpoint = log.checkpoint if log is not None else latest_checkpoint(ground.store)
    return BundleContents(
        package=release.package,
        version=release.version,
        tag=release.tag,
        commit=commit,
        created_us=created_us,
        artifacts=release.artifacts,
        envelopes=envelopes_of(ground, release),
        reports=bundled_reports(reports),
        documents=_documents(ground, release)
        | _other_sboms(sbom.parent)
        | ({} if log is None else {"log.json": document_bytes(log)})
        | dict(besides.documents),
        sbom=sbom.read_bytes() if sbom.is_file() else None,
        checkpoint=None if checkpoint is None else checkpoint.encode(),
    )


def whole_bundle(ground: ReleaseGround, release: Release, besides: Besides) -> bytes:
    """The bundle of a release as it stands now, whatever has become of it since. UsageError where nothing was built,
    RefusedError where what proves it is not on this machine as it was."""
    folder = ground.folder_of(release)
    if not release.artifacts:
        raise UsageError(f"nothing was built for {release.package} {release.version}, so there is nothing to prove")
    built = load_built(folder)
    if built is None or built.artifacts != release.artifacts or not envelopes_of(ground, release):
        raise RefusedError(
            f"the statements about {release.package} {release.version} are not on this machine",
            why=f"they are kept in {folder}, on the machine that released it",
            todo="run this there, or take the bundle that the release has left, from its page on the forge",
        )
    with ground.store.begin() as tx:
        judged = {piece.digest for piece in evidence_of(tx, release.id)}
    found = sorted(path for path in (folder / "reports").glob("*/*") if path.is_file())
    reports = [path for path in found if digest_of(path) in judged]
    now_us = ground.events.clock.now_us()
    contents = contents_of(ground, release, reports, commit=built.commit, created_us=now_us, besides=besides)
    return make_bundle(contents, ground.signer)


def _documents(ground: ReleaseGround, release: Release) -> dict[str, bytes]:
    with ground.store.begin() as tx:
        pieces, verdicts = evidence_of(tx, release.id), staged_verdicts(tx, release.id)
        runs, events = runs_of(tx, f"release:{release.id}"), stream_of(tx, f"release:{release.id}")
    # None of one that was found by its tag: no run has made it.
    commits: list[Any] = runs[-1].input.get("commits", []) if runs else []
    plan = PlanDocument(
        package=release.package,
        version=release.version,
        tag=release.tag,
        previous_version=release.previous_version,
        channel=release.channel,
        hotfix=release.hotfix,
        reasons=release.reasons,
        notes_markdown=release.notes_markdown,
        commits=tuple(tuple(one) for one in commits),
    )
    documents = {
        "release-plan.json": document_bytes(plan),
        "verdicts.json": document_bytes(
            VerdictsDocument(tuple(StagedVerdict(stage, verdict) for stage, verdict in verdicts))
        ),
    }
    policy = policy_of(ground, release)
    documents |= {"policy.json": policy.read_bytes()} if policy.is_file() else {}
    approvals, waivers = _approvals(ground, pieces), used_waivers(events)
    documents |= {"approvals.json": document_bytes(ApprovalsDocument(approvals))} if approvals else {}
    return documents | ({"waivers.json": document_bytes(WaiversDocument(waivers))} if waivers else {})


def used_waivers(events: Sequence[Event]) -> tuple[UsedWaiver, ...]:
    """Those that held when verdicts were written down, as the log has them; the last time at each stage.

    Of those that an earlier version has written down, the log has no signature, and nothing can be proven.
    """
    found: dict[tuple[str, str, str], dict[tuple[str, tuple[str, ...]], WaiverUse]] = {}
    for event in events:
        for one in event.body.get("waivers", ()) if event.kind == "FindingsWaived" else ():
            if "statement" in one and waiver_holds(one["statement"], one["signature"], one["key"]):
                use = WaiverUse(event.body["stage"], event.time_us, tuple(one["findings"]))
                uses = found.setdefault((one["statement"], one["signature"], one["key"]), {})
                uses[use.stage, use.findings] = use
    return tuple(UsedWaiver(*signed, tuple(uses.values())) for signed, uses in found.items())


def _other_sboms(folder: Path) -> dict[str, bytes]:
    """Those beside the one that the bundle is about."""
    paths = (path for ending in (CYCLONEDX, SPDX) for path in sorted(folder.glob(f"sbom*{ending}")))
    return {path.name: path.read_bytes() for path in paths if path.name != SBOM_NAME}


def _approvals(ground: ReleaseGround, pieces: Sequence[Evidence]) -> tuple[SignedYes, ...]:
    """Those that are signed with a key that the policy names now: nothing else can be proven of the others."""
    keys = {approver.name: approver.key for approver in ground.approvers}
    given = [one for one in approvals_of(pieces) if is_good(one, ground.approvers)]
    texts = {piece.summary.get("signature"): str(piece.summary.get("statement")) for piece in pieces}
    return tuple(SignedYes(texts[one.signature], one.signature, keys[one.approval.approver]) for one in given)
