"""The fake of load passes the suite of its port."""

from __future__ import annotations

import pytest

from shipline.ports.load import Load
from shipline.testing.conformance.load import LoadConformance
from shipline.testing.fakes.load import FakeLoad


class TestFakeLoad(LoadConformance):
    @pytest.fixture
    def load(self) -> Load:
        return FakeLoad(answer=lambda _number, path: 500 if path == "/fail" else 200)

    @pytest.fixture
    def address(self) -> str:
        return "service.test:80"
