"""Kyverno's rules one by one: anchors, values, operators, variables, lists, what is refused, and the safe side."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from shipline.capabilities.gates.manifests.kyverno.operators import operator_named
from shipline.capabilities.gates.manifests.kyverno.patterns import match_pattern
from shipline.capabilities.gates.manifests.kyverno.scalars import fits
from shipline.capabilities.gates.manifests.resources import Admission, Resource, settled, surroundings
from shipline.capabilities.gates.manifests.results import Result
from shipline.capabilities.gates.manifests.rules import compile_policies, judge_all
from shipline.capabilities.gates.manifests.wildcards import matches

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "labels": {"app": "web", "team.io/x": "a"},
        "annotations": {"n": "1"},
    },
    "spec": {
        "containers": [
            {"name": "a", "image": "registry.example/a:1", "resources": {"limits": {"memory": "1Gi"}}},
            {"name": "b", "image": "b", "securityContext": {"privileged": True}},
        ]
    },
}
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"template": {"metadata": {}, "spec": POD["spec"]}},
}
PODS = {"any": [{"resources": {"kinds": ["Pod"]}}]}


def policy(validate: dict[str, Any], **rule: Any) -> dict[str, Any]:
    spec = {"rules": [{"name": "r", "match": PODS, "validate": validate, **rule}]}
    return {"apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": {"name": "p"}, "spec": spec}


def asked(
    document: dict[str, Any], resource: dict[str, Any] = POD, *beside: dict[str, Any], **more: Any
) -> tuple[Result, ...]:
    around = surroundings(Resource(each) for each in (resource, *beside))
    judged = settled(Resource(resource), around.kinds, "default")
    return judge_all(compile_policies([document]), [Admission(judged, around, **more)])


def outcome(document: dict[str, Any], resource: dict[str, Any] = POD, *beside: dict[str, Any], **more: Any) -> str:
    rows = asked(document, resource, *beside, **more)
    assert len(rows) == 1
    return rows[0].outcome.value


def deny(key: Any, operator: str, value: Any, **rule: Any) -> dict[str, Any]:
    return policy({"deny": {"conditions": {"any": [{"key": key, "operator": operator, "value": value}]}}}, **rule)


@pytest.mark.parametrize(
    ("pattern", "result"),
    [
        ({"metadata": {"labels": {"app": "?eb"}}}, "pass"),
        ({"metadata": {"labels": {"app": "*"}}}, "pass"),
        ({"metadata": {"labels": {"none": "*"}}}, "fail"),
        ({"metadata": {"labels": {"team.io/*": "a"}}}, "pass"),
        ({"metadata": {"annotations": {"n": 1}}}, "pass"),
        ({"spec": {"containers": [{"image": "*:*"}]}}, "fail"),
        ({"spec": {"containers": [{"(name)": "a", "image": "*:*"}]}}, "pass"),
        ({"spec": {"containers": [{"(name)": "z", "image": "*:*"}]}}, "skip"),
        ({"spec": {"containers": [{"=(securityContext)": {"=(privileged)": "false"}}]}}, "fail"),
        ({"spec": {"containers": [{"X(securityContext)": "null"}]}}, "fail"),
        ({"spec": {"X(initContainers)": "null"}}, "pass"),
        ({"spec": {"^(containers)": [{"image": "registry.example/*"}]}}, "pass"),
        ({"spec": {"^(containers)": [{"image": "other/*"}]}}, "fail"),
        ({"spec": {"=(initContainers)": [{"image": "*:*"}]}}, "pass"),
        ({"metadata": {"labels": {"<(app)": "web"}}, "spec": {"hostNetwork": True}}, "fail"),
        ({"metadata": {"labels": {"<(app)": "other"}}, "spec": {"hostNetwork": True}}, "skip"),
        ({"spec": {"containers": []}}, "fail"),
        ({"spec": "text"}, "fail"),
    ],
)
def test_patterns_and_their_anchors(pattern: dict[str, Any], result: str) -> None:
    """Source: Kyverno's documentation, "Validate Resources", "Anchors"."""
    assert match_pattern(POD, pattern)[0].value == result
    assert outcome(policy({"pattern": pattern})) == result


