"""What a release leaves of the packages that require the released one, as the ecosystem's own tool sees it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from shipline.capabilities.plans import detect_packages, make_plan
from shipline.capabilities.releases.batch import Part, write_parts
from shipline.capabilities.version_files import find_version_files
from shipline.domain.package import Package
from shipline.testing.histories import History

TIMEOUT_S = 120
UV = str(Path(sys.executable).with_name("uv"))  # One of the tests' own dependencies.


def begun(folder: Path, files: Mapping[str, str]) -> History:
    """The first commit. What tools write beside it may come after."""
    history = History(folder)
    history.commit("feat: begin", dict(files))
    return history


def release(history: History, *broken: str, packages: Sequence[Package] | None = None) -> None:
    """All packages are at 1.0.0; then those in the folders `broken` break, and what is planned is written."""
    history.git("add", "--all")
    history.git("commit", "--quiet", "--allow-empty", "-m", "chore: lock")
    repository = history.repository
    for each in packages or detect_packages(repository):
        history.tag(each.tag("1.0.0"))
    history.commit("feat!: break it", {f"{folder}/README": "x" for folder in broken})
    repository = history.repository
    known = {package.name: package for package in packages or detect_packages(repository)}
    parts = []
    for plan in make_plan(repository, packages).releasable:
        package = known[plan.name]
        apart = frozenset(each.path for each in known.values() if each is not package)
        found = find_version_files(history.folder, package, tracked=repository.is_tracked, apart=apart)
        parts.append(Part(package, str(plan.next), "", found.files, "", plan.requirements))
    write_parts(history.folder, parts)
    once = history.git("diff")
    write_parts(history.folder, parts)
    assert history.git("diff") == once != ""


def run(folder: Path, *command: str) -> None:
    """A tool that is on the machine, without any network. Skips, saying why, where it is not."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed, so it bears no witness here")
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"CARGO_TERM_COLOR": "never", "CARGO_NET_OFFLINE": "true"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def crate(name: str, rest: str = "") -> dict[str, str]:
    text = f'[package]\nname = "{name}"\nversion = "1.0.0"\nedition = "2021"\n{rest}'
    return {f"{name}/Cargo.toml": text, f"{name}/src/lib.rs": ""}


def test_a_crate_that_is_required_for_development_leaves_the_lock_as_cargo_wants_it(tmp_path: Path) -> None:
    files = {"Cargo.toml": '[workspace]\nmembers = ["a", "b"]\nresolver = "2"\n'}
    files |= crate("a") | crate("b", '[dev-dependencies]\na = { path = "../a", version = "1.0.0" }\n')
    history = begun(tmp_path / "work", files)
    run(history.folder, "cargo", "generate-lockfile")
    release(history, "a")
    run(history.folder, "cargo", "metadata", "--locked", "--format-version=1")
    assert 'version = "1.0.0"' in (history.folder / "b" / "Cargo.toml").read_text()


def test_the_lock_of_a_package_beside_it_has_the_new_version(tmp_path: Path) -> None:
    """No workspace holds them together: each has a lock of its own, and a path leads from the one to the other."""
    files = crate("core") | crate("app", '[dependencies]\ncore = { path = "../core", version = "1.0.0" }\n')
    project = '[project]\nname = "{}"\nversion = "1.0.0"\nrequires-python = ">=3.11"\n'
    source = 'dependencies = ["base>=1"]\n[tool.uv.sources]\nbase = { path = "../base" }\n'
    files |= {"base/pyproject.toml": project.format("base"), "tool/pyproject.toml": project.format("tool") + source}
    history = begun(tmp_path / "work", files)
    run(history.folder / "app", "cargo", "generate-lockfile")
    run(history.folder / "tool", UV, "lock", "--offline", "--no-config")
    packages = [
        Package(name, name, ecosystem, scheme, "{package}@{version}")
        for name, ecosystem, scheme in (
            ("core", "cargo", "semver"),
            ("app", "cargo", "semver"),
            ("base", "python", "pep440"),
            ("tool", "python", "pep440"),
        )
    ]
    release(history, "core", "base", packages=packages)
    run(history.folder / "app", "cargo", "metadata", "--locked", "--format-version=1")
    run(history.folder / "tool", UV, "lock", "--check", "--offline", "--no-config")


def test_a_crate_that_is_required_through_its_workspace_is_followed(tmp_path: Path) -> None:
    """The range stands in the workspace's manifest alone, which two may share; one of them by another name."""
    inherited = 'a = { path = "a", version = "1.0.0" }\nz = { package = "a", path = "a", version = "1" }\n'
    files = {"Cargo.toml": f'[workspace]\nmembers = ["a", "b", "c"]\n[workspace.dependencies]\n{inherited}'}
    files |= crate("a") | crate("b", "[dependencies]\na.workspace = true\n")
    files |= crate("c", "[target.'cfg(unix)'.build-dependencies]\nz = { workspace = true, features = [] }\n")
    history = begun(tmp_path / "work", files)
    run(history.folder, "cargo", "generate-lockfile")
    release(history, "a")
    run(history.folder, "cargo", "metadata", "--locked", "--format-version=1")
    lock = (history.folder / "Cargo.lock").read_text()
    assert [lock.count(f'"{version}"') for version in ("2.0.0", "1.0.1", "1.0.0")] == [1, 2, 0]
