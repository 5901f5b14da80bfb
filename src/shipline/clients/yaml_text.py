"""YAML: scalars with their keys and byte offsets, as PyYAML's composer marks them. No object is ever constructed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, TypeAlias

from shipline.clients.byte_spans import Span

Keys: TypeAlias = tuple[str | int, ...]
BYTES_MAX = 256 * 1024  # The composer reads about that much in a second,
DEPTH_MAX = 100  # and brackets in brackets in the square of their depth.
_STRING = "tag:yaml.org,2002:str"


def read_yaml(data: bytes) -> Any:
    """A YAML document: tables, lists and strings; other scalars, aliases and odd keys stand for themselves."""
    return _plain(_composed(data), set())


def scan_yaml(data: bytes) -> Iterator[tuple[Keys, Span]]:
    """Scalars of one line, quoted or not, at the places that `read_yaml` reads them from."""
    text = _text(data)
    offsets = [0, *accumulate(len(character.encode("utf-8", "surrogateescape")) for character in text)]
    for keys, node in _scalars(_composed(data), (), set()):
        quoted = 1 if node.style in ("'", '"') else 0
        start, end = node.start_mark.index + quoted, node.end_mark.index - quoted
        yield keys, Span(offsets[start], offsets[end], text[start:end])


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _composed(data: bytes) -> Any:
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - no types; and most version files are no YAML

    if len(data) > BYTES_MAX:
        raise ValueError(f"YAML of more than {BYTES_MAX // 1024} KiB is not read")
    if _depth(data) > DEPTH_MAX:
        raise ValueError(f"YAML of more than {DEPTH_MAX} brackets in each other is not read")
    # What is no UTF-8 becomes a character that YAML allows, one for each byte, so that the places stay.
    text = "".join("\ufffd" if "\ud800" <= each <= "\udfff" else each for each in _text(data))
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None


def _depth(data: bytes) -> int:
    """How deep brackets may stand in each other, quoted ones included."""
    steps = (1 if match[0] in b"[{" else -1 for match in re.finditer(rb"[][{}]", data))
    return max(accumulate(steps, lambda depth, step: max(0, depth + step)), default=0)


def _plain(node: Any, seen: set[int]) -> Any:
    """The node as tables, lists and strings. A collection is followed once: what repeats it is an alias."""
    if node is None or id(node) in seen:
        return ("alias",) if node is not None else None
    seen.add(id(node))
    if node.id == "mapping":
        return {_key(key): _plain(value, seen) for key, value in node.value}
    if node.id == "sequence":
        return [_plain(item, seen) for item in node.value]
    return node.value if node.tag == _STRING else (node.tag, node.value)


def _scalars(node: Any, keys: Keys, seen: set[int]) -> Iterator[tuple[Keys, Any]]:
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if node.id == "scalar":
        yield keys, node
        return
    for number, item in enumerate(node.value):
        key, value = (_key(item[0]), item[1]) if node.id == "mapping" else (number, item)
        yield from _scalars(value, (*keys, key), seen)


def _key(node: Any) -> str:
    return str(node.value) if node.id == "scalar" else f"<{node.id} at {node.start_mark.index}>"
