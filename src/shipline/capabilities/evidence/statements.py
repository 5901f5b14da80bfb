"""in-toto statements: who says what about which artifacts.

Sources: in-toto attestation framework v1 (spec/v1/statement.md), SLSA provenance v1 (slsa.dev/spec/v1.0/provenance),
the test-result predicate v0.1, and CycloneDX's predicate type. Statements are canonical JSON (RFC 8785).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785

from shipline.capabilities.evidence.reports import Report
from shipline.domain.actor import Actor
from shipline.domain.artifact import Artifact
from shipline.domain.errors import InvalidValue
from shipline.domain.strict_json import read_json
from shipline.ports.target import PlannedChanges

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
CYCLONEDX = "https://cyclonedx.org/bom"
SPDX = "https://spdx.dev/Document"

BUILD_TYPE = "urn:shipline:build-type:package:v1"
"""A build of one package from one commit, described in docs/build-type-package-v1.md."""
PLAN = "urn:shipline:plan:v1"
"""A plan that was let be applied, described in docs/plan-v1.md."""
PLAN_CHANGES_MAX = 200
KEY_ON_DISK = "the signing key is a file on the machine that built, so whoever holds that machine can sign"
"""Why a build that signs by itself claims SLSA Build level 1 and no more (slsa.dev/spec/v1.0/levels)."""
STATEMENT_BYTES_MAX = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Build:
    """What was built, from what, by what.

    `commit` is a git object id, 40 or 64 hex digits; `source` the repository's address as a URI, "" where it has
    none; `builder` a URI; `invocation` the id of this attempt. Times are UTC microseconds.
    """

    package: str
    version: str
    source: str
    commit: str
    builder: str
    invocation: str
    started_us: int
    finished_us: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, read. `subjects` maps names to `sha256:…` digests."""

    predicate_type: str
    subjects: dict[str, str]
    predicate: dict[str, Any]


def statement_of_provenance(artifacts: Sequence[Artifact], build: Build) -> bytes:
    """SLSA v1 provenance that claims Build level 1, and says why not more."""
    source = {"uri": f"git+{build.source}"} if build.source else {"name": "the repository that was built in"}
    predicate = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {"package": build.package, "version": build.version, "commit": build.commit},
            "internalParameters": {},
            "resolvedDependencies": [source | {"digest": {"gitCommit": build.commit}}],
        },
        "runDetails": {
            "builder": {"id": build.builder},
            "metadata": {
                "invocationId": build.invocation,
                "startedOn": timestamp(build.started_us),
                "finishedOn": timestamp(build.finished_us),
            },
        },
        # Extension fields are named <vendor>_<field>, by the "Parsing rules" of the provenance specification.
        "shipline_claim": {"level": "SLSA_BUILD_LEVEL_1", "why": KEY_ON_DISK},
    }
    return _statement(artifacts, PROVENANCE, predicate)


def statement_of_tests(artifacts: Sequence[Artifact], report: Report, *, report_name: str, digest: str) -> bytes:
    """What the tests of the artifacts' source gave. `digest` is the `sha256:…` of the report's bytes.

    A test that broke counts as failed, since the predicate knows no third way; skipped tests are in no list.
    """
    failed = [_test_name(item) for item in report.items if item["status"] in ("failed", "error")]
    passed = [_test_name(item) for item in report.items if item["status"] == "passed"]
    predicate = {
        "result": "FAILED" if failed or not passed else "PASSED",
        "configuration": [{"name": report_name, "digest": digest_set(digest)}],
        "passedTests": passed,
        "warnedTests": [],
        "failedTests": failed,
    }
    return _statement(artifacts, TEST_RESULT, predicate)


def statement_of_sbom(artifacts: Sequence[Artifact], sbom: bytes) -> bytes:
    """The artifacts consist of what `sbom` lists: CycloneDX, or SPDX 2, in JSON."""
    document = read_json(sbom, what="the SBOM", limit_bytes=STATEMENT_BYTES_MAX)
    if isinstance(document, dict) and document.get("bomFormat") == "CycloneDX":
        return _statement(artifacts, CYCLONEDX, document)
    if isinstance(document, dict) and isinstance(document.get("spdxVersion"), str):
        return _statement(artifacts, SPDX, document)
    raise InvalidValue("the SBOM is neither a CycloneDX nor an SPDX document")


