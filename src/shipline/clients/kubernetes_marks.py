"""How Shipline marks the objects that it has in a cluster, and how these are named: shared by what runs groups there
and by what routes to them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from shipline.domain.errors import ConflictError, InvalidValue, ShiplineError

PREFIX = "shipline.dev/"
# Labels, by which objects are found.
ENVIRONMENT, GROUP, ROLE = f"{PREFIX}environment", f"{PREFIX}group", f"{PREFIX}role"
# Annotations, which hold what no label can.
REVISION, SIZE, ORDERED = f"{PREFIX}revision", f"{PREFIX}size", f"{PREFIX}ordered-us"
PACKAGE, VERSION, DIGESTS, STARTED = (
    f"{PREFIX}package",
    f"{PREFIX}version",
    f"{PREFIX}digests",
    f"{PREFIX}started-us",
)
# DNS labels, RFC 1035: what a Service may be called. `s-` goes before a group's id.
OBJECT_GROUP = re.compile(r"[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?")
NUMBER = re.compile(r"[0-9]{1,19}")


def object_name(group_id: str) -> str:
    """What a group's Deployment and Service are called. InvalidValue for an id that begins or ends with `-`."""
    if not OBJECT_GROUP.fullmatch(group_id):
        raise InvalidValue(f"{group_id[:80]!r} cannot be a group in Kubernetes: names begin and end with a-z or 0-9")
    return f"s-{group_id}"


def group_behind(name: str) -> str | None:
    """The group whose Service is called `name`; None for one that is not Shipline's."""
    return name.removeprefix("s-") if name.startswith("s-") and OBJECT_GROUP.fullmatch(name[2:]) else None


def marks(found: Mapping[str, Any]) -> dict[str, str]:
    """The labels of an object."""
    return dict(found["metadata"].get("labels") or {})


def notes(found: Mapping[str, Any]) -> dict[str, str]:
    """The annotations of an object."""
    return dict(found["metadata"].get("annotations") or {})


def number(found: Mapping[str, Any], annotation: str) -> int | None:
    """The number in an annotation, None where it has none. ShiplineError where that is no number."""
    text = notes(found).get(annotation)
    if text is None:
        return None
    if not NUMBER.fullmatch(text):
        raise damaged(found, annotation)
    return int(text)


def document(found: Mapping[str, Any], annotation: str) -> Any:
    """The JSON in an annotation. ShiplineError where there is none."""
    try:
        return json.loads(notes(found)[annotation])
    except (KeyError, ValueError, RecursionError):
        raise damaged(found, annotation) from None


def damaged(found: Mapping[str, Any], annotation: str) -> ShiplineError:
    """Somebody has changed what only Shipline writes."""
    return ShiplineError(
        f"the annotation {annotation} of {found['metadata']['name']} is missing, or is not what Shipline wrote",
        todo="set it back from the cluster's own history, or delete the object and deploy again",
    )


def noting(found: Mapping[str, Any], values: Mapping[str, str]) -> tuple[dict[str, Any], ...]:
    """JSON patch operations that set annotations on the object as it was found."""
    if not notes(found):
        return ({"op": "add", "path": "/metadata/annotations", "value": dict(values)},)
    # RFC 6901: `/` within a name is written `~1`.
    return tuple(
        {"op": "add", "path": f"/metadata/annotations/{name.replace('/', '~1')}", "value": value}
        for name, value in values.items()
    )


def check_ours(found: Mapping[str, Any], environment: str) -> None:
    """Refuse an object that somebody else has made, or another environment (ConflictError)."""
    owner = marks(found).get(ENVIRONMENT)
    if owner != environment:
        whose = f"belongs to the environment {owner}" if owner else "was not made by Shipline"
        raise ConflictError(
            f"{found['metadata']['name']} in the namespace {found['metadata'].get('namespace', '')} {whose}",
            todo="give each environment a namespace of its own",
        )
