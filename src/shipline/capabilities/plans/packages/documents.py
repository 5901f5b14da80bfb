"""Manifests as plain data: TOML, JSON and YAML of strangers, bounded, and never an error. Pure.

Bytes that are no UTF-8 are let through, as the editors of `version_files` do: people have Latin-1 in their comments.

YAML goes through PyYAML's C parser, which the engine brings with it, imported when the first YAML file is read; as
strings alone (`1.10` stays so), without tags, aliases or deep nesting.
"""

from __future__ import annotations

import json
from typing import Any

from shipline.domain.strict_toml import read_toml

BYTES_MAX = 1 << 20
DEPTH_MAX = 64


def read_document(name: str, content: bytes) -> dict[str, Any] | None:
    """The table that a file holds, by the ending of its name; None where it cannot be read or is none."""
    if len(content) > BYTES_MAX:
        return None
    try:
        text = content.decode("utf-8-sig", "replace")
        table = _read(name, text)
    except (ValueError, RecursionError):
        return None
    return table if isinstance(table, dict) else None


def sub(table: dict[str, Any], *keys: str) -> dict[str, Any]:
    """The table below `keys`, empty where there is none."""
    for key in keys:
        value = table.get(key)
        table = value if isinstance(value, dict) else {}
    return table


def strings(value: object) -> tuple[str, ...]:
    """The strings of a list; nothing for anything else."""
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _read(name: str, text: str) -> Any:
    if name.endswith(".toml"):
        return read_toml(text)
    return json.loads(text) if name.endswith(".json") else _read_yaml(text)


def _read_yaml(text: str) -> Any:
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - only who has YAML manifests pays for it

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    depth = 0
    try:
        # Its reader of events needs no stack; that of documents does, and ends the process where it runs out.
        for event in yaml.parse(text, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEPTH_MAX or isinstance(event, yaml.AliasEvent):
                return None
        return yaml.load(text, Loader=loader)  # noqa: S506 - BaseLoader makes strings, lists and tables alone
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
