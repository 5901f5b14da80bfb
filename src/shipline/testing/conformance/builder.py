"""Behaviour that every Builder owes its callers.

Subclass it in a test module; supply `builder`, and `write_source` for what its ecosystem calls a package.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from shipline.domain.errors import ShiplineError
from shipline.domain.package import Package
from shipline.ports.builder import Builder, BuildRequest

EPOCH_S = 1_790_000_000
COMMIT = "5d0a6f2e0c4b1a3f8e7d9c6b5a4f3e2d1c0b9a88"


def request_for(package: Package, version: str) -> BuildRequest:
    """A request as a release makes it."""
    return BuildRequest(package, version, COMMIT, EPOCH_S)


class BuilderConformance:
    """The suite, with declared quirks.

    `reproducible` is False where the ecosystem's archives never repeat, `states_version` where what is built states no
    version of its own that could be wrong.
    """

    reproducible = True
    states_version = True
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

    def digest(self, path: Path) -> str:
        """The identity of what is built: the sha256 of a file, unless the kind of artifact has another."""
        return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"

    def output(self, tmp_path: Path, name: str) -> Path:
        """An empty folder."""
        folder = tmp_path / name
        folder.mkdir()
        return folder

    def test_artifacts_are_what_stands_in_the_output(self, builder: Builder, source: Path, tmp_path: Path) -> None:
        output = self.output(tmp_path, "out")
        artifacts = builder.build(request_for(self.package, "1.2.3"), source=source, output=output)
        assert artifacts
        for artifact in artifacts:
            path = output / artifact.name
            assert artifact.digest == self.digest(path)
            assert artifact.size == path.stat().st_size
            assert artifact.kind in builder.kinds
            assert "1.2.3" in artifact.name

    def test_the_same_source_and_time_give_the_same_bytes(self, builder: Builder, tmp_path: Path) -> None:
        """Two trees with files of other times on disk, and two outputs."""
        built = [
            builder.build(
                request_for(self.package, "1.2.3"),
                source=self.make_source(tmp_path / f"source-{name}", "1.2.3"),
                output=self.output(tmp_path, name),
            )
            for name in ("one", "two")
        ]
        if self.reproducible:
            assert built[0] == built[1]
        assert [artifact.name for artifact in built[0]] == [artifact.name for artifact in built[1]]

    def test_artifacts_that_state_another_version_are_refused(
        self, builder: Builder, source: Path, tmp_path: Path
    ) -> None:
        if not self.states_version:
            return
        with pytest.raises(ShiplineError, match=r"1\.2\.3"):
            builder.build(request_for(self.package, "1.2.4"), source=source, output=self.output(tmp_path, "out"))
