"""AdmissionReview in and out: what is read, what policies see of it, and what goes back."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipline.capabilities.gates import read_review, review_answer
from shipline.capabilities.gates.manifests.kinds import Kinds
from shipline.capabilities.gates.manifests.resources import Surroundings, surroundings
from shipline.capabilities.gates.manifests.results import Outcome, Result
from shipline.capabilities.gates.manifests.review import admission_of, decide
from shipline.capabilities.gates.manifests.rules import compile_policies, judge, watched
from shipline.domain.errors import InvalidValue

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "a"}},
    "spec": {"containers": [{"name": "a", "image": "registry.example/a:1"}]},
}
NOWHERE = Surroundings(Kinds())


def review(operation: str = "CREATE", **more: Any) -> dict[str, Any]:
    request = {
        "uid": "u1",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "name": "web",
        "namespace": "shop",
        "operation": operation,
        "userInfo": {"username": "ann", "groups": ["dev"]},
        "object": POD,
        **more,
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


def in_cel(*expressions: str, resources: tuple[str, ...] = ("pods",)) -> dict[str, Any]:
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": list(resources)}
    validations = [{"expression": each} for each in expressions]
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "p"},
        "spec": {"matchConstraints": {"resourceRules": [rule]}, "validations": validations},
    }


def of_kyverno(match: dict[str, Any], **rule: Any) -> dict[str, Any]:
    rules = [{"name": "r", "match": {"any": [{"resources": match}]}, **rule}]
    spec = {"validationFailureAction": "Enforce", "rules": rules}
    return {"apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": {"name": "k"}, "spec": spec}


def judged(document: dict[str, Any], policy: dict[str, Any]) -> list[str]:
    admission = admission_of(read_review(json.dumps(document).encode()), NOWHERE)
    return [row.outcome.value for row in judge(compile_policies([policy]), admission)]


OPTIONS = {"apiVersion": "v1", "kind": "PodExecOptions", "command": ["sh"]}
EXEC = review(
    "CONNECT", kind={"group": "", "version": "v1", "kind": "PodExecOptions"}, subResource="exec", object=OPTIONS
)
SCALE = review(
    "UPDATE",
    kind={"group": "autoscaling", "version": "v1", "kind": "Scale"},
    resource={"group": "apps", "version": "v1", "resource": "deployments"},
    subResource="scale",
    object={"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 9}},
)
CHANGED = {**POD, "metadata": {**POD["metadata"], "labels": {"app": "b"}}}


@pytest.mark.parametrize(
    ("document", "policy", "outcomes"),
    [
        (review(), in_cel("request.userInfo.username == 'ann' && 'dev' in request.userInfo.groups"), ["pass"]),
        (review(), in_cel("request.operation == 'CREATE' && request.namespace == 'shop' && !request.dryRun"), ["pass"]),
        (review(), in_cel("oldObject == null && request.name == object.metadata.name"), ["pass"]),
        (
            review("UPDATE", object=CHANGED, oldObject=POD),
            in_cel("object.metadata.labels.app == oldObject.metadata.labels.app"),
            ["fail"],
        ),
        (review("DELETE", object=None, oldObject=POD), in_cel("object == null && oldObject.kind == 'Pod'"), ["pass"]),
        (review("DELETE", object=None), in_cel("request.name != 'web'"), ["fail"]),
        (EXEC, in_cel("false"), []),
        (EXEC, in_cel("object.command == ['sh'] && request.subResource == 'exec'", resources=("pods/exec",)), ["pass"]),
        (EXEC, in_cel("false", resources=("pods/*",)), ["fail"]),
        (EXEC, in_cel("false", resources=("*",)), []),
        (SCALE, in_cel("object.spec.replicas < 5", resources=("deployments/scale",)), ["fail"]),
        (SCALE, in_cel("false", resources=("deployments",)), []),
        (EXEC, of_kyverno({"kinds": ["Pod/exec"]}, validate={"deny": {}, "message": "no"}), ["fail"]),
        (EXEC, of_kyverno({"kinds": ["Pod"]}, validate={"deny": {}, "message": "no"}), []),
        (review(subResource="ephemeralcontainers"), of_kyverno({"kinds": ["Pod"]}, validate={"deny": {}}), ["fail"]),
        (review(), of_kyverno({"kinds": ["Pod"], "operations": ["DELETE"]}, validate={"deny": {}}), []),
        (review(namespace="other"), of_kyverno({"kinds": ["Pod"], "namespaces": ["shop"]}, validate={"deny": {}}), []),
    ],
)
def test_policies_see_what_the_cluster_says(
    document: dict[str, Any], policy: dict[str, Any], outcomes: list[str]
) -> None:
    """Who asks, what for, what was there before, and which part of an object it is about."""
    assert judged(document, policy) == outcomes


def test_a_namespace_is_in_none() -> None:
    """The cluster names it as its own."""
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"team": "a"}}}
    kind = {"group": "", "version": "v1", "kind": "Namespace"}
    resource = {"group": "", "version": "v1", "resource": "namespaces"}
    document = review(object=space, kind=kind, resource=resource, name="shop")
    policy = in_cel("namespaceObject == null", resources=("namespaces",))
    policy["spec"]["matchConstraints"]["namespaceSelector"] = {"matchLabels": {"team": "a"}}
    assert judged(document, policy) == ["pass"]


def row(outcome: Outcome, action: str = "Enforce", message: str = "words") -> Result:
    return Result("p", "r", "shop/Pod/web", outcome, message, action)


@pytest.mark.parametrize(
    ("rows", "closed", "opened", "said"),
    [
        ((row(Outcome.PASS), row(Outcome.SKIP)), True, True, 0),
        ((row(Outcome.FAIL), row(Outcome.PASS)), False, False, 0),
        ((row(Outcome.ERROR),), False, True, 1),
        ((row(Outcome.FAIL), row(Outcome.ERROR)), False, False, 0),
        ((row(Outcome.FAIL, "Audit"), row(Outcome.WARN)), True, True, 2),
        ((row(Outcome.ERROR, "Audit"),), True, True, 1),
    ],
)
def test_what_is_let_in_and_what_is_said(rows: tuple[Result, ...], closed: bool, opened: bool, said: int) -> None:  # noqa: FBT001
    """An audit refuses nothing; failing open lets in what cannot be checked, and never what fails."""
    answers = [review_answer("u", decide(rows), fails_open=way)["response"] for way in (False, True)]
    assert [each["allowed"] for each in answers] == [closed, opened]
    assert [each["uid"] for each in answers] == ["u", "u"]
    assert len(answers[1].get("warnings", ())) == said
    for each in answers:
        if not each["allowed"]:
            assert each["status"]["code"] == 403
            assert "p/r: words" in each["status"]["message"]


def test_answers_have_the_length_that_a_cluster_takes() -> None:
    """In one line."""
    rows = [row(Outcome.WARN, message="a\nb" * 1000)] * 50
    warnings = review_answer("u", decide(rows), fails_open=False)["response"]["warnings"]
    assert (len(warnings), {len(each) for each in warnings}) == (10, {250})
    assert "\n" not in "".join(warnings)


def without(key: str) -> dict[str, Any]:
    document = review()
    del document["request"][key]
    return document


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {**review(), "apiVersion": "admission.k8s.io/v1beta1"},
        {**review(), "request": None},
        review("READ"),
        review(uid=""),
        review(uid=1),
        review(object=[]),
        review(userInfo="x"),
        review(name="x" * 1000),
        review(kind={"group": "", "version": "v1"}),
        *(without(key) for key in ("uid", "kind", "resource", "operation", "userInfo")),
    ],
)
def test_what_is_no_review_is_refused(document: Any) -> None:
    """With words; nothing is made up in place of what is not said."""
    with pytest.raises(InvalidValue):
        read_review(json.dumps(document).encode())


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 5000, b'{"a":' * 200 + b"1" + b"}" * 200, b"NaN"])
def test_rubbish_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidValue):
        read_review(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["metadata", "spec", "x"]), inner),
    max_leaves=10,
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["object", "oldObject", "userInfo", "namespace", "kind", "metadata"]), JSON)
def test_whatever_is_said_there_is_an_answer_or_a_refusal(key: str, value: Any) -> None:
    """No other end."""
    document = copy.deepcopy(review())
    if key == "metadata":
        document["request"]["object"]["metadata"] = value
    else:
        document["request"][key] = value
    policies = compile_policies(
        [in_cel("object.spec.x == oldObject.spec.x"), of_kyverno({"kinds": ["*"]}, validate={"deny": {}})]
    )
    try:
        admission = admission_of(read_review(json.dumps(document).encode()), NOWHERE)
    except InvalidValue:
        return
    review_answer("u", decide(judge(policies, admission)), fails_open=False)


@pytest.mark.parametrize(
    ("policy", "rules"),
    [
        (in_cel("true"), [("*", "*", ["pods"])]),
        (in_cel("true", resources=("pods", "*")), [("*", "*", ["*"])]),
        (of_kyverno({"kinds": ["Service", "v1/ConfigMap"]}, validate={"deny": {}}), [
            ("", "*", ["services"]), ("", "v1", ["configmaps"])
        ]),
        (of_kyverno({"kinds": ["Widget"]}, validate={"deny": {}}), [("*", "*", ["*/*"])]),
        (of_kyverno({"namespaces": ["x"]}, validate={"deny": {}}), [("*", "*", ["*/*"])]),
    ],
)  # fmt: skip
def test_a_cluster_is_told_to_ask_about_what_policies_are_about(policy: dict[str, Any], rules: Any) -> None:
    """About everything where a kind is not known."""
    found = watched(compile_policies([policy]), surroundings(()).kinds)
    assert [(each["apiGroups"][0], each["apiVersions"][0], each["resources"]) for each in found] == rules


def test_what_makes_pods_is_asked_about_with_them() -> None:
    """And containers that are put into running ones."""
    policy = of_kyverno({"kinds": ["Pod"]}, validate={"pattern": {"spec": {"x": "y"}}})
    found = watched(compile_policies([policy]), surroundings(()).kinds)
    names = {name for rule in found for name in rule["resources"]}
    assert names >= {"pods", "pods/ephemeralcontainers", "deployments", "cronjobs", "replicationcontrollers"}
    assert all(rule["operations"] == ["*"] for rule in found)
