"""SBOMs of really built packages, validated by the specification's schema."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement

from shipline.capabilities.evidence.bills.cyclonedx_document import cyclonedx_of
from shipline.capabilities.evidence.distributions import Distribution, read_built
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
def lock() -> dict[str, Distribution]:
    """Click 8.1.0, which needs one more, and something unrelated."""
    click = Distribution("click", "8.1.0", "", (Requirement("colorama"),))
    others = (Distribution("colorama", "0.4.6", "", ()), Distribution("unrelated", "1.0", "", ()))
    return {one.name: one for one in (click, *others)}


def make_sbom(
    files: tuple[Path, ...], *, serial: UUID, created_us: int, lock: Mapping[str, Distribution] | None = None
) -> bytes:
    return cyclonedx_of(python_bill(files, lock or {}, serial=serial, created_us=created_us))


def sbom(files: tuple[Path, ...], lock: Mapping[str, Distribution] | None = None) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(make_sbom(files, serial=SERIAL, created_us=1_700_000_000_000_000, lock=lock))
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


def test_lock_tells_versions_and_what_is_beneath(files: tuple[Path, ...], lock: dict[str, Distribution]) -> None:
    """Versions where they are locked, colorama because of click, the unrelated one not at all; who needs whom."""
    document = sbom(files, lock)
    assert [component["purl"] for component in document["components"]] == [
        "pkg:pypi/click@8.1.0",
        "pkg:pypi/colorama@0.4.6",
        "pkg:pypi/not-installed",
    ]
    needs = {entry["ref"]: entry.get("dependsOn", []) for entry in document["dependencies"]}
    assert needs["pkg:pypi/small-quotes@1.2.0"] == ["pkg:pypi/click@8.1.0", "pkg:pypi/not-installed"]
    assert needs["pkg:pypi/click@8.1.0"] == ["pkg:pypi/colorama@0.4.6"]


def test_lock_that_is_behind_the_declaration_tells_no_version(files: tuple[Path, ...]) -> None:
    """Click 7 is not what `click>=8` brings."""
    document = sbom(files, {"click": Distribution("click", "7.0", "", ())})
    assert document["components"][0]["purl"] == "pkg:pypi/click"


def test_declaration_that_allows_one_version_tells_it(tmp_path: Path) -> None:
    """Without a lock: `==2.20` is known, `==2.*` is not."""
    wheel = tmp_path / "pinned-1-py3-none-any.whl"
    needs = "Requires-Dist: requests==2.20\nRequires-Dist: wide==2.*\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pinned-1.dist-info/METADATA", f"Metadata-Version: 2.1\nName: pinned\nVersion: 1\n{needs}")
    purls = [component["purl"] for component in sbom((wheel,))["components"]]
    assert purls == ["pkg:pypi/requests@2.20", "pkg:pypi/wide"]


def test_document_is_valid_and_repeatable(files: tuple[Path, ...], lock: dict[str, Distribution]) -> None:
    """The specification's own schema for 1.6 accepts it; the same input gives the same bytes."""
    document = sbom(files, lock)
    assert trouble(document) is None
    assert document["specVersion"] == "1.6"
    first, second = (make_sbom(files, serial=SERIAL, created_us=5_000_000, lock=lock) for _ in range(2))
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
