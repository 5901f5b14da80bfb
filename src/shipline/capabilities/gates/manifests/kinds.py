"""Kinds of objects, the names of their resources, and whether they live in a namespace.

Source: the API reference of Kubernetes 1.35 (`kubectl api-resources`). Kinds of others come from their
CustomResourceDefinitions where those are among the manifests; else the plural is guessed as Kubernetes guesses it
(`meta.UnsafeGuessKindToResource`) and the kind counts as namespaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_NAMESPACED = {
    "": "Binding ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate ReplicationController "
    "ResourceQuota Secret Service ServiceAccount",
    "apps": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
    "autoscaling": "HorizontalPodAutoscaler",
    "batch": "CronJob Job",
    "coordination.k8s.io": "Lease",
    "discovery.k8s.io": "EndpointSlice",
    "events.k8s.io": "Event",
    "networking.k8s.io": "Ingress NetworkPolicy",
    "policy": "PodDisruptionBudget",
    "rbac.authorization.k8s.io": "Role RoleBinding",
    "storage.k8s.io": "CSIStorageCapacity",
    "authorization.k8s.io": "LocalSubjectAccessReview",
}
_CLUSTER = {
    "": "ComponentStatus Namespace Node PersistentVolume",
    "admissionregistration.k8s.io": "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding "
    "MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding "
    "ValidatingWebhookConfiguration",
    "apiextensions.k8s.io": "CustomResourceDefinition",
    "apiregistration.k8s.io": "APIService",
    "authentication.k8s.io": "SelfSubjectReview TokenReview",
    "authorization.k8s.io": "SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview",
    "certificates.k8s.io": "CertificateSigningRequest",
    "flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
    "networking.k8s.io": "IngressClass IPAddress ServiceCIDR",
    "node.k8s.io": "RuntimeClass",
    "policy": "PodSecurityPolicy",
    "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding",
    "resource.k8s.io": "DeviceClass ResourceSlice",
    "scheduling.k8s.io": "PriorityClass",
    "storage.k8s.io": "CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass",
    "kyverno.io": "ClusterPolicy ClusterCleanupPolicy GlobalContextEntry",
    "policies.kyverno.io": "ValidatingPolicy ImageValidatingPolicy MutatingPolicy GeneratingPolicy DeletingPolicy",
    "gateway.networking.k8s.io": "GatewayClass",
}
_PLURALS = {"Endpoints": "endpoints", "ComponentStatus": "componentstatuses"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind's resource (`deployments`) and whether its objects live in a namespace. `guessed`: nobody said so."""

    resource: str
    namespaced: bool
    guessed: bool = False


class Kinds:
    """The kinds that are known: those of Kubernetes, and those that the given documents define."""

    def __init__(self, documents: Iterable[Mapping[str, Any]] = ()) -> None:
        self._kinds = dict(_BUILT_IN)
        for document in documents:
            if document.get("kind") == "CustomResourceDefinition":
                self._define(document.get("spec") or {})

    def knows(self, resource: str) -> bool:
        """Whether a resource of that name is known in any group, so that it stands for nothing else."""
        return any(kind.resource == resource for kind in self._kinds.values())

    def kind_of(self, group: str, resource: str) -> str:
        """The kind that is served by a resource; "" where that is not known."""
        return next(
            (kind for (ours, kind), known in self._kinds.items() if (ours, known.resource) == (group, resource)), ""
        )

    def groups_of(self, kind: str) -> list[str]:
        """The groups that have a kind of that name."""
        return sorted(group for group, name in self._kinds if name == kind)

    def of(self, group: str, kind: str) -> Kind:
        """The kind, guessed where nothing is known of it."""
        return self._kinds.get((group, kind)) or Kind(_plural(kind), namespaced=True, guessed=True)

    def _define(self, spec: Mapping[str, Any]) -> None:
        names = spec.get("names") or {}
        if isinstance(names.get("kind"), str) and isinstance(names.get("plural"), str):
            kind = Kind(names["plural"], namespaced=spec.get("scope") != "Cluster")
            # What Kubernetes has itself is not to be defined anew by a manifest.
            self._kinds.setdefault((str(spec.get("group")), names["kind"]), kind)


def _plural(kind: str) -> str:
    lowered = kind.lower()
    if lowered.endswith("s"):
        return _PLURALS.get(kind, f"{lowered}es")
    return f"{lowered[:-1]}ies" if lowered.endswith("y") else f"{lowered}s"


_BUILT_IN = {
    (group, kind): Kind(_PLURALS.get(kind) or _plural(kind), namespaced=namespaced)
    for table, namespaced in ((_NAMESPACED, True), (_CLUSTER, False))
    for group, kinds in table.items()
    for kind in kinds.split()
}
