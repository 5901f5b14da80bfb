"""What admission looks up in its cluster: labels of namespaces, and the images that are in use. It only reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shipline.clients.kubeconfig import find_access
from shipline.clients.kubernetes import NAME, KubernetesClient
from shipline.domain.errors import ShiplineError

TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class ClusterView:
    """The cluster as an account sees it that may get namespaces and list pods."""

    client: KubernetesClient

    def namespace(self, name: str) -> Mapping[str, Any] | None:
        """The namespace; None where there is none, or the cluster does not say."""
        if not NAME.fullmatch(name):
            return None
        try:
            return self.client.find(f"/api/v1/namespaces/{name}")
        except ShiplineError:
            return None

    def pods(self) -> tuple[Mapping[str, Any], ...]:
        """All of them. ShiplineError where the cluster does not say, or has more than are listed."""
        return self.client.list("/api/v1/pods")


def cluster_view() -> ClusterView:
    """By the file that KUBECONFIG names, the user's own, or else the account of the pod. ConfigurationError where
    there is none of them."""
    return ClusterView(KubernetesClient(find_access("", ""), timeout_s=TIMEOUT_S))
