"""Behaviour that every Builder owes its callers.

Subclass it in a test module; supply `builder`, and `write_source` for what its ecosystem calls a package.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from shipline.domain.errors import ShiplineError
from shipline.domain.package import Package
from shipline.ports.builder import Builder

EPOCH_S = 1_790_000_000


class BuilderConformance:
    """The suite. `reproducible` is a declared quirk: False where the ecosystem's archives never repeat."""

    reproducible = True
    package = Package(name="quotes", path="services/quotes")

    @pytest.fixture
    def builder(self) -> Builder:
        raise NotImplementedError("supply a builder")

    def write_source(self, folder: Path, *, name: str, version: str) -> None:
        """Write the smallest package of the ecosystem into `folder`."""
        raise NotImplementedError("supply the smallest package")

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        return self.make_source(tmp_path / "source", "1.2.3")

    def make_source(self, root: Path, version: str) -> Path:
        """A clean tree with the package at `version` below `root`."""
        folder = root / self.package.path
        folder.mkdir(parents=True)
        self.write_source(folder, name=self.package.name, version=version)
        return root

    def output(self, tmp_path: Path, name: str) -> Path:
        """An empty folder."""
        folder = tmp_path / name
        folder.mkdir()
        return folder

    def test_artifacts_are_what_stands_in_the_output(self, builder: Builder, source: Path, tmp_path: Path) -> None:
        output = self.output(tmp_path, "out")
        artifacts = builder.build(source, self.package, "1.2.3", output=output, source_date_epoch_s=EPOCH_S)
        assert artifacts
        for artifact in artifacts:
            content = (output / artifact.name).read_bytes()
            assert artifact.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
            assert artifact.size == len(content)
            assert "1.2.3" in artifact.name

    def test_the_same_source_and_time_give_the_same_bytes(self, builder: Builder, tmp_path: Path) -> None:
        """Two trees with files of other times on disk, and two outputs."""
        built = [
            builder.build(
                self.make_source(tmp_path / f"source-{name}", "1.2.3"),
                self.package,
                "1.2.3",
                output=self.output(tmp_path, name),
                source_date_epoch_s=EPOCH_S,
            )
            for name in ("one", "two")
        ]
        if self.reproducible:
            assert built[0] == built[1]
        assert [artifact.name for artifact in built[0]] == [artifact.name for artifact in built[1]]

    def test_artifacts_that_state_another_version_are_refused(
        self, builder: Builder, source: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(ShiplineError, match=r"1\.2\.3"):
            builder.build(
                source, self.package, "1.2.4", output=self.output(tmp_path, "out"), source_date_epoch_s=EPOCH_S
            )
