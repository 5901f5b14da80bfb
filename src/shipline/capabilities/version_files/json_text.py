"""JSON: strings with their keys and byte offsets, and the standard library's parser to check them against."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from shipline.capabilities.version_files.spans import Span
from shipline.capabilities.version_files.trees import Keys

_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*"|[{}\[\],]')
_COLON = re.compile(r"\s*:")


def read_json(data: bytes) -> Any:
    """A JSON text. Numbers stay as they are written. Bytes that are no UTF-8 are let through in strings."""
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)


def scan_json(data: bytes) -> Iterator[tuple[Keys, Span]]:
    """Strings of a JSON text that is known to be valid (RFC 8259)."""
    text = data.decode("latin-1")  # So that offsets are bytes.
    keys: list[str | int] = []
    for match in _TOKEN.finditer(text):
        found = match[0]
        if found in "{[":
            keys.append("" if found == "{" else 0)
        elif found in "}]":
            keys.pop()
        elif found == ",":
            keys[-1] = last + 1 if isinstance(last := keys[-1], int) else ""
        elif not isinstance(keys[-1] if keys else 0, int) and _COLON.match(text, match.end()):
            keys[-1] = _key(found)
        else:
            yield tuple(keys), Span(match.start() + 1, match.end() - 1, found[1:-1])


def _key(quoted: str) -> str:
    if quoted.isascii() and "\\" not in quoted:
        return quoted[1:-1]
    return str(read_json(quoted.encode("latin-1")))
