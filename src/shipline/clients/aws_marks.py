"""What Shipline writes on things of AWS: tags, documents that are spread over tags, and names.

A tag's value has 256 characters of a small alphabet, and a resource 50 tags
(docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html), so a document is compressed, written in
base64, and cut into pieces. The first piece says how many there are and what they digest to: pieces that belong to an
older document, or to half a change, are noticed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any, TypeVar

from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import ConflictError, InvalidValue, ShiplineError
from shipline.ports.target import checked_group_id

PREFIX = "shipline:"
ENVIRONMENT, GROUP, ROLE, REVISION, SIZE, ORDERED = (
    f"{PREFIX}{name}" for name in ("environment", "group", "role", "revision", "size", "ordered")
)
VALUE_CHARACTERS_MAX = 256
PIECES_MAX = 40
DOCUMENT_BYTES_MAX = 64 << 10
# Load balancers: at most 32 letters, digits and hyphens in the name of a target group.
SHORT_NAME_DIGITS = 23
D = TypeVar("D")


def short_name(environment: str, group_id: str) -> str:
    """The name of a group's target group, which has room for 32 characters: a digest of what it is."""
    text = json.dumps([environment, checked_group_id(group_id)])
    return f"shipline-{hashlib.sha256(text.encode()).hexdigest()[:SHORT_NAME_DIGITS]}"


def service_name(environment: str, group_id: str) -> str:
    """The name of a group's service."""
    return f"{service_prefix(environment)}{checked_group_id(group_id)}"


def service_prefix(environment: str) -> str:
    """What the names of an environment's services begin with; perhaps also those of another's: tags tell."""
    return f"shipline-{environment}-"


def number(tags: Mapping[str, str], name: str) -> int:
    """A number that Shipline wrote; 0 where it is not there. ShiplineError where somebody has changed it."""
    text = tags.get(name, "0")
    if not (text.isascii() and text.isdecimal() and len(text) <= 19):
        raise damaged(name)
    return int(text)


def check_ours(tags: Mapping[str, str], environment: str, what: str) -> None:
    """ConflictError for what is somebody else's, or another environment's."""
    owner = tags.get(ENVIRONMENT)
    if owner != environment:
        raise ConflictError(
            f"{what} was not made by Shipline for this environment",
            why=f"its tag {ENVIRONMENT} says {owner[:60]!r}" if owner else f"it has no tag {ENVIRONMENT}",
            todo="remove it, or give the environment another name",
        )


def written(name: str, document: object) -> dict[str, str]:
    """The tags that hold a document under `shipline:NAME`. InvalidValue where it is too large for them."""
    text = json.dumps(to_json(document), separators=(",", ":"), sort_keys=True)
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    digest = hashlib.sha256(packed.encode()).hexdigest()[:16]
    pieces = [packed[at : at + VALUE_CHARACTERS_MAX] for at in range(0, len(packed), VALUE_CHARACTERS_MAX)]
    if len(pieces) > PIECES_MAX:
        raise InvalidValue(
            "this is more than the tags of one resource can hold", todo="release fewer artifacts at once"
        )
    tags = {f"{PREFIX}{name}-{index}": piece for index, piece in enumerate(pieces, start=1)}
    return {f"{PREFIX}{name}": f"{len(pieces)} {digest}", **tags}


def read(kind: type[D], name: str, tags: Mapping[str, str]) -> D | None:
    """The document under `shipline:NAME`; None where there is none. ShiplineError where it is not what was written."""
    head = tags.get(f"{PREFIX}{name}")
    if head is None:
        return None
    count, _, digest = head.partition(" ")
    try:
        packed = "".join(tags[f"{PREFIX}{name}-{index}"] for index in range(1, min(int(count), PIECES_MAX) + 1))
        if hashlib.sha256(packed.encode()).hexdigest()[:16] != digest:
            raise damaged(name)
        unpacked = zlib.decompressobj().decompress(base64.b64decode(packed, validate=True), DOCUMENT_BYTES_MAX)
        return from_json(kind, json.loads(unpacked))
    except (KeyError, ValueError, RecursionError, binascii.Error, zlib.error, InvalidValue):
        raise damaged(name) from None


def damaged(name: str) -> ShiplineError:
    """For a tag that is not what Shipline wrote."""
    return ShiplineError(
        f"the tags {name} are not what Shipline wrote",
        todo="set them back; or remove what carries them, and deploy again",
    )


def listed(tags: Mapping[str, str], *, key: str = "key", value: str = "value") -> list[dict[str, Any]]:
    """Tags as an API takes them, whose names for the two differ in case."""
    return [{key: name, value: text} for name, text in tags.items()]
