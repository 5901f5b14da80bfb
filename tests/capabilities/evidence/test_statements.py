"""in-toto statements: their shapes, their bytes, and what is refused when one is read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.evidence.reports import read_report_bytes
from shipline.capabilities.evidence.statements import (
    BUILD_TYPE,
    PLAN,
    PLAN_CHANGES_MAX,
    Approval,
    Build,
    PlanUse,
    read_statement,
    statement_of_plan,
    statement_of_provenance,
    statement_of_sbom,
    statement_of_tests,
)
from shipline.domain.actor import Actor, ActorKind
from shipline.domain.artifact import Artifact
from shipline.domain.errors import InvalidValue
from shipline.ports.target import PlannedChanges

ROOT = Path(__file__).parents[3]
WHEEL = Artifact("quotes-1.0-py3-none-any.whl", "wheel", "sha256:" + "a" * 64, 12)
BUILD = Build(
    "quotes",
    "1.0",
    "https://example.org/quotes",
    "c" * 40,
    "urn:x",
    "rel_1/1",
    1_700_000_000_000_000,
    1_700_000_001_000_000,
)
REPORT = (
    b'<testsuite><testcase classname="a" name="b"/><testcase name="c"/>'
    b'<testcase name="d"><skipped/></testcase></testsuite>'
)


def test_provenance_names_the_commit_and_claims_level_one() -> None:
    """SLSA v1: what was built from what by whom; a key on disk claims no more than level 1, and says why."""
    statement = read_statement(statement_of_provenance([WHEEL], BUILD))
    definition = statement.predicate["buildDefinition"]
    assert statement.subjects == {WHEEL.name: WHEEL.digest}
    assert definition["buildType"] == BUILD_TYPE
    assert definition["resolvedDependencies"] == [
        {"uri": "git+https://example.org/quotes", "digest": {"gitCommit": "c" * 40}}
    ]
    assert statement.predicate["runDetails"]["metadata"]["startedOn"] == "2023-11-14T22:13:20Z"
    assert statement.predicate["shipline_claim"]["level"] == "SLSA_BUILD_LEVEL_1"


def test_provenance_without_an_address_leaves_it_out() -> None:
    """A repository without a remote has no URI to name."""
    statement = read_statement(statement_of_provenance([WHEEL], replace(BUILD, source="")))
    assert "uri" not in statement.predicate["buildDefinition"]["resolvedDependencies"][0]


def test_build_type_is_documented() -> None:
    """Every parameter of the provenance stands in the document that describes the build type."""
    text = (ROOT / "docs" / "build-type-package-v1.md").read_text(encoding="utf-8")
    definition = read_statement(statement_of_provenance([WHEEL], BUILD)).predicate["buildDefinition"]
    assert BUILD_TYPE in text
    assert all(f"externalParameters.{name}" in text for name in definition["externalParameters"])


def test_a_plan_is_stated_with_who_let_it_be_applied() -> None:
    """By its digest; what it changes is bounded, and each field is documented."""
    changes = tuple((f"x.y{number}", ("create",)) for number in range(PLAN_CHANGES_MAX + 3))
    plan = PlannedChanges("sha256:" + "d" * 64, "terraform 1.11.4", "203 to add, 0 to change, 0 to destroy", changes)
    ann = Actor(ActorKind.PERSON, "github.com", "ann", authenticated=True)
    use = PlanUse("infra", "1.2.0", "cloud", "rol_1", (WHEEL.digest,), Approval(ann, 1_700_000_000_000_000, "read it"))
    statement = read_statement(statement_of_plan(plan, use))
    assert (statement.predicate_type, statement.subjects) == (PLAN, {"plan": plan.digest})
    assert statement.predicate["approval"] == {
        "by": {"kind": "person", "issuer": "github.com", "subject": "ann", "authenticated": True},
        "at": "2023-11-14T22:13:20Z",
        "reason": "read it",
    }
    assert (len(statement.predicate["changes"]), statement.predicate["changesOmitted"]) == (PLAN_CHANGES_MAX, 3)
    nobody = read_statement(statement_of_plan(plan, replace(use, approval=None)))
    assert nobody.predicate["approval"] is None
    text = (ROOT / "docs" / "plan-v1.md").read_text(encoding="utf-8")
    assert PLAN in text
    assert all(f"`{name}`" in text for name in statement.predicate)


def test_statements_are_canonical() -> None:
    """RFC 8785: sorted names, no white space; the same input gives the same bytes."""
    data = statement_of_provenance([WHEEL], BUILD)
    assert data == json.dumps(json.loads(data), sort_keys=True, separators=(",", ":")).encode()


def test_test_result_lists_what_passed() -> None:
    """Names with their class; skipped tests are in no list."""
    statement = read_statement(
        statement_of_tests([WHEEL], read_report_bytes(REPORT), report_name="junit.xml", digest="sha256:" + "b" * 64)
    )
    assert statement.predicate["result"] == "PASSED"
    assert statement.predicate["passedTests"] == ["a::b", "c"]
    assert statement.predicate["failedTests"] == []
    assert statement.predicate["configuration"][0]["digest"] == {"sha256": "b" * 64}


@pytest.mark.parametrize("inner", ['<testcase name="a"/><testcase name="b"><error/></testcase>', ""])
def test_trouble_or_no_tests_at_all_is_failed(inner: str) -> None:
    """An error is a failure, and nothing passed is nothing proven."""
    report = read_report_bytes(f"<testsuite>{inner}</testsuite>".encode())
    statement = read_statement(statement_of_tests([WHEEL], report, report_name="r", digest="sha256:" + "b" * 64))
    assert statement.predicate["result"] == "FAILED"


def test_statement_needs_something_to_speak_of() -> None:
    """No artifacts, or an SBOM that is none: InvalidValue."""
    with pytest.raises(InvalidValue, match="at least one artifact"):
        statement_of_provenance([], BUILD)
    with pytest.raises(InvalidValue, match="CycloneDX"):
        statement_of_sbom([WHEEL], b"{}")


@pytest.mark.parametrize(
    "changes",
    [
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"subject": None},
        {"subject": [{}]},
        {"subject": [{"name": "a", "digest": {"md5": "x"}}]},
        {"predicate": []},
        {"predicateType": None},
    ],
)
def test_what_is_no_statement_is_refused(changes: dict[str, object]) -> None:
    """Version 0 statements, missing parts, subjects without a sha256."""
    document = json.loads(statement_of_provenance([WHEEL], BUILD)) | changes
    with pytest.raises(InvalidValue):
        read_statement(json.dumps(document).encode())
