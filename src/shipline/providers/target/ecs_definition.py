"""From the project's task definition to that of a version. Pure, but for reading the file.

The file is what `aws ecs register-task-definition --cli-input-json` takes. What it may hold is known, and other names
are refused: a setting that is spelt wrongly would be left out without a word.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shipline.clients.image_names import ImageName, image_name
from shipline.domain.errors import ConfigurationError, InvalidValue
from shipline.domain.strict_json import read_json

FILE_BYTES_MAX = 256 << 10
# The request of RegisterTaskDefinition in the API reference of ECS, without `tags`, which are Shipline's.
KNOWN = frozenset(
    {
        "containerDefinitions",
        "cpu",
        "enableFaultInjection",
        "ephemeralStorage",
        "executionRoleArn",
        "family",
        "inferenceAccelerators",
        "ipcMode",
        "memory",
        "networkMode",
        "pidMode",
        "placementConstraints",
        "proxyConfiguration",
        "requiresCompatibilities",
        "runtimePlatform",
        "taskRoleArn",
        "volumes",
    }
)


@dataclass(frozen=True, slots=True)
class Definition:
    """The task definition that groups are made from. `container` is the name of the one that runs the version's image,
    `image` that image without tag and digest."""

    body: Mapping[str, Any]
    container: str
    image: ImageName

    def giving(self, variables: Mapping[str, str]) -> Definition:
        """With these variables of the container, in place of what the file has under the same names."""
        if not variables:
            return self
        body = copy.deepcopy(dict(self.body))
        for each in body["containerDefinitions"]:
            if each["name"] == self.container:
                for kind in ("environment", "secrets"):
                    each[kind] = [one for one in each.get(kind) or () if one.get("name") not in variables]
                each["environment"] += [{"name": name, "value": value} for name, value in sorted(variables.items())]
        return replace(self, body=body)

    def with_image(self, digest: str, family: str) -> dict[str, Any]:
        """The request that registers it for one version."""
        body = copy.deepcopy(dict(self.body)) | {"family": family}
        for each in body["containerDefinitions"]:
            if each["name"] == self.container:
                each["image"] = self.image.at(digest)
        return body


def read_definition(root: Path, path: str, container: str, port: int) -> Definition:
    """Read and check the file at `path`, which is in the repository. `container` "" is the only one.

    Raises ConfigurationError that says what is wrong with it.
    """
    place = (root / path).resolve()
    if not place.is_relative_to(root.resolve()):
        raise ConfigurationError(f"task_definition = {path[:80]!r} leads out of the repository")
    try:
        with place.open("rb") as stream:
            data = stream.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigurationError(f"the task definition {path} cannot be read", why=error.strerror or "") from None
    try:
        body: Any = read_json(data, what=path, limit_bytes=FILE_BYTES_MAX)
    except InvalidValue as error:
        raise ConfigurationError(error.what, why=error.why) from None
    return _checked(body, path, container, port)


def _checked(body: Any, path: str, container: str, port: int) -> Definition:
    containers = body.get("containerDefinitions") if isinstance(body, dict) else None
    if not isinstance(containers, list) or not all(isinstance(each, dict) and each.get("name") for each in containers):
        raise ConfigurationError(f"{path} is no task definition: it has no containerDefinitions with names")
    unknown = sorted(set(body) - KNOWN)
    if unknown:
        raise ConfigurationError(
            f"{path}: {unknown[0][:60]!r} is nothing that a task definition is registered with",
            todo=f"known are: {', '.join(sorted(KNOWN))}",
        )
    names = [str(each["name"]) for each in containers]
    chosen = container or (names[0] if len(names) == 1 else "")
    if names.count(chosen) != 1:
        raise ConfigurationError(f"{path}: it is not clear which container is released", todo=f"set container: {names}")
    found = containers[names.index(chosen)]
    image = image_name(found.get("image"))
    if image is None:
        raise ConfigurationError(
            f"{path}: the image of {chosen} is not named with its registry",
            todo="write it as registry.example/team/name; what tag or digest it has does not matter",
        )
    mappings = found.get("portMappings")
    ports = [each.get("containerPort") for each in mappings or () if isinstance(each, dict)]
    if port not in ports:
        raise ConfigurationError(f"{path}: the container {chosen} has no portMapping with the containerPort {port}")
    return Definition(body, chosen, image)


def family_of(environment: str, package: str, version: str, digests: tuple[str, ...]) -> str:
    """The family of the task definitions of a version of these artifacts: letters, digits and hyphens, 255 at most."""
    text = json.dumps([package, version, *digests])
    return f"shipline-{environment}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def source_of(request: Mapping[str, Any]) -> str:
    """What tells one task definition from another."""
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
