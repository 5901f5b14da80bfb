"""Kyverno's functions of JMESPath. Those that depend on the moment, on chance, on the network or on another's
regular expressions are not here, and so are refused by name.

Source: `pkg/engine/jmespath` of Kyverno.
"""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeVar, cast

import jmespath.functions  # type: ignore[import-untyped]  # it ships no types

from shipline.capabilities.gates.manifests.expressions.lists import same
from shipline.capabilities.gates.manifests.expressions.program import compile_expression
from shipline.capabilities.gates.manifests.kyverno.gotext import as_json, number
from shipline.capabilities.gates.manifests.kyverno.images import parse_image
from shipline.capabilities.gates.manifests.quantities import (
    Quantity,
    duration_text,
    parse_duration,
    parse_quantity,
)
from shipline.capabilities.gates.manifests.unsupported import Undecided
from shipline.capabilities.gates.manifests.wildcards import matches
from shipline.clients.yaml_documents import read_manifests

TEXT_BYTES_MAX = 1024 * 1024


class WrongValue(ValueError):
    """A function cannot be called with that. The words hold nothing of the value: it may be a secret."""


_Method = TypeVar("_Method", bound=Callable[..., Any])
_TEXT: dict[str, list[str]] = {"types": ["string"]}
_NUMBER: dict[str, list[str]] = {"types": ["number"]}
_SCALAR: dict[str, list[str]] = {"types": ["string", "number"]}
_ANY: dict[str, list[str]] = {"types": []}
_OBJECT: dict[str, list[str]] = {"types": ["object"]}
_ARRAY: dict[str, list[str]] = {"types": ["array"]}
_MANY: dict[str, list[str]] = {"types": ["object", "array"]}
_MATCHES = "object.text.matches(object.pattern)"


def _takes(*types: dict[str, list[str]]) -> Callable[[_Method], _Method]:
    """What a function's arguments may be, told to the library."""
    return cast("Callable[[_Method], _Method]", jmespath.functions.signature(*types))


@lru_cache(maxsize=1)
def function_names() -> frozenset[str]:
    """The functions that there are."""
    return frozenset(KyvernoFunctions.FUNCTION_TABLE)


