"""The manifests of a service in a cluster that follows git, as text: pure.

    base/                     a Deployment and a Service, as the package needs them
    ENVIRONMENT/              an overlay, whose image's digest the target `gitops` sets
    an Application, or a GitRepository and a Kustomization, that let Argo CD or Flux follow the overlay

Formats: Kubernetes 1.34 (apps/v1, v1), kustomize.config.k8s.io/v1beta1, Argo CD 3.1
(https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml) and Flux 2.6
(https://fluxcd.io/flux/components/source/gitrepositories/, .../kustomize/kustomizations/).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml  # type: ignore[import-untyped]  # it ships no types

from shipline.clients.gitops.kinds import APPLICATION, GIT_REPOSITORY, KUSTOMIZATION, Kind
from shipline.domain.artifact import DIGEST
from shipline.domain.errors import InvalidValue

# From: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ (DNS labels)
LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
IMAGE = re.compile(r"[A-Za-z0-9.-]+(?::[0-9]{1,5})?/[a-z0-9._/-]{1,200}")
PATH = re.compile(r"(?!/)(?!(?:.*/)?\.\.?(?:/|$))(?!.*//)[A-Za-z0-9._/-]{1,200}(?<!/)")
ADDRESS = re.compile(r"(?!-)[^\x00-\x20\x7f\"]{1,500}")
ARGO_NAMESPACE, FLUX_NAMESPACE = "argocd", "flux-system"
SERVICE_PORT = 80


@dataclass(frozen=True, slots=True)
class Workload:
    """What runs: `name` is a DNS label, `image` with its registry and without a tag, `port` what it listens on, and
    `health_path` what answers 2xx there when it is ready."""

    name: str
    image: str
    port: int
    health_path: str = "/healthz"

    def __post_init__(self) -> None:
        """Refuse what Kubernetes would (InvalidValue)."""
        _check(LABEL, self.name, "the name of a service")
        _check(IMAGE, self.image, "an image with its registry, and without a tag")
        if not 1 <= self.port <= 65535 or not re.fullmatch(r"/[!-~]{0,200}", self.health_path):
            raise InvalidValue(f"{self.port} and {self.health_path[:80]!r} are no port and path")


@dataclass(frozen=True, slots=True)
class Followed:
    """What a controller follows, for one environment: `path` in the repository at `url`, on `branch`; it is brought to
    `namespace` and called `name`."""

    name: str
    url: str
    branch: str
    path: str
    namespace: str

    def __post_init__(self) -> None:
        """Refuse what a controller would (InvalidValue)."""
        _check(LABEL, self.name, "the name of an application")
        _check(LABEL, self.namespace, "the name of a namespace")
        _check(ADDRESS, self.url, "an address that git clones from")
        _check(PATH, self.branch, "the name of a branch")
        _check(PATH, self.path, "a folder in the repository")


def base_manifests(workload: Workload) -> str:
    """A Deployment and a Service. The image has no tag: each overlay says which one runs."""
    labels = {"app.kubernetes.io/name": workload.name}
    probe = {"httpGet": {"path": workload.health_path, "port": "http"}}
    container: dict[str, Any] = {
        "name": workload.name,
        "image": workload.image,
        "ports": [{"name": "http", "containerPort": workload.port}],
        "readinessProbe": probe,
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": workload.name, "labels": labels},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": workload.name, "labels": labels},
        "spec": {"selector": labels, "ports": [{"name": "http", "port": SERVICE_PORT, "targetPort": "http"}]},
    }
    return _text(deployment, service)


def base_kustomization(file: str) -> str:
    """What makes a base of the file with the manifests."""
    _check(PATH, file, "a file in the folder")
    return _text({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": [file]})


def overlay(workload: Workload, *, base: str, namespace: str, digest: str) -> str:
    """The kustomization of one environment. `base` is the path from here to the base; `digest` what runs first."""
    _check(LABEL, namespace, "the name of a namespace")
    _check(DIGEST, digest, "the digest of an image")
    if not re.fullmatch(r"(?:\.\./){0,10}[A-Za-z0-9_][A-Za-z0-9._/-]{0,200}", base):
        raise InvalidValue(f"{base[:80]!r} is no path to a base")
    image = {"name": workload.image, "newName": workload.image, "digest": digest}
    kind = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    return _text(kind | {"namespace": namespace, "resources": [base], "images": [image]})


def argo_application(followed: Followed) -> str:
    """An Application that is synced by itself, and undoes what is done to the cluster directly."""
    sync = {"automated": {"prune": True, "selfHeal": True}, "syncOptions": ["CreateNamespace=true"]}
    spec = {
        "project": "default",
        "source": {"repoURL": followed.url, "targetRevision": followed.branch, "path": followed.path},
        "destination": {"server": "https://kubernetes.default.svc", "namespace": followed.namespace},
        "syncPolicy": sync,
    }
    metadata = {"name": followed.name, "namespace": ARGO_NAMESPACE}
    return _text(_typed(APPLICATION, {"metadata": metadata, "spec": spec}))


def flux_manifests(followed: Followed) -> str:
    """A GitRepository, and a Kustomization that is ready only when what it brought is healthy."""
    metadata = {"name": followed.name, "namespace": FLUX_NAMESPACE}
    source = {"interval": "1m", "url": followed.url, "ref": {"branch": followed.branch}}
    kustomization = {
        "interval": "10m",
        "retryInterval": "1m",
        "timeout": "10m",
        "sourceRef": {"kind": GIT_REPOSITORY.name, "name": followed.name},
        "path": f"./{followed.path}",
        "targetNamespace": followed.namespace,
        "prune": True,
        "wait": True,
    }
    return _text(
        _typed(GIT_REPOSITORY, {"metadata": metadata, "spec": source}),
        _typed(KUSTOMIZATION, {"metadata": metadata, "spec": kustomization}),
    )


def _typed(kind: Kind, body: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": kind.api, "kind": kind.name, **body}


def _check(pattern: re.Pattern[str], value: str, meaning: str) -> None:
    if pattern.fullmatch(value) is None:
        raise InvalidValue(f"{value[:80]!r} is not {meaning}")


class _Plain(yaml.SafeDumper):  # type: ignore[misc]  # the base has no types
    """Writes what is there twice twice: an alias is nothing for people."""

    def ignore_aliases(self, _data: Any) -> bool:
        """There are none."""
        return True


def _text(*documents: dict[str, Any]) -> str:
    """A stream of documents, keys in the order in which they are given."""
    return str(yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, width=120))
