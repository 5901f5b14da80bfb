"""Versions run in a Kubernetes cluster: a group is a Deployment and a Service, made from the project's manifest.

A group's Deployment is begun by server-side apply, without copies, with all that stays the same for its life; how many
copies it has, and which revision said so, is changed only by a JSON patch that tests the resource version. Before each
such patch the environment's record is asked for the newest revision. So a paused engine that goes on late is refused:
either the record knows of a newer revision, or what the newer one did has changed or removed the object.

Kubernetes starts copies again that die, and its Services find them: groups have no endpoints here. A smaller size is
carried out only where the released container has a `preStop` hook: the pod goes on serving while it leaves its Service.

Copies are never fewer than an autoscaler has made of them, nor fewer than those of another version that the group is to
be as large as: a rollout begins with the size of its settings, and what serves may have grown since.

Secrets that the environment gives are read when a group is begun, and lie in a Secret of its own until it is stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shipline.clients.durable_state import check_fence
from shipline.clients.kubeconfig import find_access
from shipline.clients.kubernetes import (
    AUTOSCALERS,
    DEPLOYMENTS,
    PODS,
    SECRETS,
    SERVICES,
    KubernetesClient,
    until_settled,
)
from shipline.clients.kubernetes_drivers import check_undriven
from shipline.clients.kubernetes_marks import (
    ENVIRONMENT,
    GROUP,
    ORDERED,
    REVISION,
    SIZE,
    STARTED,
    check_ours,
    marks,
    noting,
    number,
    object_name,
)
from shipline.clients.oci_credentials import client_credentials
from shipline.clients.oci_registry import OCIClient
from shipline.domain.errors import ConfigurationError, ConflictError, RefusedError, ShiplineError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import Group, GroupSpec, Role, check_same, checked_digests, checked_group_id
from shipline.providers.target.kubernetes_given import give, secret_of
from shipline.providers.target.kubernetes_manifest import (
    Birth,
    Manifest,
    container_of,
    deployment_of,
    read_manifest,
    service_of,
)
from shipline.providers.target.kubernetes_record import Prepared, Record
from shipline.providers.target.kubernetes_state import failing, group_of, is_begun, ready_of, replicas_of, spec_of

ANSWER_TIMEOUT_S = 10.0
# The end of a log that is shown.
LOG_LINES, LOG_BYTES = "20", "4096"
# How many groups have the end of a log fetched in one look: each is a request.
LOGS_MAX = 5
CONTAINER = f"{ENVIRONMENT.partition('/')[0]}/container"


class KubernetesTarget:
    """Runs the groups of one environment in one namespace."""

    api_version = 3
    artifact_kinds: tuple[str, ...] = ("oci",)
    gives = ("variables", "secrets")

    @dataclass(frozen=True, slots=True)
    class Settings:
        """Where and from what groups are made.

        `manifest` is a file of the repository with one Deployment. `port` is where its pods answer, and what its
        Service listens on, 1 to 65535. `container` names the one that runs the released image; "" is the only one.
        `kubeconfig` is a file, "" what KUBECONFIG names, else the user's own, else the account of the pod; `context`
        is one of its contexts, "" the current one. `namespace` "" is that of the context.
        """

        manifest: str
        port: int
        container: str = ""
        namespace: str = ""
        kubeconfig: str = ""
        context: str = ""

        def __post_init__(self) -> None:
            """Refuse what could not be a file or a port."""
            if not self.manifest:
                raise ConfigurationError("manifest: a Deployment is needed to make groups from")
            if not 1 <= self.port <= 65535:
                raise ConfigurationError(f"port: {self.port} is not a port")

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        self._settings = settings
        self._clock = context.clock
        self._variables = context.variables
        self._root = context.root
        self._environment = context.environment or "default"

    def prepare(self, package: str, version: str, digests: tuple[str, ...]) -> None:
        """Find the image in its registry, and let the API server try both objects without keeping them."""
        checked_digests(digests)
        manifest = self._manifest()
        name = str(manifest.deployment.get("metadata", {}).get("name", ""))
        check_undriven(self._client, self._namespace, name=name, image=manifest.image)
        registry = OCIClient(
            manifest.registry_url,
            manifest.repository,
            ANSWER_TIMEOUT_S,
            client_credentials(manifest.image.partition("/")[0]),
        )
        found = next((digest for digest in digests if registry.digest_of(digest) == digest), None)
        if found is None:
            raise ShiplineError(
                f"{manifest.image} has no image of {package} {version}",
                why="none of the released digests is there",
                todo="let a [[registry]] publish to the repository that the manifest names",
            )
        prepared = Prepared(package, version, digests, f"{manifest.image}@{found}", self._clock.now_us())
        self._rehearse(manifest, prepared)
        self._record.note(prepared)

    def _rehearse(self, manifest: Manifest, prepared: Prepared) -> None:
        spec = GroupSpec("rehearsal", Role.CANARY, prepared.package, prepared.version, 1, prepared.digests)
        body = self._body(manifest, self._birth(spec, prepared.image, self._clock.now_us()))
        tried = self._client.apply(self._deployment(spec.id), body, dry_run=True)
        service = service_of(tried, self._settings.port)
        self._client.apply(SERVICES.path(self._namespace, object_name(spec.id)), service, dry_run=True)
        self._give_secrets(tried, dict.fromkeys(self._variables.secret_names, ""), dry_run=True)

    def run(
        self,
        spec: GroupSpec,
        *,
        revision: int,
        leaving: tuple[str, ...] = (),  # noqa: ARG002 - copies have no names here, so none can be meant
    ) -> Group:
        """Make the group what `spec` says, and return how it stands.

        RefusedError for an older revision, and for a smaller size where the container has no `preStop` hook.
        """
        object_name(spec.id)
        until_settled(lambda: self._run(spec, revision))
        return next(group for group in self._look(self._deployments()) if group.id == spec.id)

    def _run(self, spec: GroupSpec, revision: int) -> None:
        record = self._record.fence(revision)
        found = self._client.find(self._deployment(spec.id))
        if found is None or not is_begun(found):
            prepared = self._record.prepared(record, spec.package, spec.version, spec.digests)
            found = self._begin(spec, prepared, found)
        check_ours(found, self._environment)
        check_same(spec_of(found), spec)
        self._check_image(found)
        self._client.apply(SERVICES.path(self._namespace, object_name(spec.id)), service_of(found, self._settings.port))
        self._size(found, spec, revision)

    def _begin(self, spec: GroupSpec, prepared: Prepared, half: Mapping[str, Any] | None) -> dict[str, Any]:
        """Apply the Deployment, without copies, and the Secret that these need.

        `half` is what a crash, or a patch that was refused, has left of the Deployment.

        The time that it was begun stays: a change would have the controller write its status, so that the patch that
        gives it copies would find another version, again and again.
        """
        started_us = self._clock.now_us()
        if half is not None:
            started_us = number(half, STARTED) or started_us
            check_ours(half, self._environment)
            if half["metadata"].get("deletionTimestamp"):
                raise ConflictError(f"the group {spec.id} is still being removed", retryable=True)
        manifest, given = self._manifest(), self._variables.secrets()
        body = self._body(manifest, self._birth(spec, prepared.image, started_us))
        body["metadata"]["annotations"][CONTAINER] = manifest.container
        begun = self._client.apply(self._deployment(spec.id), body)
        self._give_secrets(begun, given)
        return begun

    def _body(self, manifest: Manifest, birth: Birth) -> dict[str, Any]:
        body = deployment_of(manifest, birth)
        give(body, manifest.container, birth.spec.id, self._variables)
        return body

    def _give_secrets(self, deployment: Mapping[str, Any], values: Mapping[str, str], *, dry_run: bool = False) -> None:
        """The group's Secret, where it needs one: an account that gives none needs no right to."""
        if values:
            path = SECRETS.path(self._namespace, deployment["metadata"]["name"])
            self._client.apply(path, secret_of(deployment, values), dry_run=dry_run)

    def _size(self, found: dict[str, Any], spec: GroupSpec, revision: int) -> None:
        """Give the group its size, as the call of this revision."""
        check_fence(number(found, REVISION) or 0, revision)
        before = number(found, SIZE) or 0
        if spec.size < before and not _drains(self._container(found)):
            raise RefusedError(
                f"group {spec.id} has {before} copies, and {spec.size} cannot be left",
                why="the container has no preStop hook: a pod that is stopped cuts its open requests off",
                todo="let it wait some seconds in lifecycle.preStop of the manifest",
            )
        replicas = self._replicas(found, spec, before)
        if (number(found, REVISION), before, replicas_of(found)) == (revision, spec.size, replicas):
            return
        notes = {REVISION: str(revision), SIZE: str(spec.size)}
        if spec.size != before or replicas != replicas_of(found):
            notes[ORDERED] = str(self._clock.now_us())
        self._record.check(revision)
        operations = (*noting(found, notes), {"op": "replace", "path": "/spec/replicas", "value": replicas})
        self._client.change(self._deployment(spec.id), found, operations)

    def _replicas(self, found: dict[str, Any], spec: GroupSpec, before: int) -> int:
        """How many pods the group of this size has: what autoscalers and people have added stays."""
        now = replicas_of(found)
        if spec.size < before:
            return max(spec.size, now) if self._is_scaled(found) else spec.size
        floor = 0
        # A baseline is as small as the canary that it is compared with.
        if spec.size > before and spec.role is not Role.BASELINE:
            others = [other for other in self._deployments() if spec_of(other).package == spec.package]
            floor = max((replicas_of(one) for one in others if (number(one, SIZE) or 0) <= spec.size), default=0)
        return max(spec.size, now, floor)

    def _is_scaled(self, found: dict[str, Any]) -> bool:
        """True if an autoscaler has this Deployment for its own."""
        wanted = ("Deployment", found["metadata"]["name"])
        scaled = (one["spec"]["scaleTargetRef"] for one in self._client.list(AUTOSCALERS.path(self._namespace)))
        return any((ref.get("kind"), ref.get("name")) == wanted for ref in scaled)

    def groups(self) -> tuple[Group, ...]:
        """The groups of this environment, by id, as they stand."""
        return self._look(self._deployments())

    def stop(self, group_id: str, *, revision: int) -> None:
        """Delete the Deployment; its Service and pods go with it, and each pod has its grace period."""
        checked_group_id(group_id)
        object_name(group_id)
        until_settled(lambda: self._stop(group_id, revision))

    def _stop(self, group_id: str, revision: int) -> None:
        self._record.fence(revision)
        found = self._client.find(self._deployment(group_id))
        if found is None or found["metadata"].get("deletionTimestamp"):
            return
        check_ours(found, self._environment)
        check_fence(number(found, REVISION) or 0, revision)
        self._client.remove(self._deployment(group_id), found)

    def _look(self, deployments: tuple[dict[str, Any], ...]) -> tuple[Group, ...]:
        """How the groups stand; pods are asked for only where some are not ready."""
        short = {marks(one)[GROUP] for one in deployments if ready_of(one, spec_of(one).size) < spec_of(one).size}
        pods: dict[str, list[dict[str, Any]]] = {name: [] for name in short}
        if short:
            for pod in self._client.list(PODS.path(self._namespace), labels={ENVIRONMENT: self._environment}):
                if marks(pod).get(GROUP) in pods:
                    pods[marks(pod)[GROUP]].append(pod)
        output = self._output(pods)
        groups = (
            group_of(
                one,
                pods.get(marks(one)[GROUP], ()),
                output=output,
                image=str(self._container(one).get("image", "")),
                now_us=self._clock.now_us(),
            )
            for one in deployments
        )
        return tuple(sorted(groups, key=lambda group: group.id))

    def _output(self, pods: Mapping[str, list[dict[str, Any]]]) -> dict[str, str]:
        """The end of what one failing pod of each group has said, by the pod's name."""
        found = [pod for name in sorted(pods) if (pod := failing(pods[name])) is not None]
        return {pod["metadata"]["name"]: self._log(pod) for pod in found[:LOGS_MAX]}

    def _log(self, pod: Mapping[str, Any]) -> str:
        path = PODS.path(self._namespace, pod["metadata"]["name"], part="log")
        asked = {"tailLines": LOG_LINES, "limitBytes": LOG_BYTES, "container": self._released(pod)}
        said = self._client.text(path, asked | {"previous": "true"}) or self._client.text(path, asked)
        return self._variables.masked(said)

    def _released(self, pod: Mapping[str, Any]) -> str:
        return self._settings.container or str(pod["spec"]["containers"][0]["name"])

    def _check_image(self, found: dict[str, Any]) -> None:
        image = str(self._container(found).get("image", ""))
        if not image.endswith(spec_of(found).digests):
            raise ConflictError(
                f"somebody has changed the image of {found['metadata']['name']} to {image[:200]}",
                todo="set it back (kubectl rollout undo), or stop the group and deploy again",
            )

    def _container(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """The container that runs the released image, as it was named when the group was begun."""
        return container_of(found, str((found["metadata"].get("annotations") or {}).get(CONTAINER, "")))

    def _deployments(self) -> tuple[dict[str, Any], ...]:
        found = self._client.list(DEPLOYMENTS.path(self._namespace), labels={ENVIRONMENT: self._environment})
        return tuple(one for one in found if is_begun(one))

    def _deployment(self, group_id: str) -> str:
        return DEPLOYMENTS.path(self._namespace, object_name(group_id))

    def _birth(self, spec: GroupSpec, image: str, started_us: int) -> Birth:
        return Birth(spec, image, self._environment, started_us)

    def _manifest(self) -> Manifest:
        return read_manifest(self._root, self._settings.manifest, self._settings.container)

    @cached_property
    def _client(self) -> KubernetesClient:
        access = find_access(self._settings.kubeconfig, self._settings.context)
        return KubernetesClient(access, timeout_s=ANSWER_TIMEOUT_S)

    @property
    def _namespace(self) -> str:
        return self._settings.namespace or self._client.access.namespace

    @property
    def _record(self) -> Record:
        return Record(self._client, self._namespace, self._environment)


def _drains(container: Mapping[str, Any]) -> bool:
    """True if a pod goes on serving for a while after its Service has been told to leave it out."""
    return bool((container.get("lifecycle") or {}).get("preStop"))
