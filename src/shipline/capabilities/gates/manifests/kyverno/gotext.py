"""How Go writes values as text: what policies compare was written so."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any


def sprint(value: Any) -> str:
    """As `fmt.Sprint` writes what JSON can hold."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list):
        return "[" + " ".join(map(sprint, value)) + "]"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{sprint(value[key])}" for key in sorted(value)) + "]"
    return str(value)


def number(value: float) -> str:
    """As Go writes a number in JSON and with `%v`: whole ones without a point."""
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return repr(value)


def scientific(value: float) -> str:
    """As `strconv.FormatFloat(value, 'E', -1, 64)`: `1.5E+00`."""
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    power = len(text) - 1 + int(exponent)
    mantissa = text[0] + ("." + text[1:] if len(text) > 1 else "")
    return f"{'-' if sign else ''}{mantissa}E{'-' if power < 0 else '+'}{abs(power):02d}"


def as_json(value: Any) -> str:
    """As `encoding/json` writes it: names in order, no spaces, `<`, `>` and `&` escaped."""
    text = json.dumps(_whole(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    return [_whole(each) for each in value] if isinstance(value, list) else value
