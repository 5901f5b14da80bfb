"""Quantities and durations, as Kubernetes and Go read and write them.

Source: `k8s.io/apimachinery/pkg/api/resource` (v0.35) and Go's `time.ParseDuration`, `Duration.String`. What they take
is taken and what they refuse is refused, since a policy's answer hangs on it: `1K` is no quantity, `Mi` is zero.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

LENGTH_MAX = 128
_QUANTITY = re.compile(r"([+-]?)([0-9]*)(?:(\.)([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)", re.ASCII)
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_EXPONENT = re.compile(r"[eE]([+-]?[0-9]{1,3})", re.ASCII)
_NANO = Fraction(1, 10**9)
_BINARY_MAX = Fraction(2**63 - 1)
_DURATION = re.compile(r"[+-]?(?:[0-9]*(?:\.[0-9]*)?(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+", re.ASCII)
_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?(ns|us|\u00b5s|\u03bcs|ms|s|m|h)", re.ASCII)
_UNITS = {"ns": 1, "us": 10**3, "\u00b5s": 10**3, "\u03bcs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9}
_UNITS["h"] = 3600 * 10**9
_DURATION_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact amount and the notation that it is written in: `binary`, `decimal` or `exponent`."""

    amount: Fraction
    notation: str = "decimal"

    def text(self) -> str:
        """The canonical form: no fraction digits, and the largest suffix that allows that."""
        if self.notation == "binary" and abs(self.amount) >= 1024 and self.amount.denominator == 1:
            return _in_binary(int(self.amount))
        return _in_decimal(self.amount, exponent=self.notation == "exponent")


def parse_quantity(text: str) -> Quantity | None:
    """The quantity; None where Kubernetes refuses the text."""
    match = _QUANTITY.fullmatch(text) if 0 < len(text) <= LENGTH_MAX else None
    if match is None:
        return None
    sign, whole, point, digits, suffix = match[1], match[2], match[3], match[4] or "", match[5]
    scaled = _scale(suffix)
    if scaled is None:
        return None
    factor, notation = scaled
    leading = whole.lstrip("0")
    # Kubernetes reads a number without digits only where it has a short way for it: not with a fraction in base 2.
    if not (whole or digits) and point and notation == "binary":
        return None
    amount = Fraction(int((leading or "0") + digits), 10 ** len(digits)) * factor
    amount = _rounded_up(amount)
    if notation == "binary":
        amount = min(amount, _BINARY_MAX)
        notation = "decimal" if 0 < amount < 1 else notation
    return Quantity(-amount if sign == "-" else amount, notation)


def parse_duration(text: str) -> int | None:
    """Nanoseconds, as Go reads `1h30m`; None where it refuses the text."""
    if text.lstrip("+-") == "0" and len(text) <= 2:
        return 0
    if not 0 < len(text) <= LENGTH_MAX or not _DURATION.fullmatch(text):
        return None
    total = 0
    for part in _PART.finditer(text.lstrip("+-")):
        if not (part[1] or part[2]):
            return None
        digits = part[2] or ""
        total += int(part[1] or "0") * _UNITS[part[3]] + int(digits or "0") * _UNITS[part[3]] // 10 ** len(digits)
    return None if total > _DURATION_MAX else -total if text.startswith("-") else total


def duration_text(nanoseconds: int) -> str:
    """As Go prints it: `1h30m0s`, `1.5s`, `250ms`, `0s`."""
    size = abs(nanoseconds)
    sign = "-" if nanoseconds < 0 else ""
    if size < _UNITS["s"]:
        for unit in ("ms", "\u00b5s"):
            if size >= _UNITS[unit]:
                return f"{sign}{_plain(Fraction(size, _UNITS[unit]))}{unit}"
        return f"{sign}{size}ns" if size else "0s"
    minutes, seconds = divmod(Fraction(size, _UNITS["s"]), 60)
    hours, minutes = divmod(int(minutes), 60)
    parts = (f"{hours}h" if hours else "", f"{minutes}m" if hours or minutes else "", f"{_plain(seconds)}s")
    return sign + "".join(parts)


def _scale(suffix: str) -> tuple[Fraction, str] | None:
    if suffix in _DECIMAL:
        return Fraction(10) ** _DECIMAL[suffix], "decimal"
    if suffix in _BINARY:
        return Fraction(2 ** _BINARY[suffix]), "binary"
    exponent = _EXPONENT.fullmatch(suffix)
    return (Fraction(10) ** int(exponent[1]), "exponent") if exponent else None


def _rounded_up(amount: Fraction) -> Fraction:
    """Nothing is finer than a billionth; who asks for less gets one."""
    steps = amount / _NANO
    return amount if steps.denominator == 1 else (steps.numerator // steps.denominator + 1) * _NANO


def _in_binary(amount: int) -> str:
    power = 0
    while power < 6 and amount % 1024 == 0:
        amount, power = amount // 1024, power + 1
    return f"{amount}{['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'][power]}"


def _in_decimal(amount: Fraction, *, exponent: bool) -> str:
    power = -9
    mantissa = int(amount / _NANO)
    if mantissa == 0:
        return "0"
    while power < 18 and mantissa % 1000 == 0:
        mantissa, power = mantissa // 1000, power + 3
    if exponent:
        return f"{mantissa}e{power}" if power else str(mantissa)
    return f"{mantissa}{['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'][power // 3 + 3]}"


def _plain(number: Fraction) -> str:
    """Up to nine digits after the point, none that says nothing."""
    text = f"{float(number):.9f}" if number.denominator != 1 else str(number.numerator)
    return text.rstrip("0").rstrip(".") if "." in text else text
