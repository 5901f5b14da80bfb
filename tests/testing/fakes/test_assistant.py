"""The fake assistant passes the suite that real ones pass."""

from __future__ import annotations

import pytest

from shipline.ports.assistant import Assistant
from shipline.testing.conformance.assistant import AssistantConformance
from shipline.testing.fakes.assistant import FakeAssistant


class TestFakeAssistant(AssistantConformance):
    @pytest.fixture
    def assistant(self, model: FakeAssistant) -> Assistant:
        return model
