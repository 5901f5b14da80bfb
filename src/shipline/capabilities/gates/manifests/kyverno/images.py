"""Names of images, taken apart as Kyverno does, and the images of whatever makes pods.

Source: `pkg/utils/image` and `pkg/utils/api` of Kyverno; the grammar is that of `distribution/reference`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LENGTH_MAX = 1024
_DEFAULT_REGISTRY = "docker.io"
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)"
_PART = r"[a-z0-9]+(?:(?:\.|__|_|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"({_HOST}(?:\.{_HOST})*(?::[0-9]+)?)/({_PART}(?:/{_PART})*)(?::(\w[\w.-]{{0,127}}))?"
    r"(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)
_GROUPS = ("initContainers", "containers", "ephemeralContainers")
_PATHS = {
    "Pod": ("spec",),
    "DaemonSet": ("spec", "template", "spec"),
    "Deployment": ("spec", "template", "spec"),
    "ReplicaSet": ("spec", "template", "spec"),
    "ReplicationController": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}


@dataclass(frozen=True, slots=True)
class Image:
    """An image's name. `tag` is `latest` where neither a tag nor a digest is written."""

    registry: str
    path: str
    tag: str
    digest: str

    @property
    def reference(self) -> str:
        """The whole name, by digest where it has one."""
        return f"{self.registry}/{self.path}" + (f"@{self.digest}" if self.digest else f":{self.tag}")


def parse_image(text: str) -> Image:
    """The image. Raises ValueError for what is no name of one."""
    first, slash, _ = text.partition("/")
    has_registry = slash and (any(each in first for each in ".:") or first == "localhost" or first != first.lower())
    match = _REFERENCE.fullmatch(text if has_registry else f"{_DEFAULT_REGISTRY}/{text}")
    if len(text) > LENGTH_MAX or match is None:
        raise ValueError(f"{text[:80]!r} is no name of an image")
    tag, digest = match[3] or "", match[4] or ""
    return Image(match[1], match[2], tag if tag or digest else "latest", digest)


def image_texts(document: Mapping[str, Any], kind: str) -> dict[str, list[str]]:
    """What is written of images, by the group of containers; every group of what makes pods, nothing of other kinds."""
    spec: Any = document if kind in _PATHS else None
    for key in _PATHS.get(kind, ()):
        spec = spec.get(key) if isinstance(spec, Mapping) else None
    if not isinstance(spec, Mapping):
        return {}
    return {
        group: [str(one.get("image") or "") for one in spec.get(group) or () if isinstance(one, Mapping)]
        for group in _GROUPS
    }


def images_of(document: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """`{"containers": {name: {"registry", "path", "name", "tag", …}}}`. Raises ValueError for an image without form."""
    path = _PATHS.get(kind)
    spec: Any = document if path else None
    for key in path or ():
        spec = spec.get(key) if isinstance(spec, Mapping) else None
    if not isinstance(spec, Mapping):
        return {}
    found: dict[str, dict[str, Any]] = {}
    for group in _GROUPS:
        named = {}
        for at, container in enumerate(spec.get(group) or ()):
            if (
                isinstance(container, Mapping)
                and isinstance(container.get("image"), str)
                and container["image"].strip()
            ):
                pointer = "/" + "/".join((*(path or ()), group, str(at), "image"))
                named[str(container.get("name"))] = _described(parse_image(container["image"]), pointer)
        if named:
            found[group] = named
    return found


def _described(image: Image, pointer: str) -> dict[str, str]:
    whole = {
        "registry": image.registry,
        "name": image.path.rpartition("/")[2],
        "path": image.path,
        "tag": image.tag,
        "digest": image.digest,
        "reference": image.reference,
        "referenceWithTag": f"{image.registry}/{image.path}:{image.tag}",
        "jsonPointer": pointer,
    }
    # Go leaves out what is empty.
    return {key: value for key, value in whole.items() if value}
