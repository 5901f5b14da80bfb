"""Policies are read strictly; verdicts have a documented shape."""

from __future__ import annotations

import pytest

from shipline.capabilities.gates.documents import read_policy, verdict_document
from shipline.capabilities.gates.rules import evaluate
from shipline.capabilities.gates.sets import SECURITY
from shipline.domain.errors import ConfigurationError
from shipline.domain.gate import Gate

POLICY = b"""
[[gate]]
name = "tests"
rule = "tests.failed == 0"

[[gate]]
name = "people"
rule = "sbom.present"
stage = "production"
message = "two people"
when = "!release.prerelease"
approvals = { security = 2 }
"""


def test_policy_is_read_whole() -> None:
    """All keys, and the defaults of those that are left out."""
    assert read_policy(POLICY) == (
        Gate("tests", "tests.failed == 0"),
        Gate("people", "sbom.present", "production", "two people", "!release.prerelease", {"security": 2}),
    )


def test_sets_may_stand_alone_or_before_gates() -> None:
    """Each gate once; one that is the same in a set is no clash."""
    assert read_policy(b"[gates]\nsets = ['security']") == SECURITY
    both = read_policy(b"[gates]\nsets = ['security']\n[[gate]]\nname = 'own'\nrule = 'true'")
    assert both == (*SECURITY, Gate("own", "true"))


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (b"", "at least one"),
        (b"gate = 1", "at least one"),
        (b"gate = [1]", "is a table"),
        (b"[gate]\nname = 'a'", "at least one"),
        (b"[[gates]]\nname = 'a'", "unknown key 'gates'"),
        (b"[[gate]]\nname = 'a'\nrule = 'true'\nruel = 'true'", "unknown key 'ruel'"),
        (b"[[gate]]\nname = 'a'", "needs a name and a rule"),
        (b"[[gate]]\nrule = 'true'", "needs a name and a rule"),
        (b"[[gate]]\nname = 1\nrule = 'true'", "is a text"),
        (b"[[gate]]\nname = 'a'\nrule = 'tests.fialed == 0'", "tests.failed"),
        (b"[[gate]]\nname = 'a'\nrule = 'true'\nwhen = 'release.prerelaese'", "release.prerelease"),
        (b"[[gate]]\nname = 'a'\nrule = 'true'\n" * 2, "two gates"),
        (b"[[gate]]\nname = 'a'\nrule = 'true'\napprovals = 1", "role = count"),
        (b"[[gate]]\nname = 'a'\nrule = 'true'\napprovals = { qa = 0 }", "1 to 100"),
        (b"[[gate]]\nname = 'a'\nrule = 'true'\napprovals = { '\"] == 1 || true || [\"' = 1 }", "1 to 100"),
        (b"[gates]\nsets = []", "at least one"),
        (b"[gates]\nsets = ['secure']", "quality, security, compliance"),
        (b"[gates]\nsets = 'quality'", "list of names"),
        (b"[gates]\nstatuses = true", "unknown key 'statuses'"),
        (b"gates = 1", "unknown key"),
        (b"[gates]\nsets = ['quality']\n[[gate]]\nname = 'tests'\nrule = 'true'", "a name of its own"),
        (b"\xff", "not TOML"),
        (b"a = " + b"[" * 100_000, "not TOML"),
        (b"a" * 2_000_000, "larger"),
    ],
)
def test_policy_that_is_not_right_is_refused(policy: bytes, words: str) -> None:
    """An empty policy would let everything pass; a misspelt key or fact would be passed over."""
    with pytest.raises(ConfigurationError) as caught:
        read_policy(policy)
    assert words in caught.value.diagnosis()


def test_document_gives_the_reasons_that_decided() -> None:
    """Those of gates that block, each with its gate's name; all where none blocks."""
    gates = [Gate("tests", "tests.failed == 0"), Gate("sbom", "sbom.present"), Gate("signed", "signatures.verified")]
    document = verdict_document(evaluate(gates, {"tests": {"failed": 2}, "sbom": {"present": True}}, 5))
    assert (document["schema"], document["verdict"]) == ("shipline.verdict/1", "FAIL")
    assert [reason.partition(":")[0] for reason in document["reasons"]] == ["tests", "signed"]
    assert [gate["answer"] for gate in document["gates"]] == ["FAIL", "PASS", "UNKNOWN"]
    good = {"tests": {"failed": 0}, "sbom": {"present": True}, "signatures": {"verified": True}}
    assert len(verdict_document(evaluate(gates, good, 5))["reasons"]) == 3
