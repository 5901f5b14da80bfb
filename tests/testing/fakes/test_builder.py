"""The fake builder passes the suite that real ones pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipline.ports.builder import Builder
from shipline.testing.conformance.builder import BuilderConformance
from shipline.testing.fakes.builder import FakeBuilder


class TestFakeBuilder(BuilderConformance):
    @pytest.fixture
    def builder(self) -> Builder:
        return FakeBuilder()

    def write_source(self, folder: Path, *, name: str, version: str) -> None:
        (folder / "VERSION").write_text(f"{version}\n")
        (folder / "README").write_text(name)
