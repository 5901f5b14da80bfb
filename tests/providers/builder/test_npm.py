"""npm packages are packed by the real npm; scripts of the package are not run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from shipline.domain.errors import ShiplineError
from shipline.domain.package import Package
from shipline.ports.builder import Builder
from shipline.ports.provider import ProviderContext
from shipline.providers.builder.npm import NPMBuilder, NPMBuilderSettings
from shipline.testing.conformance.builder import BuilderConformance, request_for
from shipline.testing.fakes.clock import FakeClock

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")


class TestNPMBuilder(BuilderConformance):
    @pytest.fixture
    def builder(self, tmp_path: Path) -> Builder:
        context = ProviderContext(root=tmp_path, state=tmp_path, clock=FakeClock())
        return NPMBuilder(NPMBuilderSettings(), context)

    def write_source(self, folder: Path, *, name: str, version: str) -> None:
        scripts = {"prepack": "touch ran", "prepare": "touch ran"}
        (folder / "package.json").write_text(json.dumps({"name": name, "version": version, "scripts": scripts}))
        (folder / "index.js").write_text("module.exports = 1\n")

    def test_scripts_are_not_run(self, builder: Builder, source: Path, tmp_path: Path) -> None:
        artifacts = builder.build(
            request_for(self.package, "1.2.3"), source=source, output=self.output(tmp_path, "out")
        )
        assert [artifact.kind for artifact in artifacts] == ["npm"]
        assert not (source / self.package.path / "ran").exists()

    def test_a_scoped_name_is_packed(self, builder: Builder, tmp_path: Path) -> None:
        self.write_source(tmp_path, name="@quotes/api", version="1.0.0")
        (artifact,) = builder.build(
            request_for(Package("@quotes/api"), "1.0.0"), source=tmp_path, output=self.output(tmp_path, "out")
        )
        assert artifact.name == "quotes-api-1.0.0.tgz"

    def test_a_folder_without_package_json_is_an_error_with_what_npm_said(
        self, builder: Builder, tmp_path: Path
    ) -> None:
        with pytest.raises(ShiplineError, match="cannot be packed") as caught:
            builder.build(request_for(Package("quotes"), "1.0.0"), source=tmp_path, output=self.output(tmp_path, "out"))
        assert "package.json" in caught.value.why
