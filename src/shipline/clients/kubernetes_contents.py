"""An object whose pod template names the released image: what Shipline notes on it, and how the image is changed.

The notes are annotations of the object, never of the template: a template that differs in anything but the image would
be another version to its controller. They say which versions the images are, for the last CONTENTS_MAX of them, and
which revision acted last. Image and notes are changed by one patch that tests the resource version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from shipline.clients.durable_state import check_fence
from shipline.clients.kubernetes import KubernetesClient, Operation, until_settled
from shipline.clients.kubernetes_images import named_container, spoken
from shipline.clients.kubernetes_marks import PREFIX, REVISION, damaged, notes, noting, number
from shipline.domain.codec import from_json
from shipline.domain.errors import ConflictError, ShiplineError
from shipline.ports.controller import Content

DRIVEN_BY = f"{PREFIX}driven-by"
CONTENTS = f"{PREFIX}contents"
CONTENTS_MAX = 20


def image_of(template: Mapping[str, Any], container: str, *, owner: str) -> str:
    """The image of the container that is released."""
    place = named_container(template, container, owner=owner)
    return str(template["spec"]["containers"][place].get("image", ""))


def content_of(found: Mapping[str, Any], image: str) -> Content:
    """What an image is, by the notes on the object; what nobody noted is called by its own name."""
    for one in _noted(found):
        if one.image == image:
            return one
    return Content(image, "", spoken(image))


def check_owner(found: Mapping[str, Any], environment: str) -> None:
    """Refuse an object that another environment drives (ConflictError)."""
    owner = notes(found).get(DRIVEN_BY, environment)
    if owner != environment:
        raise ConflictError(
            f"{found['metadata']['name']} is driven by the environment {owner}",
            todo="give each environment an object of its own",
        )


def fence(found: Mapping[str, Any], environment: str, revision: int) -> None:
    """ConflictError for another environment's object, RefusedError for a revision older than the newest seen."""
    check_owner(found, environment)
    check_fence(number(found, REVISION) or 0, revision)


@dataclass(frozen=True, slots=True)
class NamedImage:
    """Where the released image is named: the object at `path`, the container of that name in its template ("": the
    only one), and the environment that drives it."""

    client: KubernetesClient
    path: str
    container: str
    environment: str

    def set(self, content: Content, revision: int) -> None:
        """Make the object's template run this image. Idempotent; RefusedError for an older revision."""
        until_settled(lambda: self._set(content, revision))

    def operations(self, found: Mapping[str, Any], content: Content) -> tuple[Operation, ...]:
        """The JSON patch that names the image."""
        check_owner(found, self.environment)
        place = named_container(found["spec"]["template"], self.container, owner=found["metadata"]["name"])
        where = f"/spec/template/spec/containers/{place}/image"
        return ({"op": "replace", "path": where, "value": content.image},)

    def _set(self, content: Content, revision: int) -> None:
        found = self.client.find(self.path)
        if found is None:
            raise ShiplineError(f"{self.path.rsplit('/', 1)[-1]} is gone")
        fence(found, self.environment, revision)
        operations = self.operations(found, content)
        now = image_of(found["spec"]["template"], self.container, owner=found["metadata"]["name"])
        if now == content.image and number(found, REVISION) == revision:
            return
        noted = noting(found, _notes(found, content, self.environment, revision))
        self.client.change(self.path, found, (*noted, *operations))


def _notes(found: Mapping[str, Any], content: Content, environment: str, revision: int) -> dict[str, str]:
    # What Shipline does not know stays unnoted: nobody released it.
    kept = [one for one in _noted(found) if one.image != content.image]
    known = [*kept, content][-CONTENTS_MAX:] if content.package else kept
    noted = json.dumps([asdict(one) for one in known])
    return {DRIVEN_BY: environment, REVISION: str(revision), CONTENTS: noted}


def _noted(found: Mapping[str, Any]) -> list[Content]:
    text = notes(found).get(CONTENTS)
    if text is None:
        return []
    try:
        return [from_json(Content, one) for one in json.loads(text)]
    except (ValueError, TypeError, RecursionError, ShiplineError):
        raise damaged(found, CONTENTS) from None
