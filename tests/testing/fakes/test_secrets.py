"""The fake owes what the providers owe."""

from __future__ import annotations

import pytest

from shipline.testing.conformance.secrets import Keep, SecretsConformance
from shipline.testing.fakes.secrets import MemorySecrets


class TestMemorySecrets(SecretsConformance):
    @pytest.fixture
    def secrets(self) -> MemorySecrets:
        return MemorySecrets({})

    @pytest.fixture
    def keep(self, secrets: MemorySecrets) -> Keep:
        def keep(name: str, value: str) -> str:
            secrets.kept[name] = value
            return name

        return keep
