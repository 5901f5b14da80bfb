"""Label selectors of Kubernetes (`matchLabels`, `matchExpressions`).

Source: `k8s.io/apimachinery/pkg/apis/meta/v1`, `LabelSelectorAsSelector`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipline.capabilities.gates.manifests.unsupported import Unsupported

_KEYS = {"matchLabels", "matchExpressions"}


def selects(selector: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    """Whether the labels are selected; an empty selector selects everything. Raises Unsupported for no selector."""
    if set(selector) - _KEYS:
        raise Unsupported(f"the selector {str(selector)[:80]}")
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(each, labels) for each in selector.get("matchExpressions") or ()
    )


def is_empty(selector: Mapping[str, Any] | None) -> bool:
    """Whether it is not there, or selects everything."""
    return not selector or not (selector.get("matchLabels") or selector.get("matchExpressions"))


def _holds(expression: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    key, operator, values = str(expression.get("key")), expression.get("operator"), expression.get("values") or ()
    if operator == "In":
        return key in labels and labels[key] in values
    if operator == "NotIn":
        return key not in labels or labels[key] not in values
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    raise Unsupported(f"the operator {str(operator)[:40]!r} of a selector")
