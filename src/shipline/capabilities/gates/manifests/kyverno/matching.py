"""Which requests a rule is about: `match` and `exclude`.

Source: `pkg/engine/utils/match.go`, `pkg/utils/match`, `pkg/utils/kube/kind.go` of Kyverno.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from shipline.capabilities.gates.manifests.constraints import namespace_labels
from shipline.capabilities.gates.manifests.resources import Admission
from shipline.capabilities.gates.manifests.selectors import selects
from shipline.capabilities.gates.manifests.unsupported import Unsupported
from shipline.capabilities.gates.manifests.wildcards import has_wildcard, matches

_VERSION = re.compile(r"v\d+((alpha|beta)\d+)?|\*", re.ASCII)
_USER = ("roles", "clusterRoles", "subjects")
_RESOURCES = {
    "annotations",
    "kinds",
    "name",
    "names",
    "namespaceSelector",
    "namespaces",
    "operations",
    "selector",
}


def check_match(block: object, name: str) -> None:
    """Raises Unsupported for a key of `match` or `exclude` that is not known."""
    if not isinstance(block, Mapping):
        raise Unsupported(f"a rule without {name}")
    unknown = set(block) - {"any", "all", "resources", *_USER}
    for each in filters_of(block):
        unknown |= set(each) - {"resources", *_USER} | (set(each.get("resources") or {}) - _RESOURCES)
    if unknown:
        raise Unsupported(f"{min(map(str, unknown))} in {name}")


def filters_of(block: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The filters of a block, however they are combined."""
    listed = [*(block.get("any") or ()), *(block.get("all") or ())]
    return listed or [{key: block[key] for key in ("resources", *_USER) if key in block}]


def is_about(rule: Mapping[str, Any], admission: Admission) -> bool:
    """Whether the rule is about the request. Raises NotGiven where labels of its namespace decide."""
    if not _combined(rule["match"], admission, is_exclude=False):
        return False
    exclude = rule.get("exclude")
    return not exclude or not _combined(exclude, admission, is_exclude=True)


def parse_kind(text: str) -> tuple[str, str, str, str]:
    """Group, version, kind and subresource of `Pod`, `v1/Pod`, `apps/v1/Deployment`, `Pod/exec`; `*` stands for any."""
    *front, last = text.split("/")
    parts = [*front, *last.split(".")]
    if parts == ["*", "*"]:
        return "*", "*", "*", "*"
    versioned = bool(_VERSION.fullmatch(parts[0]))
    if len(parts) == 2 and parts[0] == "*" and parts[1] == parts[1].lower():
        versioned = False  # `*/status` is a subresource of anything.
    shapes = {1: ("*", "*", *parts, ""), 4: tuple(parts)}
    shapes[2] = ("*", *parts, "") if versioned else ("*", "*", *parts)
    shapes[3] = ("*", *parts) if versioned else (*parts, "")
    group, version, kind, sub = shapes.get(len(parts), ("", "", "", ""))
    return group, version, kind, sub


def names_kind(kinds: Sequence[str], kind: str) -> bool:
    """Whether a list of kinds names this one, in any version."""
    return any(parse_kind(str(each))[2] == kind for each in kinds)


def _combined(block: Mapping[str, Any], admission: Admission, *, is_exclude: bool) -> bool:
    answers = (_filter_holds(each, admission, is_exclude=is_exclude) for each in filters_of(block))
    return any(answers) if block.get("any") else all(answers)


def _filter_holds(given: Mapping[str, Any], admission: Admission, *, is_exclude: bool) -> bool:
    """A filter about people holds for nobody where nobody is known, as in files: what it excludes is then checked,
    and what it only narrows down is too."""
    resources = given.get("resources") or {}
    people = any(given.get(key) for key in _USER)
    if admission.user is None and not is_exclude:
        if people and not resources:
            return True
        people = False
    if not resources and not people:
        return False
    if resources and not _resource_holds(resources, admission):
        return False
    return not people or (admission.user is not None and _people_hold(given, admission.user))


def _resource_holds(wanted: Mapping[str, Any], admission: Admission) -> bool:
    resource = admission.resource
    if wanted.get("operations") and admission.operation not in wanted["operations"]:
        return False
    if wanted.get("kinds") and not any(_is_kind(str(each), admission) for each in wanted["kinds"]):
        return False
    name = admission.name
    namespace = name if resource.kind == "Namespace" else admission.namespace
    named = (([wanted.get("name")], name), (wanted.get("names"), name))
    if not all(_is_one(patterns, text) for patterns, text in (*named, (wanted.get("namespaces"), namespace))):
        return False
    if not all(_has_pair(resource.annotations, *pair) for pair in (wanted.get("annotations") or {}).items()):
        return False
    if wanted.get("selector") is not None and not _selects(wanted["selector"], resource.labels):
        return False
    return wanted.get("namespaceSelector") is None or _in_namespace(wanted["namespaceSelector"], admission)


def _is_one(patterns: Sequence[Any] | None, text: str) -> bool:
    """Whether the text is of one of the patterns; where there are none it is."""
    given = [str(each) for each in patterns or () if each]
    return not given or any(matches(each, text) for each in given)


def _is_kind(text: str, admission: Admission) -> bool:
    group, version, kind, sub = parse_kind(text)
    is_it = (
        matches(group, admission.group) and matches(version, admission.version) and matches(kind, admission.main_kind)
    )
    # A rule about pods is about containers that are put into running ones, too (`CheckKind` in `pkg/utils/match`).
    return is_it and (matches(sub, admission.subresource) or admission.subresource == "ephemeralcontainers")


def _has_pair(pairs: Mapping[str, Any], key: str, value: Any) -> bool:
    return any(matches(key, name) and matches(str(value), str(each)) for name, each in pairs.items())


def _selects(selector: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    """As Kubernetes, but names and values of `matchLabels` may have wildcards."""
    wanted = dict(selector.get("matchLabels") or {})
    wild = {key: value for key, value in wanted.items() if has_wildcard(str(key)) or has_wildcard(str(value))}
    plain = {**selector, "matchLabels": {key: value for key, value in wanted.items() if key not in wild}}
    return all(_has_pair(labels, key, value) for key, value in wild.items()) and selects(plain, labels)


def _in_namespace(selector: Mapping[str, Any], admission: Admission) -> bool:
    if admission.resource.kind == "Namespace":
        return False
    labels = namespace_labels(selector, admission) if admission.kind.namespaced else {}
    return _selects(selector, labels)


def _people_hold(wanted: Mapping[str, Any], user: Mapping[str, Any]) -> bool:
    if wanted.get("roles") or wanted.get("clusterRoles"):
        raise Unsupported("roles and clusterRoles of who asks")
    return any(_is_subject(each, user) for each in wanted.get("subjects") or ())


def _is_subject(subject: Mapping[str, Any], user: Mapping[str, Any]) -> bool:
    """Source: `pkg/utils/match/subjects.go`."""
    kind, name = subject.get("kind"), str(subject.get("name", ""))
    username = str(user.get("username", ""))
    if kind == "ServiceAccount":
        return matches(f"system:serviceaccount:{subject.get('namespace', '')}:{name}", username)
    if kind == "Group":
        return any(matches(name, str(each)) for each in user.get("groups") or ())
    return kind == "User" and matches(name, username)
