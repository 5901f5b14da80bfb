"""One value against one pattern: `"*:latest"`, `">= 10Mi"`, `"1-5 | !3"`, `true`, nothing at all.

Source: `pkg/engine/pattern` and `pkg/engine/operator` of Kyverno.
"""

from __future__ import annotations

import re
from typing import Any

from shipline.capabilities.gates.manifests.kyverno.gotext import scientific
from shipline.capabilities.gates.manifests.quantities import parse_duration, parse_quantity
from shipline.capabilities.gates.manifests.wildcards import matches

_END = r"([-|+]?[0-9]+(?:\.[0-9]+)?[A-Za-z]*)"
_RANGE = re.compile(rf"{_END}-{_END}")
_NOT_RANGE = re.compile(rf"{_END}!-{_END}")
_SIGNS = (">=", "<=", ">", "<", "!")
_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)


def fits(value: Any, pattern: Any) -> bool:
    """Whether the value is of the pattern. A list or a table as a pattern is none here."""
    if isinstance(pattern, str):
        return _fits_text(value, pattern)
    if isinstance(pattern, bool):
        return isinstance(value, bool) and value is pattern
    if isinstance(pattern, (int, float)):
        return _fits_number(value, pattern)
    if pattern is None:
        return value is None or (isinstance(value, (bool, int, float, str)) and not value)
    return isinstance(pattern, dict) and isinstance(value, dict)


def in_range(value: Any, pattern: str) -> bool | None:
    """Whether the value is in a range like `1-5`; None where the pattern is no range."""
    return _fits_text(value, pattern) if sign_of(pattern) == "-" else None


def sign_of(pattern: str) -> str:
    """The operator that a pattern begins with, `-` and `!-` for ranges, "" for equality."""
    if len(pattern) < 2:
        return ""
    sign = next((each for each in _SIGNS if pattern.startswith(each)), "")
    if sign:
        return sign
    return "!-" if _NOT_RANGE.fullmatch(pattern) else "-" if _RANGE.fullmatch(pattern) else ""


def _fits_number(value: Any, pattern: float) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, (int, float)):
        return value == pattern
    if isinstance(value, str):
        if isinstance(pattern, int):
            return bool(_INTEGER.fullmatch(value)) and int(value) == pattern
        try:
            return float(value) == pattern
        except ValueError:
            return False
    return False


def _fits_text(value: Any, pattern: str) -> bool:
    if value == pattern:
        return True
    return any(
        all(_fits_one(value, each.strip(" ")) for each in part.strip(" ").split("&")) for part in pattern.split("|")
    )


def _fits_one(value: Any, pattern: str) -> bool:
    sign = sign_of(pattern)
    if sign == "-":
        ends = _RANGE.fullmatch(pattern)
        return ends is not None and _compares(value, ends[1], ">=") and _compares(value, ends[2], "<=")
    if sign == "!-":
        ends = _NOT_RANGE.fullmatch(pattern)
        return ends is not None and (_compares(value, ends[1], "<") or _compares(value, ends[2], ">"))
    return _compares(value, pattern[len(sign) :].strip(), sign)


def _compares(value: Any, pattern: str, sign: str) -> bool:
    """A duration is compared as one, else a quantity as one, else texts, which have no order."""
    text = _as_number(value)
    if text is not None:
        for parse in (parse_duration, lambda each: (found := parse_quantity(each)) and found.amount):
            ours, theirs = parse(text), parse(pattern)
            if ours is not None and theirs is not None:
                return _ordered(ours, theirs, sign)
    if sign not in ("", "!"):
        return False
    written = _as_text(value)
    return written is not None and matches(pattern, written) is (sign == "")


def _ordered(ours: Any, theirs: Any, sign: str) -> bool:
    answers: dict[str, bool] = {
        "": ours == theirs,
        "!": ours != theirs,
        ">": ours > theirs,
        "<": ours < theirs,
        ">=": ours >= theirs,
        "<=": ours <= theirs,
    }
    return answers[sign]


def _as_number(value: Any) -> str | None:
    if value is None:
        return "0"
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:f}"
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _as_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return scientific(value)
    return str(value) if isinstance(value, (int, str)) else None
