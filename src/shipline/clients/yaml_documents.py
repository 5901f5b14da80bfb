"""YAML from outside as plain data: bounded in size and depth, no aliases, no name twice, errors in words.

`read_manifests` reads scalars as Kubernetes does (`sigs.k8s.io/yaml`, YAML 1.1 as Go reads it): `yes` and `on` are
true, a date is a text, `012` is ten, `1e3` is a number, and a name that is a number or `true` becomes a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml  # type: ignore[import-untyped]  # it ships no types

from shipline.domain.errors import InvalidValue

DEPTH_MAX = 64
DOCUMENTS_MAX = 50
MANIFESTS_MAX = 5000
_FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast where PyYAML was built with libyaml, as its wheels are."""


class _Loader(_FAST):  # type: ignore[misc, valid-type]  # the base has no types
    """The safe loader, which takes the last of two values under one name, made to refuse that."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - the base's signature
        """Build a table whose names are texts that differ."""
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                raise yaml.YAMLError(f"the name {name[:60]!r} stands twice in one table")
            seen.add(name)
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


def read_manifests(data: bytes, *, what: str, limit_bytes: int, tables: bool = True) -> tuple[tuple[int, Any], ...]:
    """The documents in `data` without the empty ones, each with the line that it begins at; the first is 1.

    Raises InvalidValue as `read_documents` does; `tables` is False where a document may be anything.
    """
    if len(data) > limit_bytes:
        raise InvalidValue(f"{what} is larger than {limit_bytes} bytes")
    try:
        text = data.decode("utf-8-sig")
        _check_events(text, documents_max=MANIFESTS_MAX)
        found = tuple(_manifests(text))
    except (ValueError, RecursionError, OverflowError, yaml.YAMLError) as error:
        raise InvalidValue(f"{what} cannot be read as YAML", why=" ".join(str(error).split())[:300]) from None
    wrong = next((line for line, document in found if tables and not isinstance(document, dict)), None)
    if wrong is not None:
        raise InvalidValue(f"{what} holds a document that is no table, at line {wrong}")
    return found


def _manifests(text: str) -> Iterator[tuple[int, Any]]:
    loader = _Manifests(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            document = loader.construct_document(node)
            if document is not None:
                yield node.start_mark.line + 1, document
    finally:
        loader.dispose()


class _Manifests(_FAST):  # type: ignore[misc, valid-type]  # the base has no types
    """Scalars as Kubernetes reads them. Nothing but tables, lists and JSON's scalars is ever made."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - the base's way to say it

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # noqa: ARG002, FBT001, FBT002 - the base's signature
        """Build a table whose names are texts that differ."""
        if not isinstance(node, yaml.MappingNode):
            raise yaml.YAMLError("a table is wanted")
        table = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.YAMLError("a table has a name that is no text")
            key = _key_text(self.construct_object(key_node, deep=True))
            if key in table:
                raise yaml.YAMLError(f"the name {key[:60]!r} stands twice in one table")
            table[key] = self.construct_object(value_node, deep=True)
        return table

    def construct_integer(self, node: Any) -> int:
        """A number as Go reads it: `012` and `0o12` are ten."""
        text = str(node.value).replace("_", "")
        digits = text.lstrip("+-")
        octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
        value = int(digits, 8) if octal else int(digits, 0)
        return -value if text.startswith("-") else value

    def construct_number(self, node: Any) -> float:
        """A number with a point or an exponent; JSON has none that is not finite."""
        value = float(str(node.value).replace("_", ""))
        if value in (float("inf"), float("-inf")):
            raise yaml.YAMLError(f"the number {str(node.value)[:40]} is too large")
        return value

    def construct_truth(self, node: Any) -> bool:
        """`true`, `yes`, `on`, `y` and their opposites."""
        return str(node.value).lower() in ("true", "yes", "on", "y")

    def construct_unknown(self, node: Any) -> Any:
        """Tags are for programs."""
        raise yaml.YAMLError(f"the tag {str(node.tag)[:60]} is not read")


def _key_text(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, float) and key.is_integer():
        return str(int(key))
    return "null" if key is None else str(key)


_TAG = "tag:yaml.org,2002:"
_SCALARS = (
    ("null", re.compile(r"(?:~|null|Null|NULL|)$"), [*"~nN", ""]),
    (
        "bool",
        re.compile(r"(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON|n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$"),
        list("yYtToOnNfF"),
    ),
    ("int", re.compile(r"[-+]?(?:0[bB][01_]+|0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]*|[1-9][0-9_]*)$"), list("-+0123456789")),
    ("float", re.compile(r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$"), list("-+0123456789.")),
)
for _name, _pattern, _first in _SCALARS:
    _Manifests.add_implicit_resolver(_TAG + _name, _pattern, _first)
_Manifests.yaml_constructors = {  # Those of the base make dates, sets and bytes too.
    _TAG + "null": yaml.SafeLoader.construct_yaml_null,
    _TAG + "bool": _Manifests.construct_truth,
    _TAG + "int": _Manifests.construct_integer,
    _TAG + "float": _Manifests.construct_number,
    _TAG + "str": yaml.SafeLoader.construct_yaml_str,
    _TAG + "seq": yaml.SafeLoader.construct_yaml_seq,
    _TAG + "map": _Manifests.construct_mapping,
    None: _Manifests.construct_unknown,
}


def _check_events(text: str, *, documents_max: int = DOCUMENTS_MAX) -> None:
    depth = documents = 0
    for event in yaml.parse(text, Loader=_FAST):
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("it holds an alias (*name), which is not followed")
        if depth > DEPTH_MAX or documents > documents_max:
            raise yaml.YAMLError("it is nested too deeply, or holds too many documents")
