"""SBOMs of really built packages, validated by the specification's schema."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from shipline.capabilities.evidence.bills.cyclonedx_document import cyclonedx_of
from shipline.capabilities.evidence.distributions import read_built
from shipline.capabilities.evidence.python_packages import python_bill
from shipline.domain.errors import InvalidValue

SERIAL = UUID("0193b3c0-0000-7000-8000-000000000001")
PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "Small.Quotes"
version = "1.2.0"
license = "Apache-2.0"
dependencies = ["click>=8", "Not_Installed<3; python_version < '4'"]
optional-dependencies = {dev = ["pytest"]}
[tool.hatch.build.targets.wheel]
only-include = ["small_quotes"]
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """A wheel and an sdist, built by hatchling."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "small_quotes").mkdir()
    (folder / "small_quotes" / "__init__.py").write_text("")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    return tuple(sorted((folder / "dist").iterdir()))


@pytest.fixture
def site_packages(tmp_path: Path) -> Path:
    """An environment as installers leave it: click 8.1.0, which needs one more, and something unrelated."""
    needs = {"click-8.1.0": "Requires-Dist: colorama\n", "colorama-0.4.6": "", "unrelated-1.0": ""}
    for folder, lines in needs.items():
        name, version = folder.split("-")
        (tmp_path / f"{folder}.dist-info").mkdir()
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{lines}"
        (tmp_path / f"{folder}.dist-info" / "METADATA").write_text(text)
    return tmp_path


def make_sbom(files: tuple[Path, ...], *, serial: UUID, created_us: int, site_packages: Path | None = None) -> bytes:
    return cyclonedx_of(python_bill(files, serial=serial, created_us=created_us, site_packages=site_packages))


def sbom(files: tuple[Path, ...], site_packages: Path | None = None) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        make_sbom(files, serial=SERIAL, created_us=1_700_000_000_000_000, site_packages=site_packages)
    )
    return document


def test_package_stands_with_its_files_digests(files: tuple[Path, ...]) -> None:
    """Name normalised, purl, licence, and the digest of each file at the reference to it."""
    document = sbom(files)
    component = document["metadata"]["component"]
    assert component["purl"] == "pkg:pypi/small-quotes@1.2.0"
    assert component["licenses"] == [{"expression": "Apache-2.0"}]
    found = {reference["url"]: reference["hashes"][0]["content"] for reference in component["externalReferences"]}
    assert found == {path.name: read_built(path).sha256 for path in files}
    assert document["serialNumber"] == f"urn:uuid:{SERIAL}"
    assert document["metadata"]["timestamp"].startswith("2023-11-14T22:13:20")


def test_declared_dependencies_stand_without_a_version_where_nobody_knows(files: tuple[Path, ...]) -> None:
    """Both are listed, with what was declared; extras are not."""
    components = {component["name"]: component for component in sbom(files)["components"]}
    assert sorted(components) == ["click", "not-installed"]
    assert "version" not in components["click"]
    stated = {entry["name"]: entry["value"] for entry in components["not-installed"]["properties"]}
    assert stated["shipline:python:specifier"] == "<3"
    assert "python_version" in stated["shipline:python:marker"]


def test_installed_environment_tells_versions_and_what_is_beneath(files: tuple[Path, ...], site_packages: Path) -> None:
    """Versions where they are installed, colorama because of click, the unrelated one not at all; who needs whom."""
    document = sbom(files, site_packages)
    assert [component["purl"] for component in document["components"]] == [
        "pkg:pypi/click@8.1.0",
        "pkg:pypi/colorama@0.4.6",
        "pkg:pypi/not-installed",
    ]
    needs = {entry["ref"]: entry.get("dependsOn", []) for entry in document["dependencies"]}
    assert needs["pkg:pypi/small-quotes@1.2.0"] == ["pkg:pypi/click@8.1.0", "pkg:pypi/not-installed"]
    assert needs["pkg:pypi/click@8.1.0"] == ["pkg:pypi/colorama@0.4.6"]


def test_document_is_valid_and_repeatable(files: tuple[Path, ...], site_packages: Path) -> None:
    """The specification's own schema for 1.6 accepts it; the same input gives the same bytes."""
    document = sbom(files, site_packages)
    assert trouble(document) is None
    assert document["specVersion"] == "1.6"
    first, second = (
        make_sbom(files, serial=SERIAL, created_us=5_000_000, site_packages=site_packages) for _ in range(2)
    )
    assert first == second


def trouble(document: dict[str, Any]) -> object:
    """What the specification's own schema, strictly applied, has against a document; None if nothing."""
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))


def test_validator_does_refuse() -> None:
    """The witness is awake."""
    assert trouble({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{}]}) is not None


def test_hostile_and_wrong_files_are_refused(tmp_path: Path, files: tuple[Path, ...]) -> None:
    """Not a wheel, a broken one, two metadata files, other packages beside: InvalidValue."""
    broken = tmp_path / "broken-1-py3-none-any.whl"
    broken.write_bytes(b"PK\x03\x04 and no more")
    cut = tmp_path / "cut-1.tar.gz"
    cut.write_bytes(files[-1].read_bytes()[:100])
    doubled = tmp_path / "doubled-1-py3-none-any.whl"
    other = tmp_path / "other-1-py3-none-any.whl"
    with zipfile.ZipFile(doubled, "w") as archive:
        archive.writestr("a-1.dist-info/METADATA", "Name: a\nVersion: 1\n")
        archive.writestr("b-1.dist-info/METADATA", "Name: b\nVersion: 1\n")
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("other-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: other\nVersion: 1\n")
    damaged = tmp_path / "damaged-1.tar.gz"
    damaged.write_bytes(files[-1].read_bytes()[:60] + b"\xff" * 200)
    nameless = tmp_path / "nameless-1-py3-none-any.whl"
    with zipfile.ZipFile(nameless, "w") as archive:
        archive.writestr("nameless-1.dist-info/METADATA", "Metadata-Version: 2.1\nVersion: 1\n")
    for wrong in (
        (damaged,),
        (nameless,),
        (tmp_path / "absent-1.tar.gz",),
        (broken,),
        (cut,),
        (doubled,),
        (tmp_path / "a.exe",),
        (*files, other),
        (),
    ):
        with pytest.raises(InvalidValue):
            sbom(wrong)
