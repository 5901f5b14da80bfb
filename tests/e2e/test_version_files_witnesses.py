"""Each ecosystem's own tool reads our edit as the version that we wrote, and finds nothing to mend in it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shipline.capabilities.version_files import (
    edits_to,
    find_version_files,
    spelling_of,
    write_edits,
    write_requirement,
)
from shipline.domain.package import Package

VERSIONS = ["2.0.0", "2.1.0-rc.1"]
needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
needs_cargo = pytest.mark.skipif(shutil.which("cargo") is None, reason="cargo is not installed")
UV = str(Path(sys.executable).with_name("uv"))  # One of the tests' own dependencies.
needs_maven = pytest.mark.skipif(shutil.which("mvn") is None, reason="Maven is not installed")


def run(folder: Path, *command: str) -> str:
    """A tool, offline."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def lay_out(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def edit(folder: Path, package: Package, version: str) -> list[str]:
    """Write the version into all files that are found."""
    found = find_version_files(folder, package, tracked=lambda _: True)
    edits = edits_to(folder, [(file, version) for file in found.files])
    write_edits(folder, edits)
    return [edit.path for edit in edits]


def contents(folder: Path) -> dict[str, bytes]:
    """All files of the folder but built ones."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in files if "node_modules" not in path.parts
    }


@needs_npm
@pytest.mark.parametrize("version", VERSIONS)
def test_npm_writes_the_same_bytes(tmp_path: Path, version: str) -> None:
    """`npm version`, where the files are formatted as it formats them; and it locks nothing anew."""
    files = {"package.json": '{\n  "name": "quotes",\n  "version": "1.0.0",\n  "license": "MIT"\n}\n'}
    ours = lay_out(tmp_path / "ours", files)
    run(ours, "npm", "install", "--package-lock-only", "--offline", "--no-audit", "--no-fund")
    theirs = tmp_path / "theirs"
    shutil.copytree(ours, theirs)
    run(theirs, "npm", "version", "--no-git-tag-version", version)
    assert edit(ours, Package("quotes", ecosystem="npm"), version) == ["package.json", "package-lock.json"]
    assert contents(ours) == contents(theirs)
    assert json.loads(run(ours, "npm", "pkg", "get", "version")) == version
    run(ours, "npm", "install", "--package-lock-only", "--offline", "--no-audit", "--no-fund")
    assert contents(ours) == contents(theirs)


@needs_npm
def test_npm_s_workspace_is_in_step(tmp_path: Path) -> None:
    """An edited package and its dependent's range, and npm would lock the very same."""
    folder = lay_out(
        tmp_path,
        {
            "package.json": '{\n  "name": "root",\n  "workspaces": ["packages/*"]\n}\n',
            "packages/a/package.json": '{\n  "name": "a",\n  "version": "1.0.0"\n}\n',
            "packages/b/package.json": (
                '{\n  "name": "b",\n  "version": "1.0.0",\n  "dependencies": {\n    "a": "^1.0.0"\n  }\n}\n'
            ),
        },
    )
    run(folder, "npm", "install", "--package-lock-only", "--offline", "--no-audit", "--no-fund")
    edited = edit(folder, Package("a", "packages/a", ecosystem="npm"), "1.1.0")
    assert edited == ["packages/a/package.json", "package-lock.json"]
    before = contents(folder)
    run(folder, "npm", "install", "--package-lock-only", "--offline", "--no-audit", "--no-fund")
    assert contents(folder) == before


