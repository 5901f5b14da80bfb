"""From the project's manifest to the objects of a group. Pure, but for reading the file.

The manifest is a YAML file of the repository with one Deployment. It is checked strictly against the schemas of
Kubernetes (the package kubernetes-validate) before anything is sent: an API server before 1.27 leaves out what it does
not know, without a word.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipline.clients.confidential import LOOPBACK
from shipline.clients.kubernetes_marks import (
    DIGESTS,
    ENVIRONMENT,
    GROUP,
    PACKAGE,
    ROLE,
    STARTED,
    VERSION,
    object_name,
)
from shipline.clients.yaml_documents import read_documents
from shipline.domain.errors import ConfigurationError, InvalidValue, ShiplineError
from shipline.ports.target import GroupSpec

MANIFEST_BYTES_MAX = 256 << 10
# Deployment v1 apps, spec.progressDeadlineSeconds: the default of Kubernetes.
PROGRESS_DEADLINE_S = 600
# Distribution's reference grammar: host, optional port, path; then a tag or a digest, which is replaced.
IMAGE = re.compile(
    r"(?P<host>[A-Za-z0-9.-]+(?::[0-9]{1,5})?)/(?P<path>[a-z0-9._/-]+)(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?"
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The Deployment that groups are made from, and the container in it that runs the image of the version."""

    deployment: Mapping[str, Any]
    container: str

    @property
    def image(self) -> str:
        """The image without tag and digest: `registry.example/team/quotes`."""
        found = IMAGE.fullmatch(self._container["image"])
        assert found is not None, "checked when it was read"  # noqa: S101 - an invariant, not input
        return f"{found['host']}/{found['path']}"

    @property
    def registry_url(self) -> str:
        """The origin of the image's registry: https, but for this machine."""
        host = self.image.partition("/")[0]
        return f"{'http' if host.partition(':')[0] in LOOPBACK else 'https'}://{host}"

    @property
    def repository(self) -> str:
        """The image's name within its registry."""
        return self.image.partition("/")[2]

    @property
    def _container(self) -> dict[str, Any]:
        return container_of(self.deployment, self.container)


@dataclass(frozen=True, slots=True)
class Birth:
    """What a group is from its birth on: its spec, the image with digest, its environment, and when it was begun."""

    spec: GroupSpec
    image: str
    environment: str
    started_us: int


def container_of(deployment: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The container of that name in a Deployment; an empty one where there is none."""
    containers = deployment["spec"]["template"]["spec"]["containers"]
    return next((each for each in containers if each.get("name") == name), {})


def read_manifest(root: Path, path: str, container: str) -> Manifest:
    """Read and check the manifest at `path`, which is in the repository. `container` "" is the only one.

    Raises ConfigurationError that says what is wrong with it.
    """
    place = (root / path).resolve()
    if not place.is_relative_to(root.resolve()):
        raise ConfigurationError(f"manifest = {path[:80]!r} leads out of the repository")
    try:
        with place.open("rb") as stream:
            data = stream.read(MANIFEST_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigurationError(f"the manifest {path} cannot be read", why=error.strerror or "") from None
    try:
        documents = read_documents(data, what=path, limit_bytes=MANIFEST_BYTES_MAX)
    except InvalidValue as error:
        raise ConfigurationError(error.what, why=error.why) from None
    if len(documents) != 1 or (documents[0].get("apiVersion"), documents[0].get("kind")) != ("apps/v1", "Deployment"):
        raise ConfigurationError(
            f"{path} holds something else than one Deployment of apps/v1",
            todo="keep what all groups share (volumes, accounts, routes) in files of its own: Shipline makes a "
            "Deployment and a Service for each group",
        )
    check_strictly(documents[0], path)
    return _checked(documents[0], path, container)


def check_strictly(found: Mapping[str, Any], what: str) -> None:
    """Check an object against its schema, names that are not in it included. ConfigurationError says where."""
    try:
        import kubernetes_validate  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra, for who has a cluster
    except ImportError:
        raise ShiplineError(
            "manifests cannot be checked", todo="install Shipline with its extra: pip install 'shipline[kubernetes]'"
        ) from None
    try:
        kubernetes_validate.validate(found, kubernetes_validate.latest_version(), strict=True)
    except kubernetes_validate.ValidationError as error:
        place = ".".join(str(part) for part in error.path) or "at its top"
        raise ConfigurationError(f"{what}: {place}: {error.message[:300]}") from None


def _checked(deployment: dict[str, Any], path: str, container: str) -> Manifest:
    names = [each["name"] for each in deployment["spec"]["template"]["spec"]["containers"]]
    chosen = container or (names[0] if len(names) == 1 else "")
    if chosen not in names:
        raise ConfigurationError(f"{path}: it is not clear which container is released", todo=f"set container: {names}")
    manifest = Manifest(deployment, chosen)
    found = container_of(deployment, chosen)
    if not IMAGE.fullmatch(str(found.get("image"))):
        raise ConfigurationError(
            f"{path}: the image of {chosen} is not named with its registry",
            todo="write it as registry.example/team/name; what tag or digest it has does not matter",
        )
    if "readinessProbe" not in found:
        raise ConfigurationError(
            f"{path}: the container {chosen} has no readinessProbe",
            why="without one every container that has been started counts as ready",
        )
    return manifest


def deployment_of(manifest: Manifest, birth: Birth) -> dict[str, Any]:
    """The Deployment of a group as it is begun: without copies, which a patch gives it that tests who came last."""
    body = copy.deepcopy(dict(manifest.deployment))
    spec, marks = birth.spec, {ENVIRONMENT: birth.environment, GROUP: birth.spec.id}
    given = body.get("metadata", {})
    body["metadata"] = {
        "name": object_name(spec.id),
        "labels": {**given.get("labels", {}), **marks, ROLE: spec.role.value},
        "annotations": {
            **given.get("annotations", {}),
            PACKAGE: spec.package,
            VERSION: spec.version,
            DIGESTS: json.dumps(spec.digests),
            STARTED: str(birth.started_us),
        },
    }
    body["spec"] |= {"replicas": 0, "selector": {"matchLabels": marks}}
    body["spec"].setdefault("progressDeadlineSeconds", PROGRESS_DEADLINE_S)
    pods = body["spec"]["template"].setdefault("metadata", {})
    pods["labels"] = {**pods.get("labels", {}), **marks, ROLE: spec.role.value}
    pods["annotations"] = {**pods.get("annotations", {}), VERSION: spec.version}
    container_of(body, manifest.container)["image"] = birth.image
    return body


def service_of(deployment: Mapping[str, Any], port: int) -> dict[str, Any]:
    """The Service of a group, which goes with its Deployment."""
    metadata = deployment["metadata"]
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": metadata["name"], "uid": metadata["uid"]}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": metadata["name"],
            "labels": {name: metadata["labels"][name] for name in (ENVIRONMENT, GROUP, ROLE)},
            "ownerReferences": [owner],
        },
        "spec": {
            "selector": dict(deployment["spec"]["selector"]["matchLabels"]),
            "ports": [{"name": "http", "port": port, "protocol": "TCP", "targetPort": port}],
        },
    }
