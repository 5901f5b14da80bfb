"""The documents of a bundle, which its manifest signs by their digests: what they say, and what can be proven of it
besides. Pure but for `ssh-keygen`, which checks the approvals' signatures.

    release-plan.json  why this version: what it follows, and the commits
    policy.json        the gates of the stage `release`
    verdicts.json      what every gate has said, stage by stage
    approvals.json     who has said yes, each with the signature of their own key
    waivers.json       findings that somebody has accepted, each time that a verdict was given so, with their signature
    rollouts.json      where it was brought, and each look of the analysis at it
    log.json           the release's events, and the proofs that they are in the log whose checkpoint lies beside

A bundle of an earlier version has none of them, or not all: each is looked at where it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import rfc8785

from shipline.capabilities.evidence.bundle import CHECKPOINT, Bundle, Manifest, digest_of
from shipline.capabilities.evidence.checks import Check, counted
from shipline.capabilities.evidence.statements import Statement, timestamp
from shipline.capabilities.evidence.summaries import SUMMARY, Wanted, judged_predicate
from shipline.clients.ssh_signatures import is_signed
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import InvalidValue, MissingProgram, ShiplineError
from shipline.domain.gate import APPROVAL_NAMESPACE, WAIVER_NAMESPACE, WAIVER_SCHEMA, Waiver
from shipline.domain.strict_json import read_json
from shipline.domain.verdict import Answer, Verdict

if TYPE_CHECKING:
    from shipline.store.excerpts import Excerpt
    from shipline.store.notes import NotePublicKey

PLAN, POLICY, VERDICTS, APPROVALS, WAIVERS, ROLLOUTS, LOG = (
    f"{name}.json" for name in ("release-plan", "policy", "verdicts", "approvals", "waivers", "rollouts", "log")
)
RELEASE_STAGE = "release"
DOCUMENT_BYTES_MAX = 64 * 1024 * 1024
SHOWN_MAX = 8
TIME_US_END = 253_402_300_800_000_000  # The year 10000, which no date can say.


@dataclass(frozen=True, slots=True)
class PlanDocument:
    """Why this version. `commits` are pairs of commit id and time (UTC microseconds); `previous_version` is None for
    the first."""

    package: str
    version: str
    tag: str
    previous_version: str | None
    channel: str
    hotfix: bool
    reasons: tuple[str, ...]
    notes_markdown: str
    commits: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class StagedVerdict:
    """What a gate has said, and of which stage it is."""

    stage: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class VerdictsDocument:
    """Every answer of every gate, oldest first."""

    verdicts: tuple[StagedVerdict, ...]


@dataclass(frozen=True, slots=True)
class SignedYes:
    """A yes: what was signed (`shipline.approval/1`), the armoured SSH signature, and the public key that the policy
    names for who gave it."""

    statement: str
    signature: str
    key: str


@dataclass(frozen=True, slots=True)
class ApprovalsDocument:
    """All that were given, whether a gate has counted them or not."""

    approvals: tuple[SignedYes, ...]


@dataclass(frozen=True, slots=True)
class WaiverUse:
    """The verdicts of a stage that were given while a waiver held, for these findings; `time_us` is the last time."""

    stage: str
    time_us: int
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UsedWaiver:
    """A waiver: what its owner signed (`shipline.waiver/1`), the armoured SSH signature, the public key that the policy
    named for them then, and what it was used for."""

    statement: str
    signature: str
    key: str
    uses: tuple[WaiverUse, ...]


@dataclass(frozen=True, slots=True)
class WaiversDocument:
    """All that held when verdicts were written down."""

    waivers: tuple[UsedWaiver, ...]


def document_bytes(value: object) -> bytes:
    """A document as canonical JSON (RFC 8785)."""
    return rfc8785.dumps(to_json(value))


def document_checks(bundle: Bundle, statements: Sequence[Statement], log_key: NotePublicKey | None) -> Iterator[Check]:
    """What there is, document by document. `log_key` is the log's, by who asks; None: as the bundle's signer has it."""
    documents = bundle.in_folder("documents")
    checks = {PLAN: _plan, VERDICTS: _verdicts, APPROVALS: _approvals, WAIVERS: _waivers, ROLLOUTS: _rollouts}
    yield from _summaries(statements, documents.get(POLICY))
    for name, look in checks.items():
        if name in documents:
            yield from _guarded(name, partial(look, bundle.manifest, documents[name]))
    if LOG in documents:
        yield from _guarded(LOG, partial(_log, bundle, documents[LOG], log_key))
    elif log_key is not None:
        yield Check("log", False, "no event of the log is in the bundle")


def _guarded(file: str, look: Callable[[], Iterator[Check]]) -> list[Check]:
    name = file.removesuffix(".json").removeprefix("release-")
    try:
        return list(look())
    except MissingProgram as missing:
        return [Check(name, False, f"it cannot be looked at: {missing.what}")]
    except ShiplineError as error:
        return [Check(name, False, error.sentence())]
    except UnicodeEncodeError:
        return [Check(name, False, "a text in it holds half of a character, which nobody can have signed")]


def _read(name: str, data: bytes) -> Any:
    return read_json(data, what=f"documents/{name}", limit_bytes=DOCUMENT_BYTES_MAX)


def _summaries(statements: Sequence[Statement], policy: bytes | None) -> Iterator[Check]:
    for statement in statements:
        if statement.predicate_type == SUMMARY:
            holds, words = judged_predicate(statement.predicate, Wanted())
            named = statement.predicate.get("policy")
            digests = named.get("digest") if isinstance(named, dict) else None
            if holds and policy is not None and digests != {"sha256": digest_of(policy).removeprefix("sha256:")}:
                holds, words = False, f"{words}; but its policy is not the one in the bundle"
            yield Check("summary", holds, f"the release {words}")


def _plan(manifest: Manifest, data: bytes) -> Iterator[Check]:
    plan = from_json(PlanDocument, _read(PLAN, data))
    if (plan.package, plan.version, plan.tag) != (manifest.package, manifest.version, manifest.tag):
        raise InvalidValue(f"the plan is of {plan.package[:80]} {plan.version[:80]}")
    follows = "it is the first version" if plan.previous_version is None else f"it follows {plan.previous_version[:80]}"
    yield Check("plan", True, f"{follows}, with {counted(len(plan.commits), 'commit')} on {plan.channel[:40]}")


def _verdicts(_manifest: Manifest, data: bytes) -> Iterator[Check]:
    listed = from_json(VerdictsDocument, _read(VERDICTS, data)).verdicts
    newest = {(one.stage, one.verdict.gate): one.verdict for one in listed}
    own = {gate: verdict for (stage, gate), verdict in newest.items() if stage == RELEASE_STAGE}
    closed = [f"{gate[:80]} says {one.answer.value}" for gate, one in own.items() if one.answer is not Answer.PASS]
    if closed:
        yield Check("gates", False, "; ".join(closed[:SHOWN_MAX]))
    elif own:
        yield Check("gates", True, f"{_named(own)} said PASS of the release")
    for stage in dict.fromkeys(stage for stage, _ in newest if stage != RELEASE_STAGE):
        said = {gate: one.answer.value for (at, gate), one in newest.items() if at == stage}
        words = "; ".join(f"{gate[:80]} {answer}" for gate, answer in list(said.items())[:SHOWN_MAX])
        yield Check("gates", True, f"of {stage[:80]} they have said last: {words}")


def _named(gates: Mapping[str, object]) -> str:
    shown = ", ".join(name[:80] for name in list(gates)[:SHOWN_MAX])
    return f"{counted(len(gates), 'gate')} ({shown}{', …' if len(gates) > SHOWN_MAX else ''})"


def _approvals(manifest: Manifest, data: bytes) -> Iterator[Check]:
    for one in from_json(ApprovalsDocument, _read(APPROVALS, data)).approvals:
        signed = one.statement.encode()
        said: Any = read_json(signed, what="the approval", limit_bytes=DOCUMENT_BYTES_MAX)
        about = (said.get("package"), said.get("version")) if isinstance(said, dict) else ()
        if about != (manifest.package, manifest.version):
            raise InvalidValue("an approval is of another release")
        who = f"{str(said.get('approver'))[:80]} as {str(said.get('role'))[:80]}"
        if not is_signed(signed, one.signature, public_key=one.key, namespace=APPROVAL_NAMESPACE):
            raise InvalidValue(f"the approval of {who} is not signed with the key that it comes with")
        words = f"{who} has approved it for {str(said.get('stage'))[:80]}, signed with the key that the policy names"
        yield Check("approval", True, words)


def _waivers(manifest: Manifest, data: bytes) -> Iterator[Check]:
    for one in from_json(WaiversDocument, _read(WAIVERS, data)).waivers:
        waiver = _signed_waiver(one)
        if waiver.package not in ("", manifest.package) or manifest.version not in (
            waiver.versions or (manifest.version,)
        ):
            raise InvalidValue(f"the waiver of {waiver.owner[:80]} is for another release")
        for use in one.uses:
            if not set(use.findings) <= set(waiver.findings):
                raise InvalidValue(f"the waiver of {waiver.owner[:80]} was used for findings that it does not name")
            if not 0 <= use.time_us < TIME_US_END or timestamp(use.time_us)[:10] > waiver.until:
                raise InvalidValue(f"the waiver of {waiver.owner[:80]} was used when it had ended")
            words = (
                f"{waiver.owner[:80]} has accepted {counted(len(use.findings), 'finding')} until {waiver.until[:10]},"
                f" and the gates of {use.stage[:80]} were asked without: {waiver.reason[:200]!r}, signed with the key"
                " that the policy named"
            )
            yield Check("waiver", True, words)


def _signed_waiver(one: UsedWaiver) -> Waiver:
    """What was signed. InvalidValue where it was not signed so, or is something else."""
    signed = one.statement.encode()
    said = read_json(signed, what="the waiver", limit_bytes=DOCUMENT_BYTES_MAX)
    if not isinstance(said, dict) or said.pop("schema", None) != WAIVER_SCHEMA:
        raise InvalidValue(f"a waiver is no {WAIVER_SCHEMA}")
    waiver = from_json(Waiver, said | {"signature": one.signature})
    if not is_signed(signed, one.signature, public_key=one.key, namespace=WAIVER_NAMESPACE):
        raise InvalidValue(f"the waiver of {waiver.owner[:80]} is not signed with the key that it comes with")
    return waiver


def _rollouts(manifest: Manifest, data: bytes) -> Iterator[Check]:
    document = _read(ROLLOUTS, data)
    listed = document.get("rollouts") if isinstance(document, dict) else None
    for one in listed if isinstance(listed, list) else [None]:
        match one:
            case {
                "rollout": {
                    "package": str(package),
                    "version": str(version),
                    "environment": str(where),
                    "status": str(how),
                },
                "analysis": list(looks),
            } if (package, version) == (manifest.package, manifest.version):
                yield Check(
                    "rollout", True, f"to {where[:80]}: {how[:40]} after {counted(len(looks), 'look')} of the analysis"
                )
            case _:
                raise InvalidValue("a rollout of another release, or of an unknown form, is among them")


def _log(bundle: Bundle, data: bytes, asked: NotePublicKey | None) -> Iterator[Check]:
    # The store's libraries are loaded where a log is to be looked at, and nowhere else.
    from shipline.store.excerpts import EVENTS_MAX, Excerpt, check_excerpt  # noqa: PLC0415
    from shipline.store.notes import NotePublicKey  # noqa: PLC0415

    found = from_json(Excerpt, _read(LOG, data))
    if found.checkpoint.encode() != bundle.files.get(CHECKPOINT):
        raise InvalidValue("its checkpoint is not the one that lies in the bundle")
    key = NotePublicKey.parse(found.key)
    if asked is not None and asked != key:
        raise InvalidValue(f"the log is {key.name[:80]}'s, and not the one of the key that was given")
    signed = check_excerpt(found, key)
    whose = "whose key you gave" if asked is not None else "whose key the bundle's signer names"
    shown = counted(len(found.events), "of its events is", "of its events are")
    words = f"{shown} in the log of {counted(signed.size, 'event')} that {key.name[:80]} has signed, {whose}"
    if found.left_out:
        why = (
            "they are more than a bundle holds"
            if len(found.events) == EVENTS_MAX
            else ("they came after the checkpoint, and a bundle that is written after the next one proves them")
        )
        words += f"; {found.left_out} more are not proven: {why}"
    yield Check("log", True, words)
    yield from _told(bundle.manifest, found)


def _told(manifest: Manifest, found: Excerpt) -> Iterator[Check]:
    """What the events themselves say, where their contents are there: it must be what the bundle says."""
    said = {one.leaf["kind"]: _read(LOG, one.content.encode()) for one in found.events if one.content}
    match said.get("ArtifactsBuilt"):  # The last one: an attempt that came to nothing may have built others before.
        case {"body": {"artifacts": list(artifacts)}}:
            logged = {each.get("digest") for each in artifacts if isinstance(each, dict)}
            same = logged == {artifact.digest for artifact in manifest.artifacts}
            yield Check("log", same, f"the log has {'the same' if same else 'other'} artifacts, by their digests")
    if "ReleasePublished" in said:
        yield Check("log", True, "the log says that it was published")
