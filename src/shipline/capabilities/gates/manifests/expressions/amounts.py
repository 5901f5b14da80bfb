"""Quantities and versions in CEL. A value is a map of one entry: `{"quantity": "3/2"}`, `{"semver": "1.2.3"}`.

The text of a quantity is its exact amount, so that equal quantities are equal maps, however they were written.
"""

from __future__ import annotations

import re
from fractions import Fraction

from shipline.capabilities.gates.manifests.quantities import parse_quantity

_SEMVER = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    r"(?:-((?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*))?"
    r"(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?",
    re.ASCII,
)
_FRACTION = re.compile(r"-?[0-9]{1,1000}(?:/[0-9]{1,1000})?", re.ASCII)
_LENGTH_MAX = 256
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
Tagged = dict[str, str]


def quantity(text: str) -> Tagged:
    """The quantity. Raises ValueError for what is none."""
    found = parse_quantity(text)
    if found is None:
        raise ValueError(f"{text[:60]!r} is no quantity")
    return {"quantity": str(found.amount)}


def is_quantity(text: str) -> bool:
    """Whether it is one."""
    return parse_quantity(text) is not None


def sign(value: Tagged) -> int:
    """1, 0 or -1."""
    amount = _amount(value)
    return (amount > 0) - (amount < 0)


def as_float(value: Tagged) -> float:
    """About as much as it is."""
    return float(_amount(value))


def is_integer(value: Tagged) -> bool:
    """Whether it is a whole number of 64 bits."""
    amount = _amount(value)
    return amount.denominator == 1 and _INT_MIN <= amount <= _INT_MAX


def as_integer(value: Tagged) -> int:
    """The whole number. Raises ValueError where it is none."""
    if not is_integer(value):
        raise ValueError("the quantity is no integer of 64 bits")
    return int(_amount(value))


def added(value: Tagged, other: Tagged | int) -> Tagged:
    """The sum with a quantity or a whole number."""
    return {"quantity": str(_amount(value) + (Fraction(other) if isinstance(other, int) else _amount(other)))}


def subtracted(value: Tagged, other: Tagged | int) -> Tagged:
    """The difference."""
    return {"quantity": str(_amount(value) - (Fraction(other) if isinstance(other, int) else _amount(other)))}


def semver(text: str, normalize: bool = False) -> Tagged:  # noqa: FBT001, FBT002 - CEL calls it by position
    """The version. `normalize` takes a leading v, missing parts and leading zeros. Raises ValueError for others."""
    checked = _normalized(text) if normalize else text
    if len(checked) > _LENGTH_MAX or not _SEMVER.fullmatch(checked):
        raise ValueError(f"{text[:60]!r} is no semantic version")
    return {"semver": checked}


def is_semver(text: str, normalize: bool = False) -> bool:  # noqa: FBT001, FBT002 - the same
    """Whether it is one."""
    try:
        semver(text, normalize)
    except ValueError:
        return False
    return True


def major(value: Tagged) -> int:
    """Its first number."""
    return _version(value)[0][0]


def minor(value: Tagged) -> int:
    """Its second number."""
    return _version(value)[0][1]


def patch(value: Tagged) -> int:
    """Its third number."""
    return _version(value)[0][2]


def compared(one: Tagged, other: Tagged) -> int:
    """-1, 0 or 1 for two quantities or two versions. Raises ValueError for one of each."""
    if "quantity" in one and "quantity" in other:
        first, second = _amount(one), _amount(other)
        return (first > second) - (first < second)
    ours, theirs = _version(one), _version(other)
    return (ours > theirs) - (ours < theirs)


def _amount(value: Tagged) -> Fraction:
    # A resource may hold a map of that key too: what is no fraction as written here would take long to read.
    if not _FRACTION.fullmatch(value.get("quantity", "")):
        raise ValueError("what is compared or counted is no quantity")
    return Fraction(value["quantity"])


def _version(value: Tagged) -> tuple[tuple[int, int, int], tuple[int, ...], tuple[tuple[int, int, str], ...]]:
    match = _SEMVER.fullmatch(value.get("semver", ""))
    if match is None:
        raise ValueError("what is compared is no semantic version")
    parts = match[4].split(".") if match[4] else []
    order = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)
    # A version without a pre-release is newer than any with one.
    return (int(match[1]), int(match[2]), int(match[3])), (0 if parts else 1,), order


def _normalized(text: str) -> str:
    """Source: `normalizeAndParse` of Kubernetes' semver library."""
    parts = text.removeprefix("v").split(".", 2)
    for at, part in enumerate(parts):
        if len(part) > 1:
            stripped = part.lstrip("0")
            parts[at] = stripped if stripped and stripped[0].isdigit() else f"0{stripped}"
    if len(parts) < 3:
        if re.search(r"[+-]", parts[-1]):
            raise ValueError("a short version has no pre-release and no build")
        parts += ["0"] * (3 - len(parts))
    return ".".join(parts)
