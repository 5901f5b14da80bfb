"""Quantities and durations are read as Kubernetes and Go read them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from shipline.capabilities.gates.manifests.quantities import duration_text, parse_duration, parse_quantity


@pytest.mark.parametrize(
    ("text", "amount", "written"),
    [
        ("1.5Gi", Fraction(3 * 2**29), "1536Mi"),
        ("200k", Fraction(200_000), "200k"),
        ("0.1m", Fraction(1, 10_000), "100u"),
        ("-1", Fraction(-1), "-1"),
        ("1e3", Fraction(1000), "1e3"),
        ("1E", Fraction(10**18), "1E"),
        ("+.5", Fraction(1, 2), "500m"),
        ("0.1n", Fraction(1, 10**9), "1n"),
        ("Mi", Fraction(0), "0"),
        ("1024Ki", Fraction(2**20), "1Mi"),
        ("1023", Fraction(1023), "1023"),
    ],
)
def test_a_quantity_is_exact_and_has_one_canonical_form(text: str, amount: Fraction, written: str) -> None:
    """Source of the cases: the documentation of `resource.Quantity`; `Mi` is taken as zero by its parser."""
    quantity = parse_quantity(text)
    assert quantity is not None
    assert (quantity.amount, quantity.text()) == (amount, written)


@pytest.mark.parametrize("text", ["", "1K", "1,5", "Three", "1.5.2", "1 Gi", "1e", "--1", "9" * 200, "1\u0661"])
def test_what_kubernetes_refuses_is_no_quantity(text: str) -> None:
    """A policy compares it as a text then."""
    assert parse_quantity(text) is None


@pytest.mark.parametrize(
    ("text", "nanoseconds", "written"),
    [
        ("1h30m", 5400 * 10**9, "1h30m0s"),
        ("1.5s", 1_500_000_000, "1.5s"),
        ("-250ms", -250_000_000, "-250ms"),
        ("0", 0, "0s"),
        ("2us", 2000, "2\u00b5s"),
        ("1ns", 1, "1ns"),
    ],
)
def test_durations_are_gos(text: str, nanoseconds: int, written: str) -> None:
    """Source of the cases: Go's documentation of `time.ParseDuration`."""
    assert parse_duration(text) == nanoseconds
    assert duration_text(nanoseconds) == written


@pytest.mark.parametrize("text", ["", "1", "h", "1d", "1h ", ".s", "1h-2m", "9999999999h"])
def test_what_go_refuses_is_no_duration(text: str) -> None:
    """A number without a unit is none."""
    assert parse_duration(text) is None