@needs_cargo
@pytest.mark.parametrize("version", VERSIONS)
def test_cargo_takes_the_lock_as_it_is(tmp_path: Path, version: str) -> None:
    """With `--locked`, Cargo refuses a lock that it would write anew."""
    folder = lay_out(
        tmp_path,
        {
            "Cargo.toml": '[workspace]\nmembers = ["a", "b"]\nresolver = "2"\n[workspace.package]\nversion = "1.0.0"\n',
            "a/Cargo.toml": '[package]\nname = "a"\nversion.workspace = true\nedition = "2021"\n',
            "a/src/lib.rs": "",
            "b/Cargo.toml": (
                '[package]\nname = "b"\nversion.workspace = true\nedition = "2021"\n'
                '[dependencies]\na = { path = "../a", version = "1.0.0" } # ours\n'
            ),
            "b/src/lib.rs": "",
        },
    )
    run(folder, "cargo", "generate-lockfile", "--offline")
    assert edit(folder, Package("a", "a"), version) == ["Cargo.toml", "Cargo.lock"]
    manifest = folder / "b" / "Cargo.toml"
    manifest.write_bytes(write_requirement("Cargo.toml", manifest.read_bytes(), "a", version))
    metadata = json.loads(run(folder, "cargo", "metadata", "--offline", "--locked", "--format-version", "1"))
    assert {package["name"]: package["version"] for package in metadata["packages"]} == {"a": version, "b": version}


@pytest.mark.parametrize("version", VERSIONS)
def test_uv_takes_the_lock_as_it_is(tmp_path: Path, version: str) -> None:
    """`uv lock --check` fails where the lock is not what uv would write."""
    member = '[project]\nname = "b"\nversion = "1.0.0"\nrequires-python = ">=3.11"\ndependencies = ["quotes"]\n'
    folder = lay_out(
        tmp_path,
        {
            "pyproject.toml": (
                '[project]\nname = "quotes"\nversion = "1.0.0"\nrequires-python = ">=3.11"\n'
                '[tool.uv.workspace]\nmembers = ["b"]\n[tool.uv.sources]\nquotes = { workspace = true }\n'
            ),
            "b/pyproject.toml": member + "[tool.uv.sources]\nquotes = { workspace = true }\n",
        },
    )
    run(folder, UV, "lock", "--offline", "--no-config")
    files = find_version_files(folder, Package("quotes", ecosystem="python"), tracked=lambda _: True).files
    assert edit(folder, Package("quotes", ecosystem="python"), version) == ["pyproject.toml", "uv.lock"]
    run(folder, UV, "lock", "--check", "--offline", "--no-config")
    assert run(folder, UV, "version", "--short", "--offline", "--no-config").strip() == spelling_of(files[-1], version)


@needs_maven
def test_maven_builds_the_version(tmp_path: Path) -> None:
    """The project's own, in the place that it refers to."""
    pom = (
        "<project><modelVersion>4.0.0</modelVersion><groupId>g</groupId><artifactId>quotes</artifactId>"
        "<version>${revision}</version><packaging>pom</packaging>"
        "<properties><revision>1.0.0</revision></properties></project>"
    )
    folder = lay_out(tmp_path, {"pom.xml": pom})
    edit(folder, Package("quotes"), "2.1.0-rc.1")
    assert "Building quotes 2.1.0-rc.1" in run(folder, "mvn", "-o", "-B", "validate")


@needs_maven
def test_maven_finds_the_parents_of_all_modules(tmp_path: Path) -> None:
    """With the old version of its parent in it, a module makes the whole project one that cannot be read."""
    start = "<project><modelVersion>4.0.0</modelVersion>"
    top = "<groupId>g</groupId><artifactId>{}</artifactId><version>1.0.0</version>"
    poms = {
        "pom.xml": start + top.format("top") + "<packaging>pom</packaging><modules><module>a</module></modules>",
        "a/pom.xml": f"{start}<parent>{top.format('top')}</parent><artifactId>a</artifactId><packaging>pom</packaging>"
        "<modules><module>b</module></modules>",
        "a/b/pom.xml": f"{start}<parent>{top.format('a')}</parent><artifactId>b</artifactId><packaging>pom</packaging>",
    }
    folder = lay_out(tmp_path, {path: f"{text}</project>" for path, text in poms.items()})
    assert edit(folder, Package("quotes"), "1.1.0") == list(poms)
    assert "Building b 1.1.0" in run(folder, "mvn", "-o", "-B", "validate")
