"""Kyverno's ImageValidatingPolicy: whom it asks for, what counts, and what is refused by its name."""

from __future__ import annotations

from typing import Any

import pytest

from shipline.capabilities.gates.manifests.proofs import Proof
from shipline.domain.verdict import Answer
from tests.capabilities.gates.manifests.test_verify_images import IDS, PEMS, PINNED, PROVENANCE, asked, by, pod

LOG = {"insecureIgnoreTlog": True}
SIGNED = "images.containers.map(image, verifyImageSignatures(image, [attestors.ours])).all(e, e > 0)"
STATED = (
    "images.containers.map(i, verifyAttestationSignatures(i, attestations.slsa, [attestors.ours])).all(e, e > 0)"
    " && images.containers.all(i, extractPayload(i, attestations.slsa).predicate.builder.id == 'urn:me')"
)


def attestor(name: str = "ours", pem: str = PEMS[0], **more: Any) -> dict[str, Any]:
    return {"name": name, "cosign": {"key": {"data": pem}, "ctlog": LOG, **more}}


def policy(*expressions: str, **spec: Any) -> dict[str, Any]:
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]
    return {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "ImageValidatingPolicy",
        "metadata": {"name": "p"},
        "spec": {
            "matchConstraints": {"resourceRules": rules},
            "matchImageReferences": [{"glob": "registry.example/*"}],
            "attestors": [attestor()],
            "attestations": [{"name": "slsa", "intoto": {"type": PROVENANCE}}],
            "validations": [{"expression": each, "message": "it is not ours"} for each in expressions],
            **spec,
        },
    }


@pytest.mark.parametrize(
    ("proof", "outcome", "words"),
    [
        (by(0), "pass", ""),
        (by(), "fail", "it is not ours"),
        (by(1), "fail", "it is not ours"),
        (Proof(Answer.UNKNOWN, "it burns"), "error", "was not found out"),
        (None, "error", "--verify-images"),
    ],
)
@pytest.mark.parametrize("kind", ["Pod", "Deployment", "CronJob"])
def test_its_attestors_must_have_signed(proof: Proof | None, outcome: str, words: str, kind: str) -> None:
    """Also what makes pods; what was not found out is an error."""
    made = pod(PINNED, kind)
    if kind == "CronJob":
        made["apiVersion"], made["spec"] = "batch/v1", {"jobTemplate": {"spec": made["spec"]}}
    demands, row = asked(policy(SIGNED), made, proof)
    assert (row.outcome.value, [one.reference for one in demands]) == (outcome, [PINNED]), row
    assert words in row.message


def test_so_many_of_several_must_have_signed() -> None:
    enough = SIGNED.replace("[attestors.ours]", "[attestors.ours, attestors.others]").replace("e > 0", "e > 1")
    both = policy(enough, attestors=[attestor(), attestor("others", PEMS[1])])
    found = [asked(both, pod(PINNED), by(*signers))[1].outcome.value for signers in ((0,), (1,), (0, 1))]
    assert found == ["fail", "fail", "pass"]
    assert {key.id for key in asked(both, pod(PINNED), None)[0][0].keys} == set(IDS[:2])


def test_a_statement_is_asked_for_and_looked_into() -> None:
    document = policy(STATED)
    (demand,), row = asked(document, pod(PINNED), by(0, predicate={"builder": {"id": "urn:me"}}))
    assert (demand.predicate_type, demand.contents, row.outcome.value) == (PROVENANCE, True, "pass")
    wrong = {"other": by(0, predicate={"builder": {"id": "urn:other"}}), "none": by(0), "nobody": by()}
    assert {name: asked(document, pod(PINNED), proof)[1].outcome.value for name, proof in wrong.items()} == {
        "other": "fail",
        "none": "error",
        "nobody": "fail",
    }


def test_images_that_it_is_not_about_are_not_asked_about() -> None:
    demands, row = asked(policy(SIGNED), pod("elsewhere.example/a:1"), by())
    assert (demands, row.outcome.value) == ((), "pass")
    short = policy(SIGNED, matchImageReferences=[{"glob": "docker.io/*"}])
    assert asked(short, pod("nginx@" + PINNED.rpartition("@")[2]), by())[1].outcome.value == "fail"


def test_a_rule_that_asks_nobody_lets_nothing_pass_where_a_proof_is_required() -> None:
    """It is, unless the policy says otherwise."""
    lax = policy("true || " + SIGNED)
    assert asked(lax, pod(PINNED), by())[1].outcome.value == "fail"
    assert asked(lax, pod(PINNED), by(0))[1].outcome.value == "pass"
    lax["spec"]["validationConfigurations"] = {"required": False}
    assert asked(lax, pod(PINNED), by())[1].outcome.value == "pass"


def test_a_tag_that_may_move_is_no_proof() -> None:
    """Unless the cluster will write the digest: an admission webhook sees it as it comes."""
    tagged = pod("registry.example/team/a:1")
    assert asked(policy(SIGNED), tagged, by(0))[1].outcome.value == "pass"
    demands, row = asked(policy(SIGNED), tagged, by(0), live=True)
    assert (demands, row.outcome.value) == ((), "fail")
    free = policy(SIGNED, validationConfigurations={"verifyDigest": False})
    assert asked(free, tagged, by(0), live=True)[1].outcome.value == "pass"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"attestors": [{"name": "n", "notary": {"certs": {"value": "x"}}}]}, "notary of attestors"),
        ({"attestors": [attestor(keyless={"identities": []})]}, "keyless of cosign"),
        ({"attestors": [{"name": "n", "cosign": {"key": {"kms": "x"}, "ctlog": LOG}}]}, "kms of key"),
        ({"attestors": [{"name": "n", "cosign": {"key": {"data": PEMS[0]}}}]}, "the transparency log (ctlog)"),
        ({"attestors": [attestor(pem=PEMS[0] + PEMS[1])]}, "several keys"),
        ({"attestors": [attestor(), attestor()]}, "of one name"),
        ({"attestors": []}, "without attestors"),
        ({"attestations": [{"name": "s", "referrer": {"type": "sbom"}}]}, "referrer of attestations"),
        ({"matchImageReferences": [{"expression": "true"}]}, "expression of matchImageReferences"),
        ({"matchImageReferences": [{"glob": "{a,b}/*"}]}, "the glob '{a,b}/*'"),
        ({"images": [{"name": "a", "expression": "[]"}]}, "spec.images"),
        ({"evaluation": {"mode": "JSON"}}, "the evaluation mode JSON"),
        ({"validations": [{"expression": "getImageData('a').x"}]}, "the function getImageData()"),
        ({"validations": [{"expression": "shipline_images == {}"}]}, "the name shipline_images"),
        ({"validations": [{"expression": "attestor.x"}]}, "the name attestor"),
    ],
)
def test_what_is_not_had_is_refused_by_name(spec: dict[str, Any], words: str) -> None:
    row = asked(policy(SIGNED, **spec), pod(PINNED), None)[1]
    assert row.outcome.value == "error"
    assert words in row.message, row.message
