"""The custom resources of the Gateway API, Argo Rollouts and Flagger: structural schemas of the fields that are used.

Written for these tests from https://gateway-api.sigs.k8s.io/reference/spec/ and the sources that
`clients/kubernetes_drivers.py` names. What a schema does not know is left out by the API server, as it does for the
real ones. Who wants those puts them into PUT_HERE: `rollouts.yaml` (manifests/crds/rollout-crd.yaml of
github.com/argoproj/argo-rollouts), `canaries.yaml` (artifacts/flagger/crd.yaml of github.com/fluxcd/flagger).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # it ships no types

from shipline.clients.kubernetes import HTTP_ROUTES, Resource
from shipline.clients.kubernetes_drivers import CANARIES, ROLLOUTS

PUT_HERE = Path(__file__).parents[2] / ".cache" / "kube" / "definitions"
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
# What Argo Rollouts and Flagger keep of their own, and what Shipline changes, is typed; pod templates are left alone.
ANYTHING: Schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
YES: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "format": "int32"}
PAUSE = table(reason=TEXT, startTime=TEXT | {"format": "date-time"})
SHARE = table(weight=COUNT, podTemplateHash=TEXT)
ROLLOUT = table(
    spec=table(replicas=COUNT, paused=YES, selector=ANYTHING, strategy=ANYTHING, template=ANYTHING),
    status=table(
        abort=YES,
        abortedAt=TEXT | {"format": "date-time"},
        blueGreen=table(activeSelector=TEXT),
        canary=table(weights=table(canary=SHARE, stable=SHARE)),
        controllerPause=YES,
        currentPodHash=TEXT,
        currentStepIndex=COUNT,
        message=TEXT,
        observedGeneration=TEXT,
        pauseConditions=some(PAUSE, 8),
        phase=TEXT,
        promoteFull=YES,
        stableRS=TEXT,
    ),
)
WEBHOOK = table(name=TEXT, type=TEXT, url=TEXT)
CANARY = table(
    spec=table(
        targetRef=table(apiVersion=TEXT, kind=TEXT, name=TEXT),
        service=ANYTHING,
        suspend=YES,
        skipAnalysis=YES,
        analysis=table(interval=TEXT, threshold=COUNT, maxWeight=COUNT, stepWeight=COUNT, webhooks=some(WEBHOOK, 16)),
    ),
    status=table(
        phase=TEXT,
        canaryWeight=COUNT,
        failedChecks=COUNT,
        iterations=COUNT,
        lastAppliedSpec=TEXT,
        lastPromotedSpec=TEXT,
    ),
)


def definition_of(resource: Resource, schema: Schema) -> Schema:
    """The definition of a kind: that of its makers if it was put into PUT_HERE, else this model of it."""
    group, _, version = resource.api.partition("/")
    name = f"{resource.plural}.{group}"
    path = PUT_HERE / f"{resource.plural}.yaml"
    documents = yaml.safe_load_all(path.read_text(encoding="utf-8")) if path.exists() else ()
    given: Schema | None = next((one for one in documents if one["metadata"]["name"] == name), None)
    if given is not None:
        spoken: Schema = without_empty_defaults(given)
        return spoken
    served = {"name": version, "served": True, "storage": True}
    served |= {"schema": {"openAPIV3Schema": schema}, "subresources": {"status": {}}}
    names = {"kind": resource.kind, "plural": resource.plural, "singular": resource.kind.lower()}
    notes = {"api-approved.kubernetes.io": "unapproved, a model for tests"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name, "annotations": notes},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [served]},
    }


def without_empty_defaults(value: Any) -> Any:
    """The same with another text where the default is an empty one, which this server takes for null. No object of
    these tests has a field that would get it."""
    if isinstance(value, dict):
        changed = {"default": "empty"} if value.get("default") == "" else {}
        return {name: without_empty_defaults(each) for name, each in (value | changed).items()}
    return [without_empty_defaults(each) for each in value] if isinstance(value, list) else value


DEFINITIONS = (
    definition_of(HTTP_ROUTES, ROUTE),
    definition_of(ROLLOUTS, ROLLOUT),
    definition_of(CANARIES, CANARY),
)
