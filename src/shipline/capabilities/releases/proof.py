"""The durable steps that prove a release: tests, SBOM, provenance, signatures, gates, and the bundle of it all."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from shipline.capabilities.evidence import (
    IN_TOTO,
    Build,
    Report,
    make_bundle,
    read_report,
    sign_envelope,
    statement_of_provenance,
    statement_of_sbom,
    statement_of_tests,
    summarise_report,
)
from shipline.capabilities.releases.bills import Listed, bills_of, components_of_release
from shipline.capabilities.releases.bundling import Besides, contents_of
from shipline.capabilities.releases.components import save_components
from shipline.capabilities.releases.expediting import Expedite
from shipline.capabilities.releases.ground import ReleaseGround, TestRun, digest_of, exported, package_of
from shipline.capabilities.releases.judging import opening, verdicts_of_stage
from shipline.capabilities.releases.queries import EVIDENCE, RELEASES, VERDICTS, evidence_of
from shipline.capabilities.releases.scan_reports import scan_reports
from shipline.capabilities.releases.signing import keep_policy
from shipline.capabilities.releases.statuses import Posting, post_verdicts
from shipline.capabilities.releases.stored.keeping import keep_report
from shipline.capabilities.releases.stored.reading import ReadReport, read_to_keep
from shipline.capabilities.releases.telling import append
from shipline.capabilities.releases.waiving import findings_now, waivers_used
from shipline.capabilities.version_files import write_atomically
from shipline.domain.calendar import CalendarRule, PeriodKind
from shipline.domain.errors import RefusedError, ShiplineError
from shipline.domain.evidence import Evidence, EvidenceKind
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.verdict import Answer, Verdict, combined
from shipline.engine.workflow import Done, Failed, Outcome, Save, StepContext, nothing
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction

BUILDER_ID = "urn:shipline:builder:local:v1"
BUNDLE_NAME = "bundle.tar"


class ProofSteps:
    """Evidence, gates and the bundle."""

    def __init__(self, ground: ReleaseGround) -> None:
        self.ground = ground

    def test(self, context: StepContext) -> Outcome:
        """Run the project's test commands on the tagged source and read every report that they promise."""
        release = self.ground.release(context)
        read: list[ReadReport] = []
        if self.ground.tests:
            with exported(self.ground, str(context.results["tag"]["commit"]), tag=release.tag) as source:
                for run in self.ground.tests:
                    read += self._run(release, run, source / package_of(context).path)
        idle = "" if self.ground.tests else "none are configured"

        def save(tx: Transaction) -> None:
            for one in read:
                keep_report(tx, self.ground.events, release, one)

        return Done({"reports": len(read)}, save=save, idle=idle)

    def _run(self, release: Release, run: TestRun, source: Path) -> list[ReadReport]:
        reports = self.ground.folder_of(release) / "reports" / run.name
        shutil.rmtree(reports, ignore_errors=True)
        reports.mkdir(parents=True)
        filled = {"{python}": self.ground.python, "{reports}": str(reports), "{version}": release.version}
        command = tuple(_fill(part, filled) for part in run.command)
        result = self.ground.commands.run(command, folder=source, environment={}, timeout_s=run.timeout_s)
        missing = [name for name in run.reports if not (reports / name).is_file()]
        if missing:
            raise ShiplineError(
                f"the tests {run.name!r} left no {missing[0]} (exit code {result.exit_code})", why=result.output_tail
            )
        read = [read_to_keep(reports / name, name=f"{run.name}/{name}") for name in run.reports]
        if result.exit_code != 0 and not any(_says_failed(one.report) for one in read):
            raise ShiplineError(
                f"the tests {run.name!r} ended with exit code {result.exit_code}", why=result.output_tail
            )
        return read

    def _evidence(self, release: Release, report: Report, digest: str) -> Evidence:
        return Evidence(
            id=self.ground.events.ids.new("evd"),
            release_id=release.id,
            kind=report.kind,
            tool=report.tool,
            format=report.format,
            digest=digest,
            created_us=self.ground.events.clock.now_us(),
            subjects=tuple(artifact.digest for artifact in release.artifacts),
            summary=report.summary,
        )

    def prove(self, context: StepContext) -> Outcome:
        """Write SBOM, provenance and test results as signed statements about the artifacts' digests."""
        release = self.ground.release(context)
        if not release.artifacts:
            return Done({"statements": []}, idle="nothing was built")
        folder = self.ground.folder_of(release) / "evidence"
        shutil.rmtree(folder, ignore_errors=True)
        bills = self._bills(context, release)
        statements = self._statements(context, release, folder, bills)
        pieces = []
        for name, (kind, statement) in statements.items():
            envelope = sign_envelope(statement, IN_TOTO, self.ground.signer)
            path = folder / f"{name}.dsse.json"
            write_atomically(path, envelope.to_bytes())
            report = Report(kind=kind, tool="shipline", format="in-toto", summary={"statement": name}, items=())
            pieces.append(self._evidence(release, report, digest_of(path)))
        # Test results are evidence by their own reports already; their statement is for others to verify.
        kept = tuple(piece for piece in pieces if piece.kind is not EvidenceKind.TESTS)
        components = components_of_release(bills)

        def save(tx: Transaction) -> None:
            self._record(tx, release, kept)
            save_components(tx, release.id, components)

        return Done({"statements": list(statements), "without_sbom": _without(release, bills)}, save=save)

    def _statements(
        self, context: StepContext, release: Release, folder: Path, bills: tuple[Listed, ...]
    ) -> dict[str, tuple[EvidenceKind, bytes]]:
        artifacts = release.artifacts
        statements = {
            "provenance": (
                EvidenceKind.PROVENANCE,
                statement_of_provenance(artifacts, self._build_of(context, release)),
            )
        }
        for bill in bills:
            write_atomically(folder / bill.file, bill.document)
            statements[bill.name] = (EvidenceKind.SBOM, statement_of_sbom(bill.artifacts, bill.document))
        for path in self._report_paths(release, scans=False):
            if summarise_report(path).kind is EvidenceKind.TESTS:
                report = read_report(path)
                name = f"tests+{path.parent.name}+{path.name}"
                about = statement_of_tests(artifacts, report, report_name=path.name, digest=digest_of(path))
                statements[name] = (EvidenceKind.TESTS, about)
        return statements

    def _bills(self, context: StepContext, release: Release) -> tuple[Listed, ...]:
        return bills_of(
            self.ground,
            release,
            commit=built_from(context, release),
            place=package_of(context).path,
            created_us=context.input["time_us"],
        )

    def _build_of(self, context: StepContext, release: Release) -> Build:
        return Build(
            package=release.package,
            version=release.version,
            source="",
            commit=built_from(context, release),
            builder=BUILDER_ID,
            invocation=context.run_id,
            started_us=context.input["time_us"],
            finished_us=context.now_us,
        )

    def gate(self, context: StepContext) -> Outcome:
        """Ask the gates of the stage `release`. Anything but PASS refuses; missing evidence is UNKNOWN."""
        release = self.ground.release(context)
        verdicts = verdicts_of_stage(self.ground, release, "release", context.now_us)
        if combined(verdicts) is not Answer.PASS:
            return self._refused(context, release, verdicts)
        note = post_verdicts(self.ground, release, verdicts, _posting(context, release))

        def save(tx: Transaction) -> None:
            self.record_verdicts(tx, release, "release", verdicts)
            note(tx)

        return Done(
            {"answers": {verdict.gate: verdict.answer.value for verdict in verdicts}},
            save=save,
            idle="" if verdicts else "none are configured",
        )

    def confirm(self, context: StepContext) -> Outcome:
        """Ask the gates anew, and the calendar for freezes: the last step before anything is public.

        A release may have waited since it was judged, for a registry or a person, and an answer does not keep. From
        here on it is ended whatever they say. One that had begun on its train needs no other one.
        """
        release = self.ground.release(context)
        verdicts = verdicts_of_stage(self.ground, release, "release", context.now_us)
        freezes = tuple(rule for rule in self.ground.calendar_now() if rule.kind is PeriodKind.FREEZE)
        if freezes and not release.is_prerelease:
            verdicts = (*verdicts, *opening(self.ground, release, "release", freezes, context.now_us))
        if combined(verdicts) is Answer.PASS:
            if verdicts and release.artifacts and self.ground.signatures is not None:
                keep_policy(self.ground, release)
            return Done(idle="they do" if verdicts else "there are none")
        return self._refused(context, release, verdicts)

    def _refused(self, context: StepContext, release: Release, verdicts: tuple[Verdict, ...]) -> Failed:
        reasons = _why_closed(verdicts)
        note = post_verdicts(self.ground, release, verdicts, _posting(context, release))

        def save(tx: Transaction) -> None:
            self.record_verdicts(tx, release, "release", verdicts)
            note(tx)
            refused = (RELEASES.find(tx, release.id) or release).to(ReleaseStatus.REFUSED)
            RELEASES.save(tx, refused)
            append(tx, self.ground.events, refused, "ReleaseRefused", {"reason": reasons})

        return Failed(reasons, save=save)

    def bundle(self, context: StepContext) -> Outcome:
        """Pack everything that proves the release into one signed file, and verify nothing was lost on the way."""
        release = self.ground.release(context)
        if not release.artifacts:
            return Done({"bundle": None}, idle="nothing was built")
        folder = self.ground.folder_of(release)
        contents = contents_of(
            self.ground,
            release,
            self._report_paths(release),
            commit=built_from(context, release),
            created_us=context.input["time_us"],
            besides=Besides(),
        )
        write_atomically(folder / BUNDLE_NAME, make_bundle(contents, self.ground.signer))
        digest = digest_of(folder / BUNDLE_NAME)

        def save(tx: Transaction) -> None:
            append(tx, self.ground.events, release, "EvidenceBundled", {"digest": digest})

        return Done({"bundle": digest}, save=save)

    def _report_paths(self, release: Release, *, scans: bool = True) -> list[Path]:
        """The reports that the gates judge, which must still be those: what a test left running may write on."""
        folder = self.ground.folder_of(release) / "reports"
        paths = [folder / run.name / name for run in self.ground.tests for name in run.reports]
        paths += scan_reports(self.ground, release) if scans else []
        with self.ground.store.begin() as tx:
            judged = {piece.digest for piece in evidence_of(tx, release.id)}
        for path in paths:
            if not path.is_file() or digest_of(path) not in judged:
                raise RefusedError(
                    f"the report {path.parent.name}/{path.name} is not the one that was read",
                    todo="find out what wrote to it after the tests had ended, and release the next version",
                )
        return paths

    def _record(self, tx: Transaction, release: Release, pieces: tuple[Evidence, ...]) -> None:
        for piece in pieces:
            record_evidence(tx, self.ground.events, release, piece)

    def record_verdicts(self, tx: Transaction, release: Release, stage: str, verdicts: tuple[Verdict, ...]) -> None:
        """Write down what the gates of a stage have said, and whose waivers held then."""
        now = findings_now(tx, self.ground.waiving, release, self.ground.events.clock.now_us())
        if now.waived:
            used = {"stage": stage, "waivers": waivers_used(now, self.ground.waiving.approvers)}
            append(tx, self.ground.events, release, "FindingsWaived", used)
        for verdict in verdicts:
            VERDICTS.save(tx, verdict, row_id=self.ground.events.ids.new("ver"), release_id=release.id, stage=stage)
            body: dict[str, Any] = {"gate": verdict.gate, "answer": verdict.answer.value, "stage": stage}
            append(tx, self.ground.events, release, "GateDecided", body | {"reasons": list(verdict.reasons)})


