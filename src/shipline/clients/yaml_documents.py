"""YAML from outside as plain data: bounded in size and depth, no aliases, no name twice, errors in words."""

from __future__ import annotations

from typing import Any

import yaml  # type: ignore[import-untyped]  # it ships no types

from shipline.domain.errors import InvalidValue

DEPTH_MAX = 64
DOCUMENTS_MAX = 50


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # the base has no types
    """The safe loader, which takes the last of two values under one name, made to refuse that."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - the base's signature
        """Build a table whose names are texts that differ."""
        names = [key.value for key, _ in node.value]
        doubled = next((name for name in names if names.count(name) > 1), None)
        if doubled is not None:
            raise yaml.YAMLError(f"the name {str(doubled)[:60]!r} stands twice in one table")
        table = super().construct_mapping(node, deep=deep)
        if not all(isinstance(name, str) for name in table):
            raise yaml.YAMLError("a table has a name that is no text")
        return table


def read_documents(data: bytes, *, what: str, limit_bytes: int) -> tuple[dict[str, Any], ...]:
    """The tables in `data`, a stream of YAML documents, without the empty ones. `what` names it in errors.

    Raises InvalidValue for more than `limit_bytes`, for an alias (a few lines of them stand for more than there is
    memory), for nesting deeper than DEPTH_MAX, for a name that stands twice, and for documents that are no tables.
    """
    if len(data) > limit_bytes:
        raise InvalidValue(f"{what} is larger than {limit_bytes} bytes")
    try:
        text = data.decode("utf-8-sig")
        _check_events(text)
        found = [document for document in yaml.load_all(text, Loader=_Loader) if document is not None]
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise InvalidValue(f"{what} cannot be read as YAML", why=" ".join(str(error).split())[:300]) from None
    if not all(isinstance(document, dict) for document in found):
        raise InvalidValue(f"{what} holds a document that is no table")
    return tuple(found)


def _check_events(text: str) -> None:
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("it holds an alias (*name), which is not followed")
        if depth > DEPTH_MAX or documents > DOCUMENTS_MAX:
            raise yaml.YAMLError("it is nested too deeply, or holds too many documents")
