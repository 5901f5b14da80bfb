"""Which waivers count: signed by an approver who may, for exact findings, and not for longer than is allowed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shipline.capabilities.gates import SignedWaiver, WaiverRule, is_about, waiver_objection, waiver_statement
from shipline.domain.gate import Approver, Waiver

ANN = Approver("ann", ("security",), "ssh-ed25519 AAAA")
BEN = Approver("ben", ("product",), "ssh-ed25519 BBBB")
WAIVER = Waiver(("0" * 32,), "ann", "a fixture", "2026-11-28", "2026-12-28", "signature")
RULE = WaiverRule(days_max=30, roles=("security",))
NOW_US = 1_795_867_200_000_000  # Noon of 2026-11-28, UTC.
DAY_US = 86_400_000_000


def objection(waiver: Waiver = WAIVER, *, holds: bool = True, rule: WaiverRule = RULE, now_us: int = NOW_US) -> str:
    return waiver_objection(SignedWaiver(waiver, holds), (ANN, BEN), rule, now_us)


def test_one_that_is_signed_and_has_not_ended_counts_through_its_last_day() -> None:
    assert objection() == ""
    assert objection(now_us=NOW_US + 30 * DAY_US) == ""
    assert "ended with 2026-12-28" in objection(now_us=NOW_US + 32 * DAY_US)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"owner": "eve"}, "eve is no approver"),
        ({"owner": "ben"}, "no role that waives"),
        ({"until": "2026-12-29"}, "longer than 30 days"),
        ({"given": "2026-12-05", "until": "2026-12-06"}, "is to come"),
        ({"given": "9999-12-31", "until": "9999-12-31"}, "is to come"),
        ({"until": "9999-12-31"}, "longer than 30 days"),
        ({"given": "2026-13-01"}, "are days"),
        ({"reason": "  "}, "no reason"),
        ({"reason": "two\nlines"}, "not one line"),
        ({"reason": "x" * 501}, "more than 500"),
        ({"findings": ()}, "1 to 100"),
        ({"findings": ("*",)}, "by its fingerprint"),
        ({"findings": ("0" * 31 + "G",)}, "by its fingerprint"),
    ],
)
def test_anything_else_counts_for_nothing(changed: dict[str, Any], words: str) -> None:
    assert words in objection(replace(WAIVER, **changed))


def test_a_signature_that_does_not_hold_counts_for_nothing() -> None:
    assert "not signed with ann's key" in objection(holds=False)


def test_without_roles_every_approver_may() -> None:
    assert objection(replace(WAIVER, owner="ben"), rule=WaiverRule(days_max=30)) == ""


def test_all_but_the_signature_is_signed() -> None:
    """Each field changes what is signed."""
    said = waiver_statement(WAIVER)
    assert waiver_statement(replace(WAIVER, signature="other")) == said
    for changed in ({"findings": ("1" * 32,)}, {"owner": "ben"}, {"reason": "r"}, {"until": "2027-01-01"}):
        assert waiver_statement(replace(WAIVER, **changed)) != said
    for changed in ({"package": "q"}, {"versions": ("1",)}, {"given": "2026-11-27"}):
        assert waiver_statement(replace(WAIVER, **changed)) != said


def test_one_for_a_version_is_about_no_other() -> None:
    assert is_about(WAIVER, "quotes", "1.0.0")
    assert not is_about(replace(WAIVER, package="other"), "quotes", "1.0.0")
    assert [is_about(replace(WAIVER, versions=("1.0.0",)), "quotes", one) for one in ("1.0.0", "1.0.1")] == [
        True,
        False,
    ]
