"""The fake signer passes the suite that real ones pass."""

from __future__ import annotations

import pytest

from shipline.testing.conformance.signer import SignerConformance
from shipline.testing.fakes.signer import MemorySigner


class TestMemorySigner(SignerConformance):
    provider_name = "memory"

    @pytest.fixture
    def signer(self) -> MemorySigner:
        return MemorySigner(1)

    @pytest.fixture
    def another_signer(self) -> MemorySigner:
        return MemorySigner(2)


def test_same_seed_gives_the_same_signatures() -> None:
    """A run with the same seed can be compared byte by byte."""
    assert MemorySigner(7).sign(b"x") == MemorySigner(7).sign(b"x")
