"""npm packages are packed by the real npm; scripts of the package are not run."""

from __future__ import annotations

import json
import shutil
import tarfile
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

    def test_ranges_of_a_workspace_are_written_out(self, builder: Builder, tmp_path: Path) -> None:
        """As pnpm and Yarn publish them: what npm packs by itself cannot be installed."""
        source = tmp_path / "source"
        for name, version in (("api", "2.1.0"), ("core", "3.0.0-rc.1")):
            (source / "packages" / name).mkdir(parents=True)
            self.write_source(source / "packages" / name, name=f"@quotes/{name}", version=version)
        manifest = source / "packages" / "api" / "package.json"
        asked = {"@quotes/core": "workspace:^", "left-pad": "catalog:"}
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"dependencies": asked}))
        (source / "pnpm-workspace.yaml").write_text("packages: [packages/*]\ncatalog: {left-pad: ^1.3.0}\n")
        request = request_for(Package("@quotes/api", "packages/api"), "2.1.0")
        output = self.output(tmp_path, "out")
        (artifact,) = builder.build(request, source=source, output=output)
        with tarfile.open(output / artifact.name) as archive:
            stream = archive.extractfile("package/package.json")
            assert stream is not None
            packed = json.loads(stream.read())
        assert packed["dependencies"] == {"@quotes/core": "^3.0.0-rc.1", "left-pad": "^1.3.0"}

    def test_a_folder_without_package_json_is_an_error_with_what_npm_said(
        self, builder: Builder, tmp_path: Path
    ) -> None:
        with pytest.raises(ShiplineError, match="cannot be packed") as caught:
            builder.build(request_for(Package("quotes"), "1.0.0"), source=tmp_path, output=self.output(tmp_path, "out"))
        assert "package.json" in caught.value.why