@pytest.mark.parametrize(
    ("value", "pattern", "answer"),
    [
        ("nginx:latest", "!*:latest", False),
        (5, ">3 & <10", True),
        (5, "1-4 | 5", True),
        ("512Mi", "<= 1Gi", True),
        ("128Mi", "64Mi-1Gi", True),
        (3, "1!-5", False),
        ("90s", ">1m", True),
        (None, None, True),
        ("", None, True),
        (True, "true", True),
        (True, True, True),
        ("true", True, False),
        (None, ">1", False),
        (1.0, 1, True),
        ("1", 1, True),
        ("a", ">1", False),
        ("80", 80.0, True),
    ],
)
def test_values_against_patterns(value: Any, pattern: Any, answer: bool) -> None:  # noqa: FBT001 - a table
    """Source: Kyverno's documentation, "Operators" and "Wildcards"."""
    assert fits(value, pattern) is answer


@pytest.mark.parametrize(
    ("key", "name", "value", "answer"),
    [
        ("a", "Equals", "?", True),
        ("1Gi", "Equals", "1024Mi", True),
        ("1h", "Equals", 3600, True),
        (5, "equals", "5", True),
        (None, "Equals", None, False),
        (None, "NotEquals", "a", False),
        ({"a": [1]}, "Equals", {"a": [1]}, True),
        (["a", "b"], "AnyIn", ["b", "c"], True),
        (["a", "b"], "AllIn", ["a", "b*"], True),
        (["a", "b"], "AllIn", ["a"], False),
        (["a", "b"], "AnyNotIn", ["a"], True),
        (["a", "b"], "AllNotIn", ["a"], False),
        (["a"], "AllNotIn", ["z"], True),
        ("a", "AnyIn", '["a", "b"]', True),
        (8, "AnyIn", "1-10", True),
        (80, "AnyIn", 80, False),
        ([80], "AnyIn", 80, True),
        ([80], "AllNotIn", "80", False),
        ("a", "In", ["a"], True),
        (["a"], "NotIn", ["b"], True),
        (["a", "b"], "NotIn", ["a"], True),
        (3, "GreaterThan", 2, True),
        ("200Mi", "LessThanOrEquals", "1Gi", True),
        ("1.2.3", "LessThan", "1.10.0", True),
        ("30m", "GreaterThanOrEquals", "0.5h", True),
        ("a", "GreaterThan", 1, False),
        ("1h", "DurationGreaterThan", 3599, True),
        ("x", "DurationLessThan", 1, False),
    ],
)
def test_operators(key: Any, name: str, value: Any, answer: bool) -> None:  # noqa: FBT001 - a table
    """Source: Kyverno's documentation, "Preconditions", and its `pkg/engine/variables/operator`."""
    assert operator_named(name)(key, value) is answer


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("{{ request.object.metadata.name }}", "web"),
        ("{{ request.operation }}/{{ request.namespace }}", "CREATE/shop"),
        ("{{ request.object.spec.containers[?name=='a'].image | [0] }}", "registry.example/a:1"),
        ("{{ request.object.metadata.none || 'default' }}", "default"),
        (
            "{{ images.containers.b.registry }}/{{ images.containers.b.path }}:{{ images.containers.b.tag }}",
            "docker.io/b:latest",
        ),
        ("{{ request.object.metadata.{{ 'name' }} }}", "web"),
        ("{{ length(request.object.spec.containers) }}", 2),
        ("{{ to_string(request.object.metadata.labels) }}", '{"app":"web","team.io/x":"a"}'),
        ("{{ add('1Gi', '512Mi') }}", "1536Mi"),
        ("{{ regex_match('^w.b$', request.object.metadata.name) }}", True),
        ("{{ items(request.object.metadata.annotations, 'k', 'v') }}", [{"k": "n", "v": "1"}]),
        ("{{ parse_yaml('a: yes').a }}", True),
        ("{{ split('a,b', ',') | join('-', @) }}", "a-b"),
        ("\\{{ left }}", "?? left }}"),
    ],
)
def test_variables_are_looked_up(key: str, value: Any) -> None:
    """In JMESPath; a text that is one variable keeps its type."""
    assert outcome(deny(key, "Equals", value)) == "fail"
    assert outcome(deny(key, "NotEquals", value)) == "pass"


