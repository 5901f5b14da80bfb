"""JSON patch (RFC 6902) on plain data: test, add, replace and remove."""

from __future__ import annotations

from typing import Any


class PatchFailed(Exception):
    """An operation cannot be carried out, or a test does not hold."""


def copied(value: Any) -> Any:
    """A copy of plain data: the fake cluster makes some at each look, and `copy.deepcopy` takes three times as long."""
    if isinstance(value, dict):
        return {name: copied(inner) for name, inner in value.items()}
    return [copied(inner) for inner in value] if isinstance(value, list) else value


def patched(document: Any, operations: list[dict[str, Any]]) -> Any:
    """A changed copy of the document. Raises PatchFailed."""
    result = copied(document)
    for operation in operations:
        _carry_out(result, operation)
    return result


def _carry_out(document: Any, operation: dict[str, Any]) -> None:
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
    try:
        place = document
        for part in parents:
            place = place[int(part)] if isinstance(place, list) else place[part]
        _change(place, last, operation)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise PatchFailed(f"{operation['op']} operation does not apply: {operation['path']}") from error


def _change(place: Any, last: str, operation: dict[str, Any]) -> None:
    kind = operation["op"]
    if kind == "add" and isinstance(place, list):
        place.insert(len(place) if last == "-" else int(last), operation["value"])
        return
    key: Any = int(last) if isinstance(place, list) else last
    if kind == "add":
        place[key] = operation["value"]
    elif kind == "test":
        if place[key] != operation["value"]:
            raise PatchFailed(f"testing value {operation['path']} failed")
    elif kind == "replace":
        place[key]
        place[key] = operation["value"]
    elif kind == "remove":
        del place[key]
    else:
        raise PatchFailed(f"unknown operation {kind}")
