"""Asking whether a version that git has is what runs: the cluster's API, or an address that tells its version."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import Any

import httpx

from shipline.clients.deadlines import deadline
from shipline.clients.gitops.file import wanted_texts
from shipline.clients.gitops.groups import Staged
from shipline.clients.gitops.kinds import APPLICATION, HELM_RELEASE, KUSTOMIZATION
from shipline.clients.gitops.repository import GitOpsRepository
from shipline.clients.gitops.settings import GitOpsSettings
from shipline.clients.gitops.standing import (
    Arrival,
    Standing,
    answered,
    argo_standing,
    deployment_standing,
    flux_standing,
    helm_release_standing,
    missing,
)
from shipline.clients.kubeconfig import find_access
from shipline.clients.kubernetes import DEPLOYMENTS, KubernetesClient, Resource
from shipline.domain.errors import ShiplineError

ANSWER_TIMEOUT_S = 10.0
URL_BYTES_MAX = 64 << 10
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
RESOURCES = {
    "argocd": Resource(*APPLICATION),
    "flux": Resource(*KUSTOMIZATION),
    "helm-release": Resource(*HELM_RELEASE),
    "deployment": DEPLOYMENTS,
}


class Watch:
    """Asks for one environment. The constructor does no I/O."""

    def __init__(self, settings: GitOpsSettings, repository: GitOpsRepository) -> None:
        self._settings = settings
        self._repository = repository

    def standing(self, staged: Staged, tip: str) -> Standing:
        """Where a version stands that git has at `tip`. Takes seconds at most; ShiplineError where nobody answers."""
        if self._settings.watch == "url":
            return self._told_by_url(staged.spec.version)
        resource = RESOURCES[self._settings.watch]
        namespace = self._settings.namespace or self._client.access.namespace
        found = self._client.find(resource.path(namespace, self._settings.object))
        if found is None:
            return missing(f"{resource.kind} {namespace}/{self._settings.object}")
        wanted = self._wanted(staged, tip)
        if self._settings.watch == "deployment":
            return deployment_standing(found, self._runs(staged, wanted))
        if self._settings.watch == "helm-release":
            return helm_release_standing(found, wanted)
        tell = argo_standing if self._settings.watch == "argocd" else flux_standing
        return tell(found, lambda commit: self._states(commit, wanted))

    def _wanted(self, staged: Staged, tip: str) -> dict[str, str]:
        there = self._repository.texts(tip)
        return wanted_texts(self._settings, there, staged.spec.version, staged.digest)

    def _states(self, commit: str, wanted: Mapping[str, str]) -> bool:
        """True for a commit whose file has these texts; one that is not here, or has no such file, has not."""
        if COMMIT.fullmatch(commit) is None:
            return False
        try:
            return self._repository.texts(commit) == wanted
        except ShiplineError:
            return False

    def _runs(self, staged: Staged, wanted: Mapping[str, str]) -> Callable[[str], bool]:
        if any(staged.digest in text for text in wanted.values()):
            return lambda image: image.endswith(f"@{staged.digest}")
        ends = tuple(f":{text.rpartition(':')[2]}" for text in wanted.values())
        return lambda image: image.startswith(f"{self._settings.image}:") and image.endswith(ends)

    @cached_property
    def _client(self) -> KubernetesClient:
        access = find_access(self._settings.kubeconfig, self._settings.context)
        return KubernetesClient(access, timeout_s=ANSWER_TIMEOUT_S)

    def _told_by_url(self, version: str) -> Standing:
        host = httpx.URL(self._settings.url).host
        try:
            status, body = self._fetched()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return answered(Arrival.UNDER_WAY, f"{host} does not answer: {str(error)[:200] or type(error).__name__}")
        if status != httpx.codes.OK:
            return answered(Arrival.UNDER_WAY, f"{host} answers with HTTP {status}")
        told = told_version(body)
        return answered(Arrival.WELL if told == version else Arrival.AWAY, f"{host} tells {told[:80] or 'no version'}")

    def _fetched(self) -> tuple[int, bytes]:
        with (
            deadline(ANSWER_TIMEOUT_S) as limit,
            httpx.Client(timeout=ANSWER_TIMEOUT_S, verify=_tls()) as client,
            client.stream("GET", self._settings.url, extensions=limit) as answer,
        ):
            got = bytearray()
            for chunk in answer.iter_bytes():
                got += chunk
                if len(got) > URL_BYTES_MAX:
                    break
            return answer.status_code, bytes(got[: URL_BYTES_MAX + 1])


def told_version(body: bytes) -> str:
    """The version in an answer: `version` of a JSON object, else all of a text of one line; "" for none. Pure."""
    if len(body) > URL_BYTES_MAX:
        return ""
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace").strip()
        return text if text.isprintable() else ""
    if isinstance(document, dict):
        found = document.get("version")
        return found if isinstance(found, str) else ""
    return document if isinstance(document, str) else body.decode("utf-8", "replace").strip()


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading all authorities takes longer than most exchanges."""
    return httpx.create_ssl_context()