@pytest.mark.parametrize(
    "resource",
    [
        {"stringData": {"password": "hunter2"}},
        {"spec": {"containers": [{"env": [{"name": "TOKEN", "value": "hunter2"}]}]}},
        {"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "hunter2"}}},
    ],
)
def test_a_message_keeps_what_may_be_secret(resource: dict[str, Any]) -> None:
    """It says where, and what was wanted."""
    result, words = match_pattern(resource, _wanting(resource))
    assert result.value == "fail"
    assert "hunter2" not in words
    assert "'vault:*'" in words


def _wanting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _wanting(each) for key, each in value.items()}
    return [_wanting(each) for each in value] if isinstance(value, list) else "*" if value == "TOKEN" else "vault:*"


def test_a_key_that_is_not_there_is_an_error() -> None:
    """Unless the expression allows for it; also in a pattern, and where the type is wrong."""
    for key in ("{{ request.object.spec.none }}", "{{ request.userInfo.username }}", "{{ length(`1`) }}"):
        assert outcome(deny(key, "Equals", "a")) == "error"
    assert outcome(policy({"pattern": {"metadata": {"name": "{{ request.object.spec.none }}"}}})) == "error"
    assert (
        outcome(deny("a", "Equals", "a", preconditions={"all": [{"key": "{{ x }}", "operator": "Equals", "value": 1}]}))
        == "error"
    )


def test_what_a_resource_writes_is_no_variable() -> None:
    """Kyverno would look it up."""
    resource = {**POD, "metadata": {**POD["metadata"], "annotations": {"n": "{{ request.namespace }}"}}}
    assert outcome(deny("a {{ request.object.metadata.annotations.n }}", "Equals", "a shop"), resource) == "pass"


def test_lists_are_looked_at_element_by_element() -> None:
    """Those that preconditions leave out do not count; without any element the rule is skipped."""
    each: dict[str, Any] = {"list": "request.object.spec.containers", "pattern": {"image": "*:*"}}
    assert outcome(policy({"foreach": [each]})) == "fail"
    only = {"all": [{"key": "{{ element.name }}", "operator": "Equals", "value": "a"}]}
    assert outcome(policy({"foreach": [{**each, "preconditions": only}]})) == "pass"
    none = {"list": "request.object.spec.initContainers", "pattern": {"image": "*:*"}}
    assert outcome(policy({"foreach": [none]})) == "skip"
    nested = {
        "list": "keys(element)",
        "deny": {"conditions": {"any": [{"key": "{{ element1 }}", "operator": "Equals", "value": "image"}]}},
    }
    assert outcome(policy({"foreach": [{"list": "request.object.spec.containers", "foreach": [nested]}]})) == "fail"


def test_any_pattern_needs_one() -> None:
    """All that skip skip the rule."""
    fitting, other = {"metadata": {"name": "web"}}, {"metadata": {"name": "x"}}
    assert outcome(policy({"anyPattern": [other, fitting]})) == "pass"
    assert outcome(policy({"anyPattern": [other, other]})) == "fail"
    assert outcome(policy({"anyPattern": [{"spec": {"(none)": "a"}}]})) == "skip"


def test_rules_about_pods_are_made_for_what_makes_pods() -> None:
    """By the name that Kyverno gives them; not where the policy says so, or picks pods by name."""
    document = policy({"pattern": {"spec": {"containers": [{"image": "*:*"}]}}})
    rows = asked(document, DEPLOYMENT)
    assert [(row.rule, row.outcome.value) for row in rows] == [("autogen-r", "fail")]
    job = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "j"},
        "spec": {"jobTemplate": {"spec": DEPLOYMENT["spec"]}},
    }
    assert [row.rule for row in asked(document, job)] == ["autogen-cronjob-r"]
    assert outcome(deny("{{ request.object.spec.containers[0].name }}", "Equals", "a"), DEPLOYMENT) == "fail"
    document["metadata"]["annotations"] = {"pod-policies.kyverno.io/autogen-controllers": "none"}
    assert asked(document, DEPLOYMENT) == ()
    named = policy({"pattern": {"spec": {}}}, match={"any": [{"resources": {"kinds": ["Pod"], "name": "w*"}}]})
    assert asked(named, DEPLOYMENT) == ()


