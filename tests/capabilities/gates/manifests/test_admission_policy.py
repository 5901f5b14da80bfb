"""ValidatingAdmissionPolicy with bindings and parameters, and the safe side where something is not known."""

from __future__ import annotations

from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it ships no types

from shipline.capabilities.gates.manifests.resources import Admission, Resource, settled, surroundings
from shipline.capabilities.gates.manifests.results import Result
from shipline.capabilities.gates.manifests.rules import compile_policies, judge_all
from shipline.domain.errors import InvalidValue

# Source: the Kubernetes documentation, "Validating Admission Policy" (CC BY 4.0), its examples.
BASIC = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: demo-policy.example.com}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}
  validations:
    - expression: "object.spec.replicas <= 5"
"""
PARAMETRIC = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: replicalimit-policy.example.com}
spec:
  failurePolicy: Fail
  paramKind: {apiVersion: rules.example.com/v1, kind: ReplicaLimit}
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}
  validations:
    - expression: "object.spec.replicas <= params.maxReplicas"
      messageExpression: "'at most ' + string(params.maxReplicas)"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: replicalimit-binding-test.example.com}
spec:
  policyName: replicalimit-policy.example.com
  validationActions: [Deny]
  paramRef: {name: replica-limit-test.example.com, namespace: default}
  matchResources:
    namespaceSelector: {matchLabels: {environment: test}}
"""
ENVIRONMENT = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: image-matches-namespace-environment.policy.example.com}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}
  variables:
  - name: environment
    expression: >-
      'environment' in namespaceObject.metadata.labels ? namespaceObject.metadata.labels['environment'] : 'prod'
  - name: exempt
    expression: "'exempt' in object.metadata.labels && object.metadata.labels['exempt'] == 'true'"
  - name: containers
    expression: "object.spec.template.spec.containers"
  - name: containersToCheck
    expression: "variables.containers.filter(c, c.image.contains('example.com'))"
  validations:
  - expression: >-
      variables.exempt || variables.containersToCheck.all(c, c.image.startsWith(variables.environment + '.'))
    messageExpression: >-
      'only ' + variables.environment + ' images are allowed in namespace ' + namespaceObject.metadata.name
