"""The fake database of advisories passes the suite that real ones pass."""

from __future__ import annotations

import pytest

from shipline.ports.advisories import Advisories
from shipline.testing.conformance.advisories import ENTRIES, AdvisoriesConformance
from shipline.testing.fakes.advisories import FakeAdvisories


class TestFakeAdvisories(AdvisoriesConformance):
    @pytest.fixture
    def advisories(self) -> Advisories:
        return FakeAdvisories(*ENTRIES)