@pytest.mark.parametrize(
    ("match", "is_about"),
    [
        ({"any": [{"resources": {"kinds": ["v1/Pod"], "namespaces": ["sh*"]}}]}, True),
        ({"any": [{"resources": {"kinds": ["apps/v1/Pod"]}}, {"resources": {"kinds": ["*"]}}]}, True),
        ({"all": [{"resources": {"kinds": ["Pod"]}}, {"resources": {"names": ["x"]}}]}, False),
        ({"any": [{"resources": {"kinds": ["Pod/exec"]}}]}, False),
        ({"resources": {"kinds": ["Pod"], "selector": {"matchLabels": {"team.io/?": "*"}}}}, True),
        ({"any": [{"resources": {"kinds": ["Pod"], "operations": ["UPDATE"]}}]}, False),
        ({"any": [{"resources": {"kinds": ["Pod"], "annotations": {"n": "2"}}}]}, False),
        ({"any": [{"resources": {"kinds": ["Pod"]}, "subjects": [{"kind": "User", "name": "a"}]}]}, True),
        ({"any": [{"subjects": [{"kind": "User", "name": "a"}]}]}, True),
        ({"all": [{"resources": {"kinds": ["Pod"]}}, {"subjects": [{"kind": "User", "name": "a"}]}]}, True),
        ({"all": [{"resources": {"kinds": ["Job"]}}, {"subjects": [{"kind": "User", "name": "a"}]}]}, False),
    ],
)
def test_what_a_rule_is_about(match: dict[str, Any], is_about: bool) -> None:  # noqa: FBT001 - a table
    """By kind, names, namespaces, labels, annotations and operation. Who asks is not known in files."""
    assert (asked(policy({"pattern": {"kind": "Pod"}}, match=match)) != ()) is is_about


def test_exclusion_by_who_asks_excludes_nobody_in_files() -> None:
    """A webhook knows who asks."""
    exclude = {"any": [{"subjects": [{"kind": "Group", "name": "system:*"}]}]}
    document = policy({"pattern": {"kind": "Pod"}}, exclude=exclude)
    assert outcome(document) == "pass"
    assert asked(document, user={"username": "a", "groups": ["system:nodes"]}) == ()


def test_a_config_map_is_taken_from_the_files_or_missed() -> None:
    """A default does not stand for one that was not given."""
    context = [
        {"name": "names", "configMap": {"name": "allowed", "namespace": "shop"}},
        {"name": "list", "variable": {"jmesPath": "names.data.list", "default": "web"}},
    ]
    document = deny("{{ request.object.metadata.name }}", "NotEquals", "{{ list }}", context=context)
    assert outcome(document) == "error"
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "allowed", "namespace": "shop"},
        "data": {"list": "x"},
    }
    assert outcome(document, POD, config) == "fail"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"validate": {"podSecurity": {"level": "baseline"}}}, "podSecurity"),
        ({"validate": {"manifests": {}}}, "manifests"),
        ({"validate": None, "verifyImages": [{"imageReferences": ["*"]}]}, "verifyImages without attestors"),
        ({"validate": {"pattern": {"metadata": {"+(x)": "a"}}}}, "the anchor"),
        ({"validate": {"pattern": {"metadata": {"name": "$(./../x)"}}}}, "the reference"),
        (
            {"validate": {"pattern": {"metadata": {"name": "{{ time_now_utc() }}"}}}},
            "the function time_now_utc() in JMESPath",
        ),
        ({"validate": {"pattern": {"metadata": {"name": "{{@}}"}}}}, "the variable {{@}}"),
        (
            {"validate": {"deny": {"conditions": {"any": [{"key": "a", "operator": "Like", "value": "a"}]}}}},
            "the operator 'Like'",
        ),
        ({"validate": {"cel": {"expressions": [{"expression": "resource.Get('') == ''"}]}}}, "resource.Get()"),
        ({"validate": {"pattern": {}, "newFeature": 1}}, "newFeature of validate"),
        ({"validate": None, "validation": {"pattern": {}}}, "validation of a rule"),
        ({"validate": None}, "checks nothing"),
        ({"match": {"any": [{"resources": {"kinds": ["Pod"], "moon": "full"}}]}}, "moon in match"),
        (
            {"validate": {"pattern": {"metadata": {"name": "{{ x }}"}}}, "context": [{"name": "x", "apiCall": {}}]},
            "the context entry apiCall",
        ),
    ],
)
def test_what_is_not_evaluated_blocks_by_its_name(rule: dict[str, Any], words: str) -> None:
    """In a row that says so."""
    document = policy({"pattern": {"kind": "Pod"}})
    document["spec"]["rules"][0].update({"name": "r", **rule})
    rows = asked(document)
    assert [row.outcome.value for row in rows] == ["error"]
    assert words in rows[0].message


