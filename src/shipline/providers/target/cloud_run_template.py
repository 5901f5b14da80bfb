"""From the project's template to that of a revision. Pure, but for reading the file.

The file is a RevisionTemplate of the Admin API v2, as JSON. What it may hold is known, and other names are refused.
From: cloud.google.com/run/docs/reference/rest/v2/projects.locations.services (RevisionTemplate)
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shipline.clients.image_names import ImageName, image_name
from shipline.domain.errors import ConfigurationError, InvalidValue
from shipline.domain.strict_json import read_json

FILE_BYTES_MAX = 256 << 10
GROUP_VARIABLE = "SHIPLINE_GROUP"
KNOWN = frozenset(
    {
        "annotations",
        "containers",
        "encryptionKey",
        "encryptionKeyRevocationAction",
        "encryptionKeyShutdownDuration",
        "executionEnvironment",
        "gpuZonalRedundancyDisabled",
        "healthCheckDisabled",
        "labels",
        "maxInstanceRequestConcurrency",
        "nodeSelector",
        "scaling",
        "serviceAccount",
        "serviceMesh",
        "sessionAffinity",
        "timeout",
        "volumes",
        "vpcAccess",
    }
)


@dataclass(frozen=True, slots=True)
class Template:
    """What revisions are made from. `index` is the place of the container that runs the version's image, `image` that
    image without tag and digest."""

    body: Mapping[str, Any]
    index: int
    image: ImageName

    def giving(self, variables: Mapping[str, str]) -> Template:
        """With these variables of the container, in place of what the file has under the same names."""
        if not variables:
            return self
        body = copy.deepcopy(dict(self.body))
        container = body["containers"][self.index]
        kept = [each for each in container.get("env") or () if each.get("name") not in variables]
        container["env"] = [*kept, *({"name": name, "value": value} for name, value in sorted(variables.items()))]
        return replace(self, body=body)

    def of_revision(self, image: str, name: str, group_id: str, annotations: Mapping[str, str]) -> dict[str, Any]:
        """The template of one revision. Its container is told its group, since Google's own labels do not say it."""
        body = copy.deepcopy(dict(self.body))
        container = body["containers"][self.index]
        others = [each for each in container.get("env") or () if each.get("name") != GROUP_VARIABLE]
        container |= {"image": image, "env": [*others, {"name": GROUP_VARIABLE, "value": group_id}]}
        return body | {"revision": name, "annotations": {**body.get("annotations", {}), **annotations}}


def read_template(root: Path, path: str, container: str) -> Template:
    """Read and check the file at `path`, which is in the repository. `container` "" is the only one.

    Raises ConfigurationError that says what is wrong with it.
    """
    place = (root / path).resolve()
    if not place.is_relative_to(root.resolve()):
        raise ConfigurationError(f"template = {path[:80]!r} leads out of the repository")
    try:
        with place.open("rb") as stream:
            data = stream.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigurationError(f"the template {path} cannot be read", why=error.strerror or "") from None
    try:
        body: Any = read_json(data, what=path, limit_bytes=FILE_BYTES_MAX)
    except InvalidValue as error:
        raise ConfigurationError(error.what, why=error.why) from None
    return _checked(body, path, container)


def _checked(body: Any, path: str, container: str) -> Template:
    containers = body.get("containers") if isinstance(body, dict) else None
    if not isinstance(containers, list) or not all(isinstance(each, dict) for each in containers):
        raise ConfigurationError(f"{path} is no template of a revision: it has no containers")
    unknown = sorted(set(body) - KNOWN)
    if unknown:
        raise ConfigurationError(
            f"{path}: {unknown[0][:60]!r} is nothing that a template of yours has",
            todo=f"known are: {', '.join(sorted(KNOWN))}",
        )
    if not isinstance(body.get("annotations", {}), dict):
        raise ConfigurationError(f"{path}: annotations is no table")
    names = [str(each.get("name", "")) for each in containers]
    found = [at for at, name in enumerate(names) if name == container or (not container and len(names) == 1)]
    if len(found) != 1:
        raise ConfigurationError(f"{path}: it is not clear which container is released", todo=f"set container: {names}")
    image = image_name(containers[found[0]].get("image"))
    if image is None:
        raise ConfigurationError(
            f"{path}: the image is not named with its registry",
            todo="write it as registry.example/team/name; what tag or digest it has does not matter",
        )
    variables = containers[found[0]].get("env", [])
    if not isinstance(variables, list) or not all(isinstance(each, dict) for each in variables):
        raise ConfigurationError(f"{path}: env is no list of variables, each with its name")
    return Template(body, found[0], image)
