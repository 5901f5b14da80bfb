"""Manifests as plain data: TOML, JSON and YAML of strangers, bounded. Pure.

Bytes that are no UTF-8 are let through, as the editors of `version_files` do: people have Latin-1 in their comments.

YAML goes through PyYAML's C parser, which the engine brings with it, imported when the first YAML file is read; as
strings alone (`1.10` stays so), without tags, aliases or deep nesting.
"""

from __future__ import annotations

import json
from typing import Any

from shipline.domain.errors import InvalidValue

BYTES_MAX = 1 << 20
DEPTH_MAX = 64
TOO_DEEP = "it is nested too deeply"
ALIAS = "it has an alias (*), and those are not read: write out what it stands for"
ELSE_NO_PACKAGE = "; a folder that is no package, leave out of the workspace or of [[package]] path"


def read_document(path: str, content: bytes) -> dict[str, Any]:
    """The table that a file holds, by the ending of its name. Raises InvalidValue that names the file and the cause."""
    if len(content) > BYTES_MAX:
        raise _unreadable(path, f"it is larger than {BYTES_MAX >> 20} MiB")
    try:
        table = _read(path, content.decode("utf-8-sig", "replace"))
    except RecursionError:
        raise _unreadable(path, TOO_DEEP) from None
    except ValueError as error:
        raise _unreadable(path, " ".join(str(error).split())[:200]) from None
    if not isinstance(table, dict):
        raise _unreadable(path, "it holds no table")
    return table


def _unreadable(path: str, why: str) -> InvalidValue:
    return InvalidValue(f"{path} cannot be read", why=why, todo=f"mend it and commit that{ELSE_NO_PACKAGE}")


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
        from shipline.domain.strict_toml import read_toml  # noqa: PLC0415 - only who has TOML manifests pays for it

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
                raise ValueError(TOO_DEEP if depth > DEPTH_MAX else ALIAS)
        found = yaml.load(text, Loader=loader)  # noqa: S506 - BaseLoader makes strings, lists and tables alone
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    return {} if found is None else found
