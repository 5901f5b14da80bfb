"""YAML that a tool has written, of any size: its scalars with their keys and places, keys among them, in one pass.

PyYAML's composer takes a second for 256 KiB, and lock files have more than that: here its C parser tells of events, and
no document is made. What a lock file never has, such as aliases, is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from shipline.clients.byte_spans import Span, with_texts

DEPTH_MAX = 64


class Scalar(NamedTuple):
    """A key or a value. `keys` lead to it; those of a key end with itself. `start` and `end` count characters."""

    keys: tuple[str, ...]
    text: str
    is_key: bool
    start: int
    end: int


@dataclass
class _Open:
    """A collection that is being read: a table with the key that a value is awaited for, or a list with its number."""

    is_table: bool
    key: str | None = None
    number: int = field(default=0)


def scalars_of(data: bytes) -> list[Scalar]:
    """All scalars, in their order. ValueError for what is no YAML, and for aliases."""
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - no types; and most version files are no YAML

    found: list[Scalar] = []
    path: list[_Open] = []
    try:
        for event in yaml.parse(data.decode("utf-8"), Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader)):
            _take(yaml, event, path, found)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(" ".join(str(error).split())) from None
    return found


def _take(yaml: Any, event: Any, path: list[_Open], found: list[Scalar]) -> None:
    if isinstance(event, yaml.AliasEvent) or len(path) > DEPTH_MAX:
        raise ValueError("it has an alias, or is nested too deeply")
    if isinstance(event, yaml.ScalarEvent):
        is_key = bool(path) and path[-1].is_table and path[-1].key is None
        quoted = 1 if event.style in ("'", '"') else 0
        if is_key:
            path[-1].key = event.value
        keys = tuple(str(each.key if each.is_table else each.number) for each in path)
        found.append(Scalar(keys, event.value, is_key, event.start_mark.index + quoted, event.end_mark.index - quoted))
        if not is_key:
            _next(path)
    elif isinstance(event, yaml.CollectionStartEvent):
        path.append(_Open(isinstance(event, yaml.MappingStartEvent)))
    elif isinstance(event, yaml.CollectionEndEvent):
        path.pop()
        _next(path)


def _next(path: list[_Open]) -> None:
    if path:
        path[-1].key = None
        path[-1].number += 1


def with_scalars(data: bytes, edits: dict[Scalar, str]) -> bytes:
    """`data` with a new text for some of its scalars, read again: nothing else may have changed."""
    text = data.decode("utf-8")
    spans = []
    for scalar, new in edits.items():
        if text[scalar.start : scalar.end] != scalar.text:
            raise ValueError(f"what stands at {'/'.join(scalar.keys)[:100]} is not written plainly")
        start = len(text[: scalar.start].encode())
        spans.append((Span(start, start + len(scalar.text.encode()), scalar.text), new))
    edited = with_texts(data, spans)
    wanted = [(edits.get(each, each.text), each.is_key) for each in scalars_of(data)]
    if [(each.text, each.is_key) for each in scalars_of(edited)] != wanted:
        raise ValueError("read again, it differs in more than what is required")
    return edited
