"""JSON from outside, read strictly: bounded, no doubled names, no NaN, and errors in words.

Python's parser accepts more than RFC 8259 does (NaN, Infinity, a name twice), and answers a deeply nested document
with RecursionError; whoever reads what others wrote comes through here.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import NoReturn

from shipline.domain.codec import JSON
from shipline.domain.errors import InvalidValue


def read_json(data: bytes, *, what: str, limit_bytes: int) -> JSON:
    """The value in `data`, UTF-8 with or without a byte order mark. `what` names the document in errors.

    Raises InvalidValue for more than `limit_bytes`, for anything that is not JSON, for a name that stands twice in
    one object, for numbers without a finite value, and for nesting deeper than the parser goes.
    """
    if len(data) > limit_bytes:
        raise InvalidValue(f"{what} is larger than {limit_bytes} bytes")
    try:
        return _parse(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidValue(f"{what} is not UTF-8 text", why=f"byte {error.start} does not fit") from None
    except RecursionError:
        raise InvalidValue(f"{what} is nested too deeply") from None
    except ValueError as error:
        raise InvalidValue(f"{what} is not JSON", why=str(error)[:200]) from None


def _parse(text: str) -> JSON:
    value: JSON = json.loads(
        text, object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite_number
    )
    return value


def _object(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counted = Counter(name for name, _ in pairs)
        doubled = next(name for name, count in counted.items() if count > 1)
        raise ValueError(f"the name {doubled[:60]!r} stands twice in one object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite_number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:40]} is out of range")
    return number