"""
LIMIT = """
apiVersion: rules.example.com/v1
kind: ReplicaLimit
metadata: {name: replica-limit-test.example.com, namespace: default}
maxReplicas: 3
"""
NAMESPACES = """
apiVersion: v1
kind: Namespace
metadata: {name: testing, labels: {environment: test}}
---
apiVersion: v1
kind: Namespace
metadata: {name: live, labels: {environment: live}}
"""


def deployment(replicas: int, namespace: str = "testing", **metadata: Any) -> dict[str, Any]:
    about = {"name": "web", "namespace": namespace, **metadata}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": about, "spec": {"replicas": replicas}}


def asked(policies: str, *manifests: dict[str, Any], beside: str = "", **admission: Any) -> tuple[Result, ...]:
    """The rows for manifests, with documents beside them that nobody asks about."""
    documents = [each for each in yaml.safe_load_all(policies) if each]
    others = [Resource(each) for each in yaml.safe_load_all(beside) if each]
    resources = [Resource(each) for each in manifests]
    around = surroundings((*others, *resources))
    settled_all = [settled(each, around.kinds, "default") for each in resources]
    return judge_all(compile_policies(documents), [Admission(each, around, **admission) for each in settled_all])


def outcomes(*arguments: Any, **more: Any) -> list[str]:
    return [row.outcome.value for row in asked(*arguments, **more)]


def edited(policy: str, old: str, new: str) -> str:
    assert old in policy
    return policy.replace(old, new)


def test_a_policy_without_a_binding_is_asked_of_what_it_is_about() -> None:
    """One row a resource, with the words of the policy; nothing for another kind."""
    rows = asked(BASIC, deployment(5), deployment(6), {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}})
    assert [(row.rule, row.resource, row.outcome.value) for row in rows] == [
        ("demo-policy.example.com", "testing/Deployment/web", "pass"),
        ("demo-policy.example.com", "testing/Deployment/web", "fail"),
    ]
    assert rows[1].message == "failed expression: object.spec.replicas <= 5"


def test_a_binding_narrows_down_and_brings_parameters() -> None:
    """By the labels of the namespace; another namespace is not its business."""
    beside = LIMIT + "---" + NAMESPACES
    rows = asked(PARAMETRIC, deployment(3), deployment(4), deployment(9, "live"), beside=beside)
    assert [(row.outcome.value, row.message) for row in rows] == [("pass", ""), ("fail", "at most 3")]


def test_what_is_not_known_is_an_error() -> None:
    """Labels of a namespace that was not given, and a parameter that was not."""
    assert outcomes(PARAMETRIC, deployment(3), beside=LIMIT) == ["error"]
    assert outcomes(PARAMETRIC, deployment(3), beside=NAMESPACES) == ["error"]
    allowed = edited(PARAMETRIC, "namespace: default}", "namespace: default, parameterNotFoundAction: Allow}")
    assert outcomes(allowed, deployment(9), beside=NAMESPACES) == []


def test_conditions_leave_out_or_block() -> None:
    """A false one skips, whatever another says; one without an answer is an error, also with failurePolicy Ignore."""
    conditions = "matchConditions: [{name: a, expression: %s}, {name: b, expression: object.spec.none == 1}]\n"
    for first, outcome in (("object.spec.replicas > 100", "skip"), ("object.spec.replicas > 1", "error")):
        policy = edited(BASIC, "failurePolicy: Fail\n", "failurePolicy: Ignore\n  " + conditions % f"'{first}'")
        assert outcomes(policy, deployment(6)) == [outcome]


def test_variables_see_the_namespace() -> None:
    """Where its manifest is there; else nothing is known of it."""
    web = deployment(1, labels={"app": "web"})
    for image, outcome in (("test.example.com/a", "pass"), ("prod.example.com/a", "fail"), ("other.io/a", "pass")):
        web["spec"]["template"] = {"spec": {"containers": [{"name": "a", "image": image}]}}
        assert outcomes(ENVIRONMENT, web, beside=NAMESPACES) == [outcome]
    web["spec"]["template"]["spec"]["containers"][0]["image"] = "live.example.com/a"
    rows = asked(ENVIRONMENT, web, beside=NAMESPACES)
    assert rows[0].message == "only test images are allowed in namespace testing"
    assert outcomes(ENVIRONMENT, web) == ["error"]


def test_audit_fails_too_and_says_what_a_cluster_would_do() -> None:
    """As Kyverno's reports have it; a policy that is not scored warns."""
    binding = "---\n" + edited(PARAMETRIC.split("---")[1], "replicalimit-policy", "demo-policy")
    binding = binding.replace("[Deny]", "[Audit]").split("  paramRef")[0]
    rows = asked(BASIC + binding, deployment(6))
    assert [(row.outcome.value, row.action) for row in rows] == [("fail", "Audit")]
    unscored = edited(BASIC, "{name: demo", "{annotations: {policies.kyverno.io/scored: 'false'}, name: demo")
    assert outcomes(unscored, deployment(6)) == ["warn"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("object.spec.replicas <= 5", "url(object.spec.x).getHost() == ''", "the function url() in CEL"),
        ("object.spec.replicas <= 5", "object.metadata.name.startWith('demo')", "the function startWith() in CEL"),
        ("  validations:", "  newFeature: true\n  validations:", "spec.newFeature"),
        ("resources: [deployments]", "resources: [deployments], more: 1", "more in matchConstraints"),
        ("operations: [CREATE, UPDATE], ", "", "a rule of matchConstraints without"),
        ("apiVersions: [v1]", "apiVersions: [v1beta1]", "the conversion of Deployment from v1 to v1beta1"),
    ],
)
def test_what_is_not_evaluated_blocks_by_its_name(old: str, new: str, words: str) -> None:
    """Also where the policy would pass without it."""
    rows = asked(edited(BASIC, old, new), deployment(1))
    assert [row.outcome.value for row in rows] == ["error"]
    assert words in rows[0].message


def test_a_refused_policy_is_told_where_it_is_about_nothing() -> None:
    """A row without a resource."""
    refused = edited(BASIC, "object.spec.replicas <= 5", "authorizer.x()")
    rows = asked(refused, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}})
    assert [(row.resource, row.outcome.value) for row in rows] == [("", "error")]
    assert "authorizer" in rows[0].message


