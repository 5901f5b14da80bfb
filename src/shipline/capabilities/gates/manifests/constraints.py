"""Which requests a policy is about: `matchConstraints` of Kubernetes, and a binding's `matchResources`.

Source: `k8s.io/apiserver/pkg/admission/plugin/policy/matching` and `webhook/predicates` (v0.35).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shipline.capabilities.gates.manifests.resources import Admission
from shipline.capabilities.gates.manifests.selectors import is_empty, selects
from shipline.capabilities.gates.manifests.unsupported import NotGiven, Unsupported

_NAME_LABEL = "kubernetes.io/metadata.name"
_KEYS = {"resourceRules", "excludeResourceRules", "namespaceSelector", "objectSelector", "matchPolicy"}
_NEEDED = ("apiGroups", "apiVersions", "operations", "resources")
_RULE_KEYS = {"apiGroups", "apiVersions", "operations", "resources", "resourceNames", "scope"}


def check_constraints(constraints: object) -> Mapping[str, Any]:
    """The constraints, which must be a table of known keys. Raises Unsupported, which names what is not."""
    if not isinstance(constraints, Mapping):
        raise Unsupported("a policy without matchConstraints")
    rules = [*(constraints.get("resourceRules") or ()), *(constraints.get("excludeResourceRules") or ())]
    unknown = set(constraints) - _KEYS
    for rule in rules:
        unknown |= set(rule) - _RULE_KEYS if isinstance(rule, Mapping) else {str(rule)[:40]}
    if unknown:
        raise Unsupported(f"{min(unknown)} in matchConstraints")
    if any(not rule.get(key) for rule in rules for key in _NEEDED):
        raise Unsupported("a rule of matchConstraints without groups, versions, operations or resources")
    return constraints


def applies(constraints: Mapping[str, Any], admission: Admission, *, without_rules: bool = False) -> bool:
    """Whether the request is one that they are about. `without_rules` is the answer where none are listed.

    Raises NotGiven where the labels of the namespace, or the resource of a kind, decide and are not known, Unsupported
    where a rule is about another version of the same resource, which a cluster would convert to.
    """
    rules = constraints.get("resourceRules") or ()
    if not (_any_rule(rules, admission, constraints) if rules else without_rules):
        return False
    if _any_rule(constraints.get("excludeResourceRules") or (), admission, constraints, is_exclude=True):
        return False
    selector = constraints.get("objectSelector") or {}
    if not is_empty(selector) and not _selects_object(selector, admission):
        return False
    return in_namespace(constraints.get("namespaceSelector"), admission)


def in_namespace(selector: Mapping[str, Any] | None, admission: Admission) -> bool:
    """Whether the namespace of the request is selected. What lives in none always is. Raises as `applies` does."""
    if selector is None or is_empty(selector):
        return True
    resource = admission.resource
    if (resource.group, resource.kind) == ("", "Namespace"):
        return selects(selector, {_NAME_LABEL: admission.name, **resource.labels})
    if not admission.kind.namespaced:
        return True
    return selects(selector, namespace_labels(selector, admission))


def namespace_labels(selector: Mapping[str, Any], admission: Admission) -> Mapping[str, Any]:
    """The labels that the selector asks for. Raises NotGiven where the namespace was not given and others are."""
    name = admission.namespace
    namespace = admission.around.namespace(name)
    if namespace is not None:
        labels: Mapping[str, Any] = namespace["metadata"]["labels"]
        return labels
    asked = {
        *(selector.get("matchLabels") or {}),
        *(each.get("key") for each in selector.get("matchExpressions") or ()),
    }
    if asked - {_NAME_LABEL}:
        raise NotGiven(f"the labels of the namespace {name} are not known: add its manifest")
    return {_NAME_LABEL: name}


def _selects_object(selector: Mapping[str, Any], admission: Admission) -> bool:
    if selects(selector, admission.resource.labels):
        return True
    old = admission.old
    return old is not None and selects(selector, (old.get("metadata") or {}).get("labels") or {})


def _any_rule(
    rules: Sequence[Mapping[str, Any]],
    admission: Admission,
    constraints: Mapping[str, Any],
    *,
    is_exclude: bool = False,
) -> bool:
    equivalent = constraints.get("matchPolicy") != "Exact"
    return any(_rule_holds(rule, admission, equivalent=equivalent, is_exclude=is_exclude) for rule in rules)


def _rule_holds(rule: Mapping[str, Any], admission: Admission, *, equivalent: bool, is_exclude: bool) -> bool:
    if not _listed(rule.get("operations"), admission.operation) or not _listed(rule.get("apiGroups"), admission.group):
        return False
    if not _names_resource(rule, admission, is_exclude=is_exclude) or not _in_scope(rule, admission):
        return False
    names = rule.get("resourceNames")
    if names and admission.name not in names:
        return False
    if _listed(rule.get("apiVersions"), admission.version):
        return True
    if equivalent:
        versions = ", ".join(map(str, rule.get("apiVersions") or ()))
        raise Unsupported(f"the conversion of {admission.resource.kind} from {admission.version} to {versions}")
    return False


def _names_resource(rule: Mapping[str, Any], admission: Admission, *, is_exclude: bool) -> bool:
    """Whether the rule names the resource. A guessed plural may draw a rule in, and lets nothing out: where it fits
    none, the rule's own may be the right one."""
    kind, named = admission.kind, [str(each) for each in rule.get("resources") or ()]
    fits = any(_is_resource(each, kind.resource, admission.subresource) for each in named)
    if not kind.guessed or any(each in ("*", "*/*") for each in named):
        return fits
    unknown = [each for each in named if not admission.around.kinds.knows(each.partition("/")[0])]
    if fits is is_exclude and unknown:
        raise _not_defined(admission)
    return fits


def _in_scope(rule: Mapping[str, Any], admission: Admission) -> bool:
    scope = rule.get("scope") or "*"
    if scope != "*" and admission.kind.guessed:
        raise _not_defined(admission)
    return scope in ("*", "Namespaced" if admission.kind.namespaced else "Cluster")


def _not_defined(admission: Admission) -> NotGiven:
    title = f"{admission.resource.document.get('apiVersion')} {admission.resource.kind}"
    return NotGiven(f"by which resource {title} is served is not known: add its CustomResourceDefinition")


def _listed(values: Sequence[str] | None, value: str) -> bool:
    return bool(values) and ("*" in (values or ()) or value in (values or ()))


def _is_resource(named: str, resource: str, subresource: str) -> bool:
    """`pods/ephemeralcontainers` is about another request than that for a pod; `pods/*` and `*/*` are about both."""
    main, _, sub = named.partition("/")
    return main in ("*", resource) and sub in (subresource, "*")
