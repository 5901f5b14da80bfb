"""`verifyImages` of Kyverno: whom it asks for, what counts, and what is refused by its name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shipline.capabilities.evidence import read_public_key
from shipline.capabilities.gates.manifests.proofs import Demand, Proof
from shipline.capabilities.gates.manifests.resources import Admission, Asked, Resource, surroundings
from shipline.capabilities.gates.manifests.results import Result
from shipline.capabilities.gates.manifests.rules import compile_policies, image_demands, judge_all
from shipline.domain.verdict import Answer
from shipline.testing.fakes.signer import MemorySigner

PEMS = [MemorySigner(number).public_key_pem() for number in (1, 2, 3)]
IDS = [read_public_key(pem.encode()).id for pem in PEMS]
DIGEST = "sha256:" + "0" * 64
PINNED = f"registry.example/team/a@{DIGEST}"
PROVENANCE = "https://slsa.dev/provenance/v1"
ASKED = Asked("", "v1", "pods", "", "web", "shop", {})


def keys(*pems: str, **more: Any) -> dict[str, Any]:
    return {"keys": {"publicKeys": "".join(pems), "rekor": {"ignoreTlog": True}, **more}}


def policy(*checks: dict[str, Any], **rule: Any) -> dict[str, Any]:
    match = {"any": [{"resources": {"kinds": ["Pod"]}}]}
    rules = [{"name": "r", "match": match, "verifyImages": list(checks), **rule}]
    return {"apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": {"name": "p"}, "spec": {"rules": rules}}


def check(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    attestors = [{"entries": list(entries), **({"count": more.pop("count")} if "count" in more else {})}]
    return {"imageReferences": ["*"], **({"attestors": attestors} if entries else {}), **more}


def pod(image: str, kind: str = "Pod") -> dict[str, Any]:
    spec: dict[str, Any] = {"containers": [{"name": "a", "image": image}]}
    whole = spec if kind == "Pod" else {"template": {"spec": spec}}
    version = "v1" if kind == "Pod" else "apps/v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "web", "namespace": "shop"}, "spec": whole}


def asked(
    document: dict[str, Any], resource: dict[str, Any], proof: Proof | None, *, live: bool = False
) -> tuple[tuple[Demand, ...], Result]:
    """What registries are asked, each of whom answers the same, and the row."""
    admission = Admission(Resource(resource), surroundings(()), asked=ASKED if live else None)
    policies = compile_policies([document])
    demands = image_demands(policies, admission)
    if proof is not None:
        admission = replace(admission, proofs=dict.fromkeys(demands, proof))
    (row,) = judge_all(policies, [admission])
    return demands, row


def by(*signers: int, predicate: dict[str, Any] | None = None) -> Proof:
    found = frozenset(IDS[each] for each in signers)
    return Proof(Answer.PASS if found else Answer.FAIL, "words", found, (predicate,) if predicate is not None else ())


@pytest.mark.parametrize(
    ("entries", "count", "signers", "outcome"),
    [
        ([keys(PEMS[0])], None, (0,), "pass"),
        ([keys(PEMS[0])], None, (), "fail"),
        ([keys(PEMS[0]), keys(PEMS[1])], None, (0,), "fail"),
        ([keys(PEMS[0]), keys(PEMS[1])], 1, (1,), "pass"),
        ([keys(PEMS[0], PEMS[1])], None, (0,), "fail"),
        ([keys(PEMS[0], PEMS[1], PEMS[2])], 2, (0, 2), "pass"),
        ([{"attestor": {"count": 1, "entries": [keys(PEMS[0]), keys(PEMS[1])]}}, keys(PEMS[2])], None, (1, 2), "pass"),
        ([{"attestor": {"count": 1, "entries": [keys(PEMS[0]), keys(PEMS[1])]}}, keys(PEMS[2])], None, (0, 1), "fail"),
    ],
)
def test_as_many_as_are_asked_for_must_have_signed(
    entries: list[dict[str, Any]], count: int | None, signers: tuple[int, ...], outcome: str
) -> None:
    """All where no count is stated; several keys in one text are as many entries; sets hold sets."""
    more = {} if count is None else {"count": count}
    demands, row = asked(policy(check(*entries, **more)), pod(PINNED), by(*signers))
    assert row.outcome.value == outcome, row
    assert [one.reference for one in demands] == [PINNED]
    assert {key.id for key in demands[0].keys} >= {IDS[each] for each in signers}


def test_who_has_not_asked_a_registry_says_so() -> None:
    """Neither nothing asked nor no answer is a pass; what makes pods is asked about, too."""
    for kind, rule in (("Pod", "r"), ("Deployment", "autogen-r")):
        demands, row = asked(policy(check(keys(PEMS[0]))), pod(PINNED, kind), None)
        assert (row.rule, row.outcome.value, len(demands)) == (rule, "error", 1)
        assert "--verify-images" in row.message
    row = asked(policy(check(keys(PEMS[0]))), pod(PINNED), Proof(Answer.UNKNOWN, "it burns"))[1]
    assert (row.outcome.value, "it burns" in row.message) == ("error", True)
    assert asked(policy(check(keys(PEMS[0]))), pod("Not An Image"), by(0))[1].outcome.value == "error"


@pytest.mark.parametrize(
    ("more", "live", "outcome"),
    [
        ({}, False, "pass"),
        ({}, True, "fail"),
        ({"mutateDigest": False}, False, "fail"),
        ({"mutateDigest": False, "verifyDigest": False}, True, "pass"),
    ],
)
def test_a_tag_that_may_move_is_no_proof(more: dict[str, Any], live: bool, outcome: str) -> None:  # noqa: FBT001
    """Unless the cluster will write the digest, or the policy does not ask for one. No registry is troubled then."""
    demands, row = asked(policy(check(keys(PEMS[0]), **more)), pod("registry.example/team/a:1"), by(0), live=live)
    assert (row.outcome.value, len(demands)) == (outcome, int(outcome == "pass"))


@pytest.mark.parametrize(
    ("references", "more", "outcome"),
    [
        (["registry.example/team/*"], {}, "fail"),
        (["registry.example/team/a:*"], {}, "fail"),
        (["elsewhere.example/*"], {}, "skip"),
        (["*"], {"skipImageReferences": ["registry.example/team/*"]}, "skip"),
        (["*"], {"skipImageReferences": ["registry.example/team/a:*"]}, "fail"),
    ],
)
def test_names_of_images_draw_in_and_leave_out(references: list[str], more: dict[str, Any], outcome: str) -> None:
    """A digest lets none pass by a pattern for tags."""
    row = asked(policy(check(keys(PEMS[0]), imageReferences=references, **more)), pod(PINNED), by())[1]
    assert row.outcome.value == outcome


def test_a_statement_is_asked_for_and_looked_into() -> None:
    """By its own attestors; each that is proven must fulfil the conditions, and none is not enough."""
    condition = {"all": [{"key": "{{ builder.id }}", "operator": "Equals", "value": "urn:me"}]}
    stated = {"type": PROVENANCE, "attestors": [{"entries": [keys(PEMS[0])]}], "conditions": [condition]}
    document = policy(check(attestations=[stated]))
    found = {
        name: asked(document, pod(PINNED), proof)[1].outcome.value
        for name, proof in {
            "right": by(0, predicate={"builder": {"id": "urn:me"}}),
            "other": by(0, predicate={"builder": {"id": "urn:you"}}),
            "no such key": by(0, predicate={}),
            "unread": by(0),
            "none": by(),
        }.items()
    }
    assert found == {"right": "pass", "other": "fail", "no such key": "error", "unread": "error", "none": "fail"}
    demands, _ = asked(document, pod(PINNED), by(0))
    assert [(one.predicate_type, one.contents) for one in demands] == [(PROVENANCE, True)]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (check({"keyless": {"subject": "*", "issuer": "x"}}), "keyless of an attestor"),
        (check({"certificates": {"cert": "x"}}), "certificates of an attestor"),
        (check({"keys": {"publicKeys": PEMS[0]}}), "the transparency log"),
        (check({"keys": {"publicKeys": PEMS[0], "rekor": {"url": "x"}}}), "the transparency log"),
        (check({"keys": {"kms": "x"}}), "kms of keys"),
        (check({"keys": {"secret": {"name": "x"}}}), "secret of keys"),
        (check(keys("k8s://a/b")), "do not stand in the policy"),
        (check(keys(PEMS[0], "{{ x }}")), "do not stand in the policy"),
        (check(keys(PEMS[0], signatureAlgorithm="sha512")), "signatures by sha512"),
        (check({**keys(PEMS[0]), "annotations": {"a": "b"}}), "annotations of an attestor"),
        (check({**keys(PEMS[0]), "repository": "x"}), "repository of an attestor"),
        (check(keys(PEMS[0]), count=2), "a count that they never reach"),
        (check(keys(PEMS[0]), count=0), "a count that they never reach"),
        (check(keys(PEMS[0]), type="Notary"), "signatures of the type Notary"),
        (check(keys(PEMS[0]), repository="x"), "repository of verifyImages"),
        (check(keys(PEMS[0]), imageRegistryCredentials={}), "imageRegistryCredentials"),
        ({"image": "*", "key": PEMS[0]}, "image of verifyImages"),
        (check(attestations=[{"type": "x"}]), "attestations without"),
        (check(), "without attestors"),
    ],
)
def test_what_cannot_be_proven_here_is_refused_by_name(given: dict[str, Any], words: str) -> None:
    """And blocks, whatever a registry would say."""
    _, row = asked(policy(given), pod(PINNED), by(0, 1, 2))
    assert (row.outcome.value, words in row.message) == ("error", True), row
