"""Which approvals count: bound to a content, a stage, a role, a time, and to somebody who did not write it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.gates import Matter, Signed, counted, objection, read_statement, statement
from shipline.domain.errors import ShiplineError
from shipline.domain.gate import Approval, Approver

ANN = Approver("ann", ("security", "product"), "ssh-ed25519 AAAA", ("ann@example.org",))
BEN = Approver("ben", ("security",), "ssh-ed25519 BBBB")
YES = Approval("ann", "security", "production", "quotes", "1.2.0", "sha256:aa", given_us=100, expires_us=1000)
MATTER = Matter("quotes", "1.2.0", "production", "sha256:aa", ("carl@example.org",))
NOW = 500


def test_a_yes_for_exactly_this_counts() -> None:
    assert objection(Signed(YES, holds=True), MATTER, (ANN, BEN), NOW) == ""
    assert counted([Signed(YES, holds=True)], MATTER, (ANN, BEN), NOW) == {"security": 1}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"stage": "staging"}, "something else"),
        ({"version": "1.2.1"}, "something else"),
        ({"package": "other"}, "something else"),
        ({"approver": "eve"}, "eve is no approver"),
        ({"role": "legal"}, "does not have the role legal"),
        ({"digest": "sha256:bb"}, "has changed since"),
        ({"expires_us": NOW}, "has expired"),
    ],
)
def test_a_yes_for_anything_else_does_not(changed: dict[str, Any], words: str) -> None:
    signed = Signed(replace(YES, **changed), holds=True)
    assert words in objection(signed, MATTER, (ANN, BEN), NOW)
    assert counted([signed], MATTER, (ANN, BEN), NOW) == {}


def test_a_signature_that_does_not_hold_counts_for_nothing() -> None:
    assert "not signed with ann's key" in objection(Signed(YES, holds=False), MATTER, (ANN,), NOW)


def test_who_wrote_a_part_does_not_approve_it_however_the_address_is_spelt() -> None:
    own = replace(MATTER, authors=("Ann@Example.org",))
    assert "has written a part of it" in objection(Signed(YES, holds=True), own, (ANN,), NOW)


def test_people_are_counted_and_not_their_approvals() -> None:
    given_ = [Signed(YES, holds=True), Signed(replace(YES, given_us=200), holds=True)]
    given_ += [Signed(replace(YES, approver="ben"), holds=True), Signed(replace(YES, role="product"), holds=True)]
    assert counted(given_, MATTER, (ANN, BEN), NOW) == {"product": 1, "security": 2}


def test_one_that_never_expires_holds_for_ever() -> None:
    assert objection(Signed(replace(YES, expires_us=None), holds=True), MATTER, (ANN,), 2**60) == ""


TEXTS = st.text(max_size=20)


@given(
    st.builds(
        Approval,
        approver=TEXTS,
        role=TEXTS,
        stage=TEXTS,
        package=TEXTS,
        version=TEXTS,
        digest=TEXTS,
        given_us=st.integers(0, 2**53 - 1),
        expires_us=st.none() | st.integers(0, 2**53 - 1),
        comment=TEXTS,
    )
)
def test_a_statement_reads_back(approval: Approval) -> None:
    assert read_statement(statement(approval)) == approval


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b'{"schema":"shipline.approval/2"}', statement(YES) + b" ", b"\xff", b"x" * 20_000]
)
def test_what_is_no_statement_is_refused(data: bytes) -> None:
    with pytest.raises(ShiplineError):
        read_statement(data)
