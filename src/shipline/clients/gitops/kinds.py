"""The kinds of objects by which a cluster follows git. Source: the definitions of Argo CD 3.1 and of Flux 2.6."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """A kind as manifests and paths name it: `group/version`, its name, and the last word of the path."""

    api: str
    name: str
    plural: str


APPLICATION = Kind("argoproj.io/v1alpha1", "Application", "applications")
GIT_REPOSITORY = Kind("source.toolkit.fluxcd.io/v1", "GitRepository", "gitrepositories")
KUSTOMIZATION = Kind("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "kustomizations")
HELM_RELEASE = Kind("helm.toolkit.fluxcd.io/v2", "HelmRelease", "helmreleases")
