"""Domain values to JSON and back, strictly: unknown or missing fields and wrong types are refused.

Frozen dataclasses, enums, tuples, string-keyed dicts and JSON scalars are enough for every noun.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from enum import Enum
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar, Union

from shipline.domain.errors import InvalidValue

JSON: TypeAlias = "None | bool | int | float | str | list[JSON] | dict[str, JSON]"
T = TypeVar("T")
_SCALARS = frozenset((str, int, float, bool))


def to_json(value: object) -> Any:
    """Turn a domain value into plain JSON data (dicts, lists, scalars)."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")


def from_json(kind: type[T], data: object) -> T:
    """Build a `kind` from JSON data. Raises InvalidValue, naming the place, when anything does not fit."""
    return typing.cast("T", _read(kind, data, kind.__name__))


@lru_cache(maxsize=256)
def _fields(kind: type) -> dict[str, tuple[Any, bool]]:
    hints = typing.get_type_hints(kind)
    return {
        field.name: (
            hints[field.name],
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
        )
        for field in dataclasses.fields(kind)
    }


def _refuse(place: str, expected: str, data: object) -> InvalidValue:
    return InvalidValue(f"{place}: expected {expected}, found {type(data).__name__} {str(data)[:60]!r}")


def _read(kind: Any, data: object, place: str) -> Any:
    if type(data) is kind and kind in _SCALARS:
        return data  # As most are, so it is asked first.
    origin = typing.get_origin(kind)
    if origin in (Union, types.UnionType):
        return _read_union(kind, data, place)
    if origin in (tuple, list):
        if not isinstance(data, list | tuple):
            raise _refuse(place, "a list", data)
        item_kind = typing.get_args(kind)[0]
        return origin(_read(item_kind, item, f"{place}[{index}]") for index, item in enumerate(data))
    if origin is dict or kind is dict:
        if not isinstance(data, dict):
            raise _refuse(place, "an object", data)
        value_kind = typing.get_args(kind)[1] if origin is dict else Any
        return {str(key): _read(value_kind, item, f"{place}.{key}") for key, item in data.items()}
    if isinstance(kind, type):
        return _read_plain(kind, data, place)
    return data


def _read_union(kind: Any, data: object, place: str) -> Any:
    options = [option for option in typing.get_args(kind) if option is not type(None)]
    if data is None:
        if len(options) == len(typing.get_args(kind)):
            raise _refuse(place, "a value", data)
        return None
    if len(options) == 1:
        return _read(options[0], data, place)
    tables = [option for option in options if dataclasses.is_dataclass(option)]
    if tables and not isinstance(data, dict):
        return _read(next(option for option in options if option not in tables), data, place)
    return _read(tables[0], data, place) if tables else data


def _read_plain(kind: type, data: object, place: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(kind, data, place)
    if issubclass(kind, Enum):
        try:
            return kind(data)
        except ValueError:
            raise _refuse(place, "one of " + ", ".join(str(item.value) for item in kind), data) from None
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if kind in (str, int, float, bool) and (not isinstance(data, kind) or (kind is int and isinstance(data, bool))):
        raise _refuse(place, kind.__name__, data)
    return data


def _read_dataclass(kind: type, data: object, place: str) -> Any:
    if not isinstance(data, dict):
        raise _refuse(place, "an object", data)
    known = _fields(kind)
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise InvalidValue(f"{place}: unknown field {unknown[0]!r}", todo="known fields: " + ", ".join(sorted(known)))
    missing = sorted(name for name, (_, required) in known.items() if required and name not in data)
    if missing:
        raise InvalidValue(f"{place}: the field {missing[0]!r} is missing")
    return kind(**{name: _read(known[name][0], item, f"{place}.{name}") for name, item in data.items()})
