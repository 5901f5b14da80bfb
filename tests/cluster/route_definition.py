"""The HTTPRoute of the Gateway API as a custom resource: a structural schema of the fields that are used.

Written for these tests from https://gateway-api.sigs.k8s.io/reference/spec/; names that it does not know are left out
by the API server, as it does for those of the real one.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
# A text that may be empty: 1.20, built with Go 1.19, takes an empty one in a custom resource for null.
EMPTY: Schema = {"x-kubernetes-preserve-unknown-fields": True}
WEIGHT: Schema = {"type": "integer", "format": "int32", "minimum": 0, "maximum": 1_000_000, "default": 1}
PORT: Schema = {"type": "integer", "format": "int32", "minimum": 1, "maximum": 65535}


def table(**fields: Schema) -> Schema:
    """An object of these fields."""
    return {"type": "object", "properties": fields}


def some(items: Schema, most: int) -> Schema:
    """A list."""
    return {"type": "array", "items": items, "maxItems": most}


BACKEND = table(group=EMPTY, kind=TEXT | {"default": "Service"}, name=TEXT, port=PORT)
REF = table(**BACKEND["properties"], weight=WEIGHT)
MATCH = table(
    path=table(type=TEXT | {"default": "PathPrefix"}, value=TEXT | {"default": "/"}),
    headers=some(table(type=TEXT | {"default": "Exact"}, name=TEXT, value=TEXT), 16),
)
FILTER = table(type=TEXT, requestMirror=table(backendRef=BACKEND))
RULE = table(name=TEXT, matches=some(MATCH, 64), filters=some(FILTER, 16), backendRefs=some(REF, 16))
CONDITION = table(
    type=TEXT, status=TEXT, reason=TEXT, message=TEXT, lastTransitionTime=TEXT, observedGeneration={"type": "integer"}
)
PARENT = table(name=TEXT, namespace=TEXT)
ROUTE = table(
    spec=table(parentRefs=some(PARENT, 32), hostnames=some(TEXT, 16), rules=some(RULE, 16)),
    status=table(parents=some(table(parentRef=PARENT, controllerName=TEXT, conditions=some(CONDITION, 8)), 32)),
)
DEFINITION: Schema = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "httproutes.gateway.networking.k8s.io",
        "annotations": {"api-approved.kubernetes.io": "unapproved, a model for tests"},
    },
    "spec": {
        "group": "gateway.networking.k8s.io",
        "scope": "Namespaced",
        "names": {"kind": "HTTPRoute", "plural": "httproutes", "singular": "httproute"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": ROUTE},
                "subresources": {"status": {}},
            }
        ],
    },
}
