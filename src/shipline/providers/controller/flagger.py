"""Flagger drives: Shipline names the image in the Deployment that a Canary is about, and reads the Canary's status.

Flagger cannot be told anything. It asks: a Canary's webhooks come for Shipline's verdict before traffic is raised,
before a promotion, and at each look whether to roll back. So a Canary that does not ask is refused before anything
begins: it could not be turned back. Sources: pkg/controller (scheduler.go, scheduler_hooks.go) and
pkg/canary/spec.go of github.com/fluxcd/flagger, 1.41.

Requests of the two versions are told apart by the workload: NAME is the canary, NAME-primary the stable one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shipline.clients.kubeconfig import find_access
from shipline.clients.kubernetes import DEPLOYMENTS, KubernetesClient
from shipline.clients.kubernetes_contents import NamedImage, image_of
from shipline.clients.kubernetes_drivers import CANARIES, FLAGGER, must_find
from shipline.clients.kubernetes_images import ANSWER_TIMEOUT_S, find_image
from shipline.domain.errors import ConfigurationError, RefusedError
from shipline.ports.controller import Content, Controlled, Phase, Verb
from shipline.ports.provider import ProviderContext
from shipline.ports.target import GROUP_ID, checked_digests
from shipline.providers.controller.flagger_state import asked_hooks, controlled

REQUIRED = ("confirm-promotion", "rollback")
PRIMARY = "-primary"


class Flagger:
    """The Canary of one environment."""

    api_version = 1
    name = FLAGGER
    asks = True
    artifact_kinds: tuple[str, ...] = ("oci",)

    @dataclass(frozen=True, slots=True)
    class Settings:
        """Which Canary.

        `canary` is its name. `container` names the one that runs the released image; "" is the only one. `kubeconfig`
        is a file, "" what KUBECONFIG names, else the user's own, else the account of the pod; `context` is one of its
        contexts, "" the current one. `namespace` "" is that of the context.
        """

        canary: str
        container: str = ""
        namespace: str = ""
        kubeconfig: str = ""
        context: str = ""

        def __post_init__(self) -> None:
            """Refuse what is no name."""
            if not GROUP_ID.fullmatch(self.canary):
                raise ConfigurationError("canary: the name of a Canary is 1 to 60 of a-z, 0-9 and -")

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        self._settings = settings
        self._environment = context.environment or "default"

    def prepare(self, package: str, version: str, digests: tuple[str, ...]) -> Content:
        """Find the image in its registry, see that Flagger asks, and let the API server try the change."""
        checked_digests(digests)
        canary = self._canary()
        self._check_asks(canary)
        target = self._deployment(_target(canary))
        image = image_of(target["spec"]["template"], self._settings.container, owner=_owner(target))
        content = Content(find_image(image, version, digests), package, version, digests)
        state = self._state(canary)
        if state.phase in (Phase.MOVING, Phase.WAITING) and state.wanted.image != content.image:
            raise RefusedError(
                f"{FLAGGER} is at work on {self._settings.canary} already: {state.words}", todo="wait for it"
            )
        named = self._named(_target(canary))
        self._client.change(named.path, target, named.operations(target, content), dry_run=True)
        return content

    def look(self) -> Controlled:
        """The Canary's own account, with what its two Deployments run."""
        return self._state(self._canary())

    def set(self, content: Content, *, revision: int) -> None:
        """Name the image in the Deployment that the Canary is about."""
        self._named(_target(self._canary())).set(content, revision)

    def tell(self, verb: Verb, *, revision: int) -> None:  # noqa: ARG002 - nothing is written, so nothing to fence
        """Nothing is said: Flagger hears it when it asks. RefusedError for what it never asks about."""
        refused = self.look().refused.get(verb.value)
        if refused:
            raise RefusedError(refused)

    def _check_asks(self, canary: dict[str, Any]) -> None:
        name = self._settings.canary
        if canary["spec"].get("suspend"):
            raise RefusedError(f"the Canary {name} is suspended", todo="set spec.suspend to false")
        if canary["spec"].get("skipAnalysis"):
            raise RefusedError(
                f"the Canary {name} skips its analysis, and would promote unseen", todo="set spec.skipAnalysis to false"
            )
        missing = [kind for kind in REQUIRED if kind not in asked_hooks(canary, self._environment)]
        if missing:
            raise RefusedError(
                f"the Canary {name} does not ask Shipline: it has no webhook of the type {' and '.join(missing)}",
                why="Flagger cannot be told to hold or to roll back; it has to ask",
                todo=f"add one of each type to spec.analysis.webhooks, whose address ends with "
                f"/api/v1/verdicts/{self._environment}/TYPE",
            )

    def _canary(self) -> dict[str, Any]:
        return must_find(self._client, CANARIES, self._namespace, self._settings.canary, of=FLAGGER)

    def _state(self, canary: dict[str, Any]) -> Controlled:
        target = self._deployment(_target(canary))
        primary = self._client.find(self._path(_target(canary) + PRIMARY))
        return controlled(canary, target, primary, container=self._settings.container, environment=self._environment)

    def _deployment(self, name: str) -> dict[str, Any]:
        return must_find(self._client, DEPLOYMENTS, self._namespace, name, of="the Deployment that the Canary is about")

    def _named(self, name: str) -> NamedImage:
        return NamedImage(self._client, self._path(name), self._settings.container, self._environment)

    def _path(self, name: str) -> str:
        return DEPLOYMENTS.path(self._namespace, name)

    @cached_property
    def _client(self) -> KubernetesClient:
        access = find_access(self._settings.kubeconfig, self._settings.context)
        return KubernetesClient(access, timeout_s=ANSWER_TIMEOUT_S)

    @property
    def _namespace(self) -> str:
        return self._settings.namespace or self._client.access.namespace


def _target(canary: dict[str, Any]) -> str:
    """The name of the Deployment that a Canary is about. RefusedError for another kind."""
    ref = (canary.get("spec") or {}).get("targetRef") or {}
    name = str(ref.get("name") or "")
    if ref.get("kind") != "Deployment" or not GROUP_ID.fullmatch(name + PRIMARY):
        raise RefusedError(
            f"the Canary {canary['metadata']['name']} is about {ref.get('kind')} {name[:60]}",
            why="Shipline sets the image of a Deployment, whose name is 1 to 52 of a-z, 0-9 and -",
        )
    return name


def _owner(deployment: dict[str, Any]) -> str:
    return f"the Deployment {deployment['metadata']['name']}"