@dataclass(frozen=True, slots=True)
class Approval:
    """Who let a plan be applied, when (UTC microseconds), and why, in their words."""

    actor: Actor
    time_us: int
    reason: str


@dataclass(frozen=True, slots=True)
class PlanUse:
    """What a plan is for: this version of a package, in this environment, by this rollout. `configuration` are the
    digests of what it was made from; `approval` is None where nobody had to be asked."""

    package: str
    version: str
    environment: str
    rollout_id: str
    configuration: tuple[str, ...]
    approval: Approval | None


def statement_of_plan(plan: PlannedChanges, use: PlanUse) -> bytes:
    """This plan, by its digest, is what was approved: what it changes, without values, and who said so."""
    shown = [{"address": address, "actions": list(actions)} for address, actions in plan.changes[:PLAN_CHANGES_MAX]]
    approval = None
    if use.approval is not None:
        by = use.approval.actor
        approval = {
            "by": {
                "kind": by.kind.value,
                "issuer": by.issuer,
                "subject": by.subject,
                "authenticated": by.authenticated,
            },
            "at": timestamp(use.approval.time_us),
            "reason": use.approval.reason,
        }
    predicate = {
        "tool": plan.tool,
        "summary": plan.words,
        "changes": shown,
        "changesOmitted": len(plan.changes) - len(shown),
        "package": use.package,
        "version": use.version,
        "environment": use.environment,
        "rollout": use.rollout_id,
        "configuration": [digest_set(digest) for digest in use.configuration],
        "approval": approval,
    }
    return stated([("plan", plan.digest)], PLAN, predicate)


def read_statement(payload: bytes, *, nameless: bool = False) -> Statement:
    """Read an in-toto v1 statement. Raises InvalidValue where it is none, or a subject has no sha256.

    Our own name each subject; of `nameless` ones, which others write, the digest stands for the name.
    """
    document = read_json(payload, what="the statement", limit_bytes=STATEMENT_BYTES_MAX)
    if not isinstance(document, dict) or document.get("_type") != STATEMENT_TYPE:
        raise InvalidValue("the payload is no in-toto v1 statement")
    kind, subjects, predicate = (document.get(name) for name in ("predicateType", "subject", "predicate"))
    if not isinstance(kind, str) or not isinstance(subjects, list) or not isinstance(predicate, dict):
        raise InvalidValue("the in-toto statement lacks its subject, its predicateType or its predicate")
    return Statement(kind, dict(_subject(entry, nameless=nameless) for entry in subjects), predicate)


def timestamp(time_us: int) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return datetime.fromtimestamp(time_us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _statement(artifacts: Sequence[Artifact], predicate_type: str, predicate: dict[str, Any]) -> bytes:
    if not artifacts:
        raise InvalidValue("a statement needs at least one artifact to speak of")
    return stated([(artifact.name, artifact.digest) for artifact in artifacts], predicate_type, predicate)


def stated(subjects: Sequence[tuple[str, str]], predicate_type: str, predicate: dict[str, Any]) -> bytes:
    """The statement about these names and digests."""
    return rfc8785.dumps(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": name, "digest": digest_set(digest)} for name, digest in subjects],
            "predicateType": predicate_type,
            "predicate": predicate,
        }
    )


def digest_set(digest: str) -> dict[str, str]:
    """A `sha256:…` as statements have it."""
    return {"sha256": digest.removeprefix("sha256:")}


def _test_name(item: dict[str, Any]) -> str:
    return f"{item['classname']}::{item['name']}" if item["classname"] else str(item["name"])


def _subject(entry: object, *, nameless: bool) -> tuple[str, str]:
    digests = entry.get("digest") if isinstance(entry, dict) else None
    sha256 = digests.get("sha256") if isinstance(digests, dict) else None
    name = entry.get("name", sha256 if nameless else None) if isinstance(entry, dict) else None
    if not isinstance(name, str) or not isinstance(sha256, str):
        raise InvalidValue("a subject of the in-toto statement lacks its name or its sha256 digest")
    return name, f"sha256:{sha256}"