class KyvernoFunctions(jmespath.functions.Functions):  # type: ignore[misc]  # the base has no types
    """The standard functions and Kyverno's. Each is what its name says; a wrong type is an error of the library."""

    # One method a function, and none needs more words than its name: what each does is in Kyverno's reference.

    @_takes(_TEXT, _TEXT)
    def _func_compare(self, one: str, other: str) -> int:
        return (one > other) - (one < other)

    @_takes(_TEXT, _TEXT)
    def _func_equal_fold(self, one: str, other: str) -> bool:
        return one.casefold() == other.casefold()

    @_takes(_TEXT, _TEXT, _TEXT, _NUMBER)
    def _func_replace(self, text: str, old: str, new: str, times: float) -> str:
        return _bounded(text.replace(old, new, int(times)))

    @_takes(_TEXT, _TEXT, _TEXT)
    def _func_replace_all(self, text: str, old: str, new: str) -> str:
        return _bounded(text.replace(old, new))

    @_takes(_TEXT)
    def _func_to_upper(self, text: str) -> str:
        return text.upper()

    @_takes(_TEXT)
    def _func_to_lower(self, text: str) -> str:
        return text.lower()

    @_takes(_TEXT, _TEXT)
    def _func_trim(self, text: str, characters: str) -> str:
        return text.strip(characters) if characters else text

    @_takes(_TEXT, _TEXT)
    def _func_trim_prefix(self, text: str, prefix: str) -> str:
        return text.removeprefix(prefix)

    @_takes(_TEXT, _TEXT)
    def _func_split(self, text: str, separator: str) -> list[str]:
        return text.split(separator) if separator else list(text)

    @_takes(_TEXT, _SCALAR)
    def _func_regex_match(self, pattern: str, text: Any) -> bool:
        # By CEL, whose expressions are Go's, in time that grows with the text.
        data = {"object": {"pattern": pattern, "text": _as_text(text)}}
        return bool(_matcher().holds(data))

    @_takes(_TEXT, _SCALAR)
    def _func_pattern_match(self, pattern: str, text: Any) -> bool:
        return matches(pattern, _as_text(text))

    @_takes(_OBJECT, _OBJECT)
    def _func_label_match(self, wanted: dict[str, Any], labels: dict[str, Any]) -> bool:
        return all(key in labels and same(labels[key], value) for key, value in wanted.items())

    @_takes(_TEXT)
    def _func_to_boolean(self, text: str) -> bool:
        if text.lower() not in ("true", "false"):
            raise WrongValue("to_boolean() wants true or false")
        return text.lower() == "true"

    @_takes(_ANY, _ANY)
    def _func_add(self, one: Any, other: Any) -> Any:
        return _calculated("add", one, other)

    @_takes(_ANY, _ANY)
    def _func_subtract(self, one: Any, other: Any) -> Any:
        return _calculated("subtract", one, other)

    @_takes(_ANY, _ANY)
    def _func_multiply(self, one: Any, other: Any) -> Any:
        return _multiplied(one, other)

    @_takes(_ANY, _ANY)
    def _func_divide(self, one: Any, other: Any) -> Any:
        return _divided(one, other)

    @_takes(_ANY, _ANY)
    def _func_modulo(self, one: Any, other: Any) -> Any:
        if not (_is_whole(one) and _is_whole(other)):
            raise WrongValue("modulo() is evaluated for whole numbers alone")
        return int(abs(one) % abs(other)) * (-1 if one < 0 else 1)

    @_takes(_ARRAY)
    def _func_sum(self, items: list[Any]) -> Any:
        if not items:
            raise WrongValue("sum() wants at least one item")
        total = items[0]
        for each in items[1:]:
            total = _calculated("add", total, each)
        return total

    @_takes(_NUMBER, _NUMBER)
    def _func_round(self, value: float, digits: float) -> float:
        if not _is_whole(digits) or not 0 <= digits <= 15:
            raise WrongValue("round() wants a whole number of digits")
        step = Decimal(1).scaleb(-int(digits))
        return float(Decimal(value).quantize(step, rounding=ROUND_HALF_UP))

    @_takes(_TEXT)
    def _func_base64_decode(self, text: str) -> str:
        return base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True).decode("utf-8")

    @_takes(_TEXT)
    def _func_base64_encode(self, text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    @_takes(_TEXT)
    def _func_path_canonicalize(self, text: str) -> str:
        return posixpath.normpath("/" + text.lstrip("/") if text.startswith("/") else text) if text else ""

    @_takes(_TEXT, _NUMBER)
    def _func_truncate(self, text: str, length: float) -> str:
        return text[: max(0, int(length))]

    @_takes(_TEXT)
    def _func_parse_json(self, text: str) -> Any:
        return json.loads(_bounded(text))

    @_takes(_TEXT)
    def _func_parse_yaml(self, text: str) -> Any:
        found = read_manifests(text.encode(), what="parse_yaml()", limit_bytes=TEXT_BYTES_MAX, tables=False)
        if len(found) > 1:
            raise WrongValue("parse_yaml() wants one document")
        return found[0][1] if found else None

    @_takes(_MANY, _SCALAR)
    def _func_lookup(self, many: Any, key: Any) -> Any:
        if isinstance(many, dict):
            return many.get(key)
        return many[int(key)] if _is_whole(key) and 0 <= key < len(many) else None

    @_takes(_MANY, _TEXT, _TEXT)
    def _func_items(self, many: Any, key: str, value: str) -> list[dict[str, Any]]:
        pairs = sorted(many.items()) if isinstance(many, dict) else list(enumerate(many))
        return [{key: name, value: each} for name, each in pairs]

    @_takes(_ARRAY, _ARRAY)
    def _func_object_from_lists(self, keys: list[Any], values: list[Any]) -> dict[str, Any]:
        return {_as_text(key): values[at] if at < len(values) else None for at, key in enumerate(keys)}

    @_takes(_TEXT)
    def _func_image_normalize(self, text: str) -> str:
        return parse_image(text).reference

    @_takes(_TEXT)
    def _func_sha256(self, text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    @_takes(_ANY)
    def _func_to_string(self, value: Any) -> str:
        return value if isinstance(value, str) else as_json(value)


@lru_cache(maxsize=1)
def _matcher() -> Any:
    return compile_expression(_MATCHES)


def _bounded(text: str) -> str:
    if len(text) > TEXT_BYTES_MAX:
        raise WrongValue("a text became longer than one is made")
    return text


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number(float(value))
    if not isinstance(value, str):
        raise WrongValue("a text or a number is wanted")
    return value


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and float(value).is_integer()


def _operand(value: Any) -> float | Quantity | int:
    """A number as float, a quantity, or a duration as an int of nanoseconds."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        quantity = parse_quantity(value)
        if quantity is not None:
            return quantity
        duration = parse_duration(value)
        if duration is not None:
            return duration
    raise WrongValue("a number, a quantity or a duration is wanted")


def _calculated(name: str, one: Any, other: Any) -> Any:
    ours, theirs = _operand(one), _operand(other)
    act: Callable[[Any, Any], Any] = (lambda a, b: a + b) if name == "add" else (lambda a, b: a - b)
    if isinstance(ours, Quantity) and isinstance(theirs, Quantity):
        return Quantity(act(ours.amount, theirs.amount), ours.notation if ours.amount else theirs.notation).text()
    if isinstance(ours, float) and isinstance(theirs, float):
        return act(ours, theirs)
    if type(ours) is type(theirs):
        return duration_text(act(ours, theirs))
    raise WrongValue(f"{name}() wants two of one kind")


def _multiplied(one: Any, other: Any) -> Any:
    ours, theirs = _operand(one), _operand(other)
    if isinstance(theirs, float) and not isinstance(ours, float):
        ours, theirs = theirs, ours
    if not isinstance(ours, float):
        raise WrongValue("multiply() wants a number among the two")
    if isinstance(theirs, Quantity):
        return Quantity(theirs.amount * Fraction(str(ours)), theirs.notation).text()
    return ours * theirs if isinstance(theirs, float) else duration_text(int(theirs * ours))


def _divided(one: Any, other: Any) -> Any:
    ours, theirs = _operand(one), _operand(other)
    if isinstance(ours, Quantity) and isinstance(theirs, Quantity):
        return float(ours.amount) / float(theirs.amount)
    if isinstance(theirs, float) and isinstance(ours, int):
        return duration_text(int(ours / theirs))
    if type(ours) is type(theirs):
        return ours / theirs  # type: ignore[operator]  # two numbers, or two durations
    raise Undecided("divide() is evaluated for two of one kind, and a duration by a number")
