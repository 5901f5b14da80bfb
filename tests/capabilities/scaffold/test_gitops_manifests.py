"""Manifests of a service in a cluster that follows git: what is written is what its readers know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shipline.capabilities.scaffold import (
    Followed,
    Workload,
    argo_application,
    base_kustomization,
    base_manifests,
    flux_manifests,
    overlay,
)
from shipline.clients.gitops.file import edited, texts_in
from shipline.clients.gitops.settings import GitOpsSettings
from shipline.clients.yaml_documents import read_documents
from shipline.domain.errors import InvalidValue
from shipline.providers.target.kubernetes_manifest import check_strictly

IMAGE, FIRST, NEXT = "registry.example/team/quotes", "sha256:" + "0" * 64, "sha256:" + "1" * 64
QUOTES = Workload("quotes", IMAGE, 8080)
PRODUCTION = Followed("quotes", "git@git.example:team/manifests.git", "main", "apps/quotes/production", "quotes")


def documents(text: str) -> tuple[dict[str, Any], ...]:
    return read_documents(text.encode(), what="the manifests", limit_bytes=1 << 16)


def test_the_base_holds_to_the_strict_schemas_of_kubernetes() -> None:
    """Selector, labels and ports fit together."""
    deployment, service = documents(base_manifests(QUOTES))
    for each in (deployment, service):
        check_strictly(each, each["kind"])
    assert deployment["spec"]["selector"]["matchLabels"] == service["spec"]["selector"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert (container["image"], container["readinessProbe"]["httpGet"]["port"]) == (IMAGE, "http")
    assert service["spec"]["ports"][0]["targetPort"] == container["ports"][0]["name"]
    assert documents(base_kustomization("quotes.yaml"))[0]["resources"] == ["quotes.yaml"]


def test_an_overlay_is_what_the_target_edits() -> None:
    """The digest that is set is the one that stands there."""
    text = overlay(QUOTES, base="../base", namespace="quotes", digest=FIRST)
    settings = GitOpsSettings(IMAGE, "apps/quotes/production/kustomization.yaml", "argocd", object="quotes")
    assert texts_in(settings, text.encode()) == {"images.0.digest": FIRST}
    after = edited(settings, text.encode(), "1.1.0", NEXT)
    assert after.decode() == text.replace(FIRST, NEXT)
    assert "&" not in text


def test_argo_cd_follows_the_overlay_by_itself() -> None:
    (application,) = documents(argo_application(PRODUCTION))
    assert (application["apiVersion"], application["kind"]) == ("argoproj.io/v1alpha1", "Application")
    assert application["spec"]["source"] == {
        "repoURL": PRODUCTION.url,
        "targetRevision": "main",
        "path": PRODUCTION.path,
    }
    assert application["spec"]["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}


def test_flux_follows_the_overlay_and_waits_for_health() -> None:
    source, kustomization = documents(flux_manifests(PRODUCTION))
    assert (source["kind"], kustomization["kind"]) == ("GitRepository", "Kustomization")
    assert kustomization["spec"]["sourceRef"] == {"kind": source["kind"], "name": source["metadata"]["name"]}
    assert (kustomization["spec"]["path"], kustomization["spec"]["wait"]) == (f"./{PRODUCTION.path}", True)
    assert source["spec"]["ref"] == {"branch": "main"}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Workload("Quotes", IMAGE, 8080),
        lambda: Workload("quotes", "quotes", 8080),
        lambda: Workload("quotes", f"{IMAGE}:latest", 8080),
        lambda: Workload("quotes", IMAGE, 0),
        lambda: Workload("quotes", IMAGE, 80, "healthz\nx: y"),
        lambda: Followed("quotes", "--upload-pack=x", "main", "apps", "quotes"),
        lambda: Followed("quotes", "git@x:y", "main", "../apps", "quotes"),
        lambda: overlay(QUOTES, base="/etc", namespace="quotes", digest=FIRST),
        lambda: overlay(QUOTES, base="../base", namespace="quotes", digest="latest"),
    ],
)
def test_what_no_cluster_would_take_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(InvalidValue):
        wrong()