def record_evidence(tx: Transaction, events: EventWriter, release: Release, piece: Evidence) -> None:
    """Keep a piece of evidence about a release."""
    EVIDENCE.save(tx, piece)
    body = {"evidence_id": piece.id, "kind": piece.kind.value, "tool": piece.tool, "summary": piece.summary}
    append(tx, events, release, "EvidenceRecorded", body | {"digest": piece.digest})


def refusal_of(  # noqa: PLR0913 - each is named where it is given
    ground: ReleaseGround,
    release_id: str | None,
    *,
    stage: str,
    calendar: tuple[CalendarRule, ...] = (),
    has_served: bool = False,
    expedite: Expedite | None = None,
    posts: bool = False,
) -> tuple[str, Save]:
    """Why a release may not enter an environment, "" if it may: it must be published, and the stage's gates open.

    So must the `calendar`, which is left out for what no freeze holds up: the way back. `has_served` is said for a
    way back to what has served there: its gates were open, and are asked again for the record alone, since an
    approval that has expired must not keep users on a bad version. `expedite` is the shorter way of a hotfix. With
    it comes what writes the answers down, for the transaction in which the caller notes its own step. `posts`: the
    answers decide now, and are told to the forge; else somebody only asks.
    """
    with ground.store.begin() as tx:
        release = RELEASES.find(tx, release_id) if release_id is not None else None
    if release is None:
        return "there is no release of this version in the store, so nothing proves it", nothing
    if release.status is not ReleaseStatus.PUBLISHED:
        words = f"{release.package} {release.version} is {release.status.value}"
        return f"{words}, and only published versions are deployed", nothing
    # The way back waits for no forge: its gates are asked for the record alone.
    proof = ProofSteps(replace(ground, forge=None) if has_served else ground)
    now_us = ground.events.clock.now_us()
    verdicts = (
        *verdicts_of_stage(proof.ground, release, stage, now_us, expedite),
        *opening(ground, release, stage, calendar, now_us),
    )
    why = "" if has_served or combined(verdicts) is Answer.PASS else _why_closed(verdicts)
    note = post_verdicts(proof.ground, release, verdicts, Posting(release.commit, stage)) if posts else nothing

    def save(tx: Transaction) -> None:
        proof.record_verdicts(tx, release, stage, verdicts)
        note(tx)

    return why, save