def test_rules_that_change_are_noted_and_policies_of_other_kinds_named() -> None:
    """They check nothing; what exempts from others is refused."""
    document = policy({"pattern": {"kind": "Pod"}})
    document["spec"]["rules"].append({"name": "m", "match": PODS, "mutate": {"patchStrategicMerge": {}}})
    found = compile_policies(
        [document, {"apiVersion": "policies.kyverno.io/v1", "kind": "MutatingPolicy", "metadata": {"name": "m"}}]
    )
    assert [note.about for note in found.notes] == ["MutatingPolicy/m", "p/m"]
    except_ = {"apiVersion": "policies.kyverno.io/v1", "kind": "PolicyException", "metadata": {"name": "i"}}
    assert ["PolicyException" in row.message for row in compile_policies([except_]).refusals] == [True]


def test_a_refused_policy_in_cel_blocks_what_makes_pods_too() -> None:
    """Its rule about pods would have been made for them."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    spec = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": "image.GetMetadata('a') == 1"}],
    }
    document = {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "ValidatingPolicy",
        "metadata": {"name": "v"},
        "spec": spec,
    }
    assert [outcome(document, each) for each in (POD, DEPLOYMENT)] == ["error", "error"]


def test_stars_take_no_time() -> None:
    """A pattern of an attacker against a name of his; Kyverno's takes exponential time."""
    assert not matches("*a" * 60 + "b", "a" * 5000)
    assert fits("a" * 5000, "*a" * 60 + "b") is False


@pytest.mark.parametrize(
    ("place", "junk"),
    [
        (("spec", "rules"), "x"),
        (("spec", "rules", 0), None),
        (("spec", "rules", 0, "match"), []),
        (("spec", "rules", 0, "match", "any", 0), "Pod"),
        (("spec", "rules", 0, "match", "any", 0, "resources"), [1]),
        (("spec", "rules", 0, "validate"), "x"),
        (("spec", "rules", 0, "validate", "pattern"), 7),
        (("metadata", "annotations"), ["a"]),
    ],
)
def test_a_policy_without_form_blocks(place: tuple[Any, ...], junk: Any) -> None:
    """No form of it is a crash, and none passes."""
    document = copy.deepcopy(policy({"pattern": {"kind": "Pod"}}))
    document["metadata"]["annotations"] = {}
    inner: Any = document
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = junk
    assert {row.outcome.value for row in asked(document)} <= {"error", "fail"}
    assert asked(document)


@pytest.mark.parametrize(
    "key",
    [
        "{{ to_upper(request.object.data) }}",
        "{{ sum(request.object.data.secret) }}",
        "{{ to_boolean(request.object.data.secret) }}",
        "{{ add(request.object.data.secret, `1`) }}",
        "{{ parse_json(request.object.data.secret) }}",
        "{{ parse_yaml(request.object.data.broken) }}",
        "{{ base64_decode(request.object.data.secret) }}",
        "{{ image_normalize(request.object.data.broken) }}",
        "{{ regex_match(request.object.data.broken, 'a') }}",
        "{{ request.object.data.{{ request.object.data.secret }} }}",
        "{{ {{ request.object.data.broken }} }}",
    ],
)
def test_what_went_wrong_is_told_without_the_value(key: str) -> None:
    """Neither what a library quotes nor an expression that was put together with it."""
    secret = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s", "namespace": "shop"}}
    secret["data"] = {"secret": "hunter2", "broken": "hunter2: [("}
    document = deny(key, "Equals", "x")
    document["spec"]["rules"][0]["match"] = {"any": [{"resources": {"kinds": ["ConfigMap"]}}]}
    (row,) = asked(document, secret)
    assert (row.outcome.value, "hunter2" in row.message) == ("error", False), row.message