def test_rules_choose_by_operation_scope_name_and_labels() -> None:
    """Exclusion wins; a subresource is another request."""
    assert outcomes(BASIC, deployment(6), operation="DELETE", old=deployment(6)) == []
    for more in ("scope: Cluster", "resourceNames: [other]"):
        assert (
            outcomes(edited(BASIC, "resources: [deployments]", f"resources: [deployments], {more}"), deployment(6))
            == []
        )
    assert outcomes(edited(BASIC, "[deployments]", "[deployments/scale]"), deployment(6)) == []
    assert outcomes(edited(BASIC, "[deployments]", "['*/*']"), deployment(6)) == ["fail"]
    selector = (
        "    objectSelector: {matchExpressions: [{key: app, operator: NotIn, values: [old]}]}\n    resourceRules:"
    )
    chosen = edited(BASIC, "    resourceRules:", selector)
    assert outcomes(chosen, deployment(6, labels={"app": "old"}), deployment(6)) == ["fail"]
    rule = "{apiGroups: [apps], apiVersions: [v1], operations: ['*'], resources: [deployments], resourceNames: [web]}"
    assert (
        outcomes(
            edited(BASIC, "    resourceRules:", f"    excludeResourceRules: [{rule}]\n    resourceRules:"),
            deployment(6),
        )
        == []
    )


def test_the_old_object_and_the_user_are_those_of_the_request() -> None:
    """As a webhook would hand them in."""
    policy = edited(
        BASIC, "object.spec.replicas <= 5", "oldObject == null || object.spec.replicas <= oldObject.spec.replicas"
    )
    assert outcomes(policy, deployment(6)) == ["pass"]
    assert outcomes(policy, deployment(6), operation="UPDATE", old=deployment(5)) == ["fail"]
    of_user = edited(BASIC, "object.spec.replicas <= 5", "request.userInfo.username == 'a'")
    assert outcomes(of_user, deployment(6)) == ["error"]
    assert outcomes(of_user, deployment(6), user={"username": "a"}) == ["pass"]


def test_policies_do_not_judge_policies_and_names_are_told_apart() -> None:
    """A policy given twice, and a binding without its policy, are mistakes."""
    with pytest.raises(InvalidValue, match="two policies"):
        asked(f"{BASIC}---{BASIC}")
    with pytest.raises(InvalidValue, match="was not given"):
        asked(PARAMETRIC.split("---")[1])
    everything = edited(edited(BASIC, "[deployments]", "['*']"), "[apps]", "['*']")
    assert outcomes(everything, *yaml.safe_load_all(BASIC)) == []


@pytest.mark.parametrize(
    ("resources", "more", "excluded", "outcome"),
    [
        (["widgets"], {}, [], "fail"),
        (["widgetry"], {}, [], "error"),
        (["pods"], {}, [], None),
        (["pods", "*"], {}, [], "fail"),
        (["widgets"], {"scope": "Cluster"}, [], "error"),
        (["*"], {}, ["widgets"], "error"),
        (["*"], {}, ["widgetry"], "fail"),
        (["*"], {}, ["pods"], "fail"),
    ],
)
@pytest.mark.parametrize("defined", [False, True])
def test_a_guessed_plural_draws_in_and_lets_nothing_out(
    resources: list[str], more: dict[str, str], excluded: list[str], outcome: str | None, *, defined: bool
) -> None:
    """Where it decides and may be another, the definition is asked for; with that nothing is guessed."""
    widget = {"apiVersion": "x.io/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "shop"}}
    names = {"kind": "Widget", "plural": "widgetry"}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgetry.x.io"},
        "spec": {"group": "x.io", "names": names, "scope": "Namespaced"},
    }
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"]}
    constraints: dict[str, Any] = {"resourceRules": [{**rule, "resources": resources, **more}]}
    if excluded:
        constraints["excludeResourceRules"] = [{**rule, "resources": excluded}]
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "p"},
        "spec": {"matchConstraints": constraints, "validations": [{"expression": "false"}]},
    }
    around = surroundings(Resource(each) for each in ([definition] if defined else []))
    rows = judge_all(compile_policies([policy]), [Admission(Resource(widget), around)])
    found = rows[0].outcome.value if rows else None
    if not defined:
        assert found == outcome
    else:
        named = {"widgetry", "*"} & set(resources) and more.get("scope") != "Cluster" and "widgetry" not in excluded
        assert found == ("fail" if named else None)
