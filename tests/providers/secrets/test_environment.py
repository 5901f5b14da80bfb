"""Secrets in Shipline's own environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipline.domain.errors import ConfigurationError, RefusedError
from shipline.ports.provider import ProviderContext
from shipline.providers.secrets.environment import EnvironmentSecrets
from shipline.testing.conformance.secrets import Keep, SecretsConformance
from tests.machine import SystemClock


class TestEnvironmentSecrets(SecretsConformance):
    @pytest.fixture
    def secrets(self, tmp_path: Path) -> EnvironmentSecrets:
        context = ProviderContext(tmp_path, tmp_path, SystemClock())
        return EnvironmentSecrets(EnvironmentSecrets.Settings(), context)

    @pytest.fixture
    def keep(self, monkeypatch: pytest.MonkeyPatch) -> Keep:
        def keep(name: str, value: str) -> str:
            # A variable's size is bounded by the kernel: two of a repeated word are enough.
            monkeypatch.setenv(name, value[: 100 << 10])
            return name

        return keep

    def test_shiplines_own_variables_are_not_handed_on(
        self, secrets: EnvironmentSecrets, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SHIPLINE_STORE", "postgresql://hunter2")
        with pytest.raises(RefusedError, match="SHIPLINE_STORE is not handed on") as refused:
            secrets.read("SHIPLINE_STORE")
        assert "hunter2" not in refused.value.diagnosis()

    def test_bytes_that_are_no_text_are_refused(
        self, secrets: EnvironmentSecrets, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ONE", "\udcff")
        with pytest.raises(ConfigurationError, match="cannot be given"):
            secrets.read("ONE")
