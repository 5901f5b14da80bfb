"""The manifests by which a cluster runs `shipline up --admission` and asks it. Pure.

Source: `k8s.io/api/admissionregistration/v1` (v0.35); the restricted profile of the Pod Security Standards.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NAME = "shipline-admission"
SECRET = f"{NAME}-tls"
PORT = 8443
TIMEOUT_S = 5
"""What users of the API server wait at most; an answer takes some milliseconds once signatures are remembered."""
FOLDER, TLS_FOLDER = "/etc/shipline/policies", "/etc/shipline/tls"
COPIES = 2
USER = 65532
_RBAC = "rbac.authorization.k8s.io/v1"
_LABELS = {"app.kubernetes.io/name": NAME}
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Webhook:
    """What is to be run. `image` has `shipline` on its path. `files` are those beside the sets, by name: policies, and
    keys, whose names are in `keys`. `authority` is PEM; `certificate` a pair of PEM, None where somebody else makes
    the Secret. `looks_up` is whether it may read namespaces and pods. `rules` are those of the webhook."""

    image: str
    namespace: str
    files: Mapping[str, str]
    keys: tuple[str, ...]
    sets: tuple[str, ...]
    registries: tuple[str, ...]
    authority: str
    certificate: tuple[str, str] | None
    fails_open: bool
    looks_up: bool
    rules: Sequence[Document]


def server_names(namespace: str) -> tuple[str, ...]:
    """What the cluster calls the Service by; the first is the one that it asks for."""
    return (f"{NAME}.{namespace}.svc", f"{NAME}.{namespace}.svc.cluster.local", f"{NAME}.{namespace}")


def webhook_documents(webhook: Webhook) -> list[Document]:
    """In the order in which they are applied: the cluster asks only when the rest is there."""
    documents = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": webhook.namespace, "labels": dict(_LABELS)}},
        _named(webhook, "v1", "ServiceAccount", automountServiceAccountToken=False),
        _named(webhook, "v1", "ConfigMap", data=dict(webhook.files)),
    ]
    if webhook.certificate is not None:
        pair = dict(zip(("tls.crt", "tls.key"), webhook.certificate, strict=True))
        secret = _named(webhook, "v1", "Secret", type="kubernetes.io/tls", stringData=pair)
        secret["metadata"]["name"] = SECRET
        documents.append(secret)
    documents += [_rights(), _bound(webhook)] if webhook.looks_up else []
    documents += [_deployment(webhook), _service(webhook), _budget(webhook), _configuration(webhook)]
    return documents


def _named(webhook: Webhook, version: str, kind: str, **more: Any) -> Document:
    metadata = {"name": NAME, "namespace": webhook.namespace, "labels": dict(_LABELS)}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def _command(webhook: Webhook) -> list[str]:
    command = ["shipline", "up", "--admission", "--host", "0.0.0.0", "--port", str(PORT)]  # noqa: S104 - in a pod
    command += ["--certificate", f"{TLS_FOLDER}/tls.crt", "--private-key", f"{TLS_FOLDER}/tls.key"]
    command += ["--policy", FOLDER, "--fail", "open" if webhook.fails_open else "closed"]
    command += ["--cluster"] if webhook.looks_up else []
    for option, values in (("--set", webhook.sets), ("--registry", webhook.registries)):
        command += [word for value in values for word in (option, value)]
    return command + [word for name in webhook.keys for word in ("--key", f"{FOLDER}/{name}")]


def _deployment(webhook: Webhook) -> Document:
    probe = {"httpGet": {"path": "/readyz", "port": PORT, "scheme": "HTTPS"}, "periodSeconds": 5}
    container = {
        "name": "admission",
        "image": webhook.image,
        "command": _command(webhook),
        # No user of the image has this id, and what reads a client's files looks for a home.
        "env": [{"name": "HOME", "value": "/"}],
        "ports": [{"containerPort": PORT, "name": "https"}],
        "readinessProbe": probe,
        "livenessProbe": {**probe, "httpGet": {**probe["httpGet"], "path": "/healthz"}, "failureThreshold": 6},  # type: ignore[dict-item] # it is a table
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [
            {"name": "policies", "mountPath": FOLDER, "readOnly": True},
            {"name": "tls", "mountPath": TLS_FOLDER, "readOnly": True},
        ],
    }
    pod = {
        "serviceAccountName": NAME,
        "automountServiceAccountToken": webhook.looks_up,
        "securityContext": {"runAsNonRoot": True, "runAsUser": USER, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [
            {"name": "policies", "configMap": {"name": NAME}},
            {"name": "tls", "secret": {"secretName": SECRET}},
        ],
    }
    spec = {
        "replicas": COPIES,
        "selector": {"matchLabels": dict(_LABELS)},
        "template": {"metadata": {"labels": dict(_LABELS)}, "spec": pod},
    }
    return _named(webhook, "apps/v1", "Deployment", spec=spec)


def _rights() -> Document:
    """What it looks up, and nothing that changes anything."""
    rules = [
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
    ]
    metadata = {"name": NAME, "labels": dict(_LABELS)}
    return {"apiVersion": _RBAC, "kind": "ClusterRole", "metadata": metadata, "rules": rules}


def _bound(webhook: Webhook) -> Document:
    account = {"kind": "ServiceAccount", "name": NAME, "namespace": webhook.namespace}
    return {
        "apiVersion": _RBAC,
        "kind": "ClusterRoleBinding",
        "metadata": {"name": NAME, "labels": dict(_LABELS)},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME},
        "subjects": [account],
    }


def _service(webhook: Webhook) -> Document:
    ports = [{"name": "https", "port": 443, "targetPort": PORT}]
    return _named(webhook, "v1", "Service", spec={"selector": dict(_LABELS), "ports": ports})


def _budget(webhook: Webhook) -> Document:
    spec = {"minAvailable": 1, "selector": {"matchLabels": dict(_LABELS)}}
    return _named(webhook, "policy/v1", "PodDisruptionBudget", spec=spec)


def _configuration(webhook: Webhook) -> Document:
    """Neither the cluster's own namespace nor that of the webhook is asked about: both must come up without it."""
    outside = {
        "key": "kubernetes.io/metadata.name",
        "operator": "NotIn",
        "values": sorted({"kube-system", webhook.namespace}),
    }
    hook = {
        "name": "admission.shipline.dev",
        "admissionReviewVersions": ["v1"],
        "clientConfig": {
            "service": {"name": NAME, "namespace": webhook.namespace, "path": "/validate", "port": 443},
            "caBundle": base64.b64encode(webhook.authority.encode()).decode("ascii"),
        },
        "rules": [dict(rule) for rule in webhook.rules],
        "namespaceSelector": {"matchExpressions": [outside]},
        "matchPolicy": "Equivalent",
        "sideEffects": "None",
        "timeoutSeconds": TIMEOUT_S,
        "failurePolicy": "Ignore" if webhook.fails_open else "Fail",
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": NAME, "labels": dict(_LABELS)},
        "webhooks": [hook],
    }
