"""A working model of the slice of Kubernetes that Shipline uses: objects, controllers, and an API on loopback."""

from shipline.testing.fakes.kubernetes.server import TOKEN, KubernetesServer
from shipline.testing.fakes.kubernetes.world import KubernetesWorld

__all__ = ["TOKEN", "KubernetesServer", "KubernetesWorld"]