def _posting(context: StepContext, release: Release) -> Posting:
    """About the commit that is released from: the release's own is not pushed before the gates are open."""
    source = context.input.get("beside") or context.input.get("base") or release.commit
    return Posting(source, "release", insists=True)


def _why_closed(verdicts: tuple[Verdict, ...]) -> str:
    closed = [verdict for verdict in verdicts if verdict.answer is not Answer.PASS]
    return "\n".join(f"{verdict.gate} says {verdict.answer.value}: {'; '.join(verdict.reasons)}" for verdict in closed)


def _without(release: Release, bills: tuple[Listed, ...]) -> list[str]:
    """The names of the artifacts of which nobody here could say what they consist of."""
    known = {artifact.name for bill in bills for artifact in bill.artifacts}
    return [artifact.name for artifact in release.artifacts if artifact.name not in known]


def _fill(part: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        part = part.replace(name, value)
    return part


def _says_failed(report: Report) -> bool:
    return report.kind is EvidenceKind.TESTS and bool(
        report.summary.get("failed", 0) or report.summary.get("errors", 0)
    )


def built_from(context: StepContext, release: Release) -> str:
    """The commit that the artifacts were built from: the tagged one, or a release candidate's whose bytes these are."""
    return str(context.results["build"].get("built_from") or release.commit)
