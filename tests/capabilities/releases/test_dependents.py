"""What a release leaves of the packages that require the released one, as the ecosystem's own tool sees it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from shipline.capabilities.plans import detect_packages, make_plan
from shipline.capabilities.releases.batch import Part, edited_files, write_parts
from shipline.capabilities.releases.candidates import locks_of
from shipline.capabilities.version_files import find_version_files
from shipline.domain.errors import RefusedError
from shipline.domain.package import Package
from shipline.domain.release_plan import RequirementEdit
from shipline.testing.histories import History
from tests.npm_packages import installed

TIMEOUT_S = 120
UV = str(Path(sys.executable).with_name("uv"))  # One of the tests' own dependencies.


def begun(folder: Path, files: Mapping[str, str]) -> History:
    """The first commit. What tools write beside it may come after."""
    history = History(folder)
    history.commit("feat: begin", dict(files))
    return history


def release(
    history: History, *broken: str, packages: Sequence[Package] | None = None, only: Sequence[str] = ()
) -> None:
    """All packages are at 1.0.0; then those in the folders `broken` break, and what is planned is written.

    `only` are the names of those that are released, none for all.
    """
    history.git("add", "--all")
    history.git("commit", "--quiet", "--allow-empty", "-m", "chore: lock")
    repository = history.repository
    for each in packages or detect_packages(repository):
        history.tag(each.tag("1.0.0"))
    history.commit("feat!: break it", {f"{folder}/README": "x" for folder in broken})
    write(history, packages=packages, only=only)
    once = history.git("diff")
    write(history, packages=packages, only=only)
    assert history.git("diff") == once != ""


def write(history: History, *, packages: Sequence[Package] | None = None, only: Sequence[str] = ()) -> None:
    """Write what is planned."""
    repository = history.repository
    known = {package.name: package for package in packages or detect_packages(repository)}
    parts = []
    for plan in (one for one in make_plan(repository, packages).releasable if not only or one.name in only):
        package = known[plan.name]
        apart = frozenset(each.path for each in known.values() if each is not package)
        found = find_version_files(history.folder, package, tracked=repository.is_tracked, apart=apart)
        locks = tuple(locks_of(plan.requirements, repository))
        parts.append(Part(package, str(plan.next), "", found.files, "", plan.requirements, locks=locks))
    write_parts(history.folder, parts)


def run(folder: Path, *command: str) -> None:
    """A tool that is on the machine, without any network. Skips, saying why, where it is not."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed, so it bears no witness here")
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"CARGO_TERM_COLOR": "never", "CARGO_NET_OFFLINE": "true", "npm_config_offline": "true"},
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


def js(name: str, **more: object) -> str:
    return json.dumps({"name": name, "version": "1.0.0"} | more, indent=2) + "\n"


NPM = {
    "package.json": json.dumps({"name": "top", "private": True, "workspaces": ["packages/*"]}),
    "packages/a/package.json": js("@x/a"),
    "packages/b/package.json": js("@x/b", dependencies={"@x/a": "^1.0.0"}, peerDependencies={"@x/a": ">=1.0.0"}),
    "packages/c/package.json": js("@x/c", devDependencies={"@x/a": "~1.0.0"}),
    "packages/d/package.json": js("@x/d", peerDependencies={"@x/a": "^1.0.0"}, devDependencies={"@x/a": "workspace:^"}),
    "packages/e/package.json": js("@x/e", optionalDependencies={"@x/a": "workspace:^1.0.0"}),
}
PNPM = "packages: ['packages/*']\nlinkWorkspacePackages: true\nautoInstallPeers: false\n"
# The tool, its version, its program, what it needs, what makes the lock file, its name, and how the tool looks at that.
TOOLS = {
    "npm": ("", "", "npm", {}, ("install", "--package-lock-only"), "package-lock.json", ("ci", "--dry-run")),
    "pnpm": (
        "pnpm",
        "10.34.9",
        "pnpm",
        {"pnpm-workspace.yaml": PNPM},
        ("install", "--lockfile-only"),
        "pnpm-lock.yaml",
        ("install", "--frozen-lockfile"),
    ),
    "yarn": (
        "@yarnpkg/cli-dist",
        "4.18.1",
        "yarn",
        {"yarn.lock": "", ".yarnrc.yml": "enableTelemetry: false\nnodeLinker: node-modules\nenableNetwork: false\n"},
        ("install", "--no-immutable"),
        "yarn.lock",
        ("install", "--immutable"),
    ),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_the_lock_file_says_the_ranges_that_the_manifests_say(
    tmp_path: Path, pytestconfig: pytest.Config, tool: str
) -> None:
    """The tool takes it as it is, and would write the same."""
    package, version, program, more, make, lock, look = TOOLS[tool]
    if package:
        cache = pytestconfig.cache.mkdir("npm")
        program = str(installed(cache, package, version) / "node_modules" / ".bin" / program)
    files = {path: text for path, text in NPM.items() if tool != "npm" or "workspace:" not in text}
    history = begun(tmp_path / "work", files | more | {".gitignore": "node_modules\n.yarn\n"})
    run(history.folder, program, *make)
    release(history, "packages/a")
    ours = (history.folder / lock).read_text()
    assert "2.0.0" in ours
    run(history.folder, program, *look)
    run(history.folder, program, *make)
    assert (history.folder / lock).read_text() == ours


CATALOGS = f"""{PNPM}catalog:
  '@x/a': ^1.0.0  # as most have it
  other: "1"
catalogs:
  next: {{ "@x/a": ~1.0.0, other: ^1.0.0 }}
  late: {{ "@x/a": '>=1.0.0' }}
"""


def test_what_is_required_through_pnpm_s_catalogues_is_followed(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Two share the range of one; what takes a range that fits, and what only develops with it, is not released."""
    program = str(installed(pytestconfig.cache.mkdir("npm"), "pnpm", "10.34.9") / "node_modules" / ".bin" / "pnpm")
    files = {
        "package.json": json.dumps({"private": True, "devDependencies": {"@x/a": "catalog:next"}}),
        "pnpm-workspace.yaml": CATALOGS,
        "packages/a/package.json": js("@x/a"),
        "packages/b/package.json": js("@x/b", dependencies={"@x/a": "catalog:"}),
        "packages/c/package.json": js("@x/c", peerDependencies={"@x/a": "catalog:default"}),
        "packages/d/package.json": js("@x/d", optionalDependencies={"@x/a": "catalog:late"}),
        ".gitignore": "node_modules\n",
    }
    history = begun(tmp_path / "work", files)
    run(history.folder, program, "install", "--lockfile-only")
    packages = [Package(f"@x/{name}", f"packages/{name}", "npm", "semver", "{package}@{version}") for name in "abcd"]
    release(history, "packages/a", packages=packages, only=("@x/a", "@x/b"))
    after = CATALOGS.replace("^1.0.0  #", "^2.0.0  #").replace("~1.0.0", "~2.0.0")
    assert (history.folder / "pnpm-workspace.yaml").read_text() == after
    run(history.folder, program, "install", "--frozen-lockfile")
    ours = (history.folder / "pnpm-lock.yaml").read_text()
    run(history.folder, program, "install", "--lockfile-only")
    late = "specifier: '>=1.0.0'\n      version: "
    assert (history.folder / "pnpm-lock.yaml").read_text().replace(f"{late}2.0.0", f"{late}1.0.0") == ours
    history.git("commit", "--quiet", "--all", "-m", "chore(release): a and b")
    history.git("tag", "@x/a@2.0.0")
    history.git("tag", "@x/b@1.0.1")
    (plan,) = make_plan(history.repository).releasable
    assert (plan.name, plan.next) == ("@x/c", "1.0.1")
    assert any("out of ^1.0.0, which pnpm-workspace.yaml requires of its users" in each for each in plan.reasons)
    assert make_plan(history.repository, packages).releasable == (plan,)


def test_what_is_no_package_follows_a_release_as_npm_wants_it(tmp_path: Path) -> None:
    """The private manifest at the top, and a member without a version: they are never released themselves."""
    top = {"private": True, "workspaces": ["packages/*"], "dependencies": {"@x/a": "^1.0.0"}}
    files = {
        "package.json": json.dumps(top | {"devDependencies": {"@x/b": "1.0.0"}}),
        "packages/a/package.json": js("@x/a"),
        "packages/b/package.json": js("@x/b"),
        "packages/t/package.json": json.dumps({"name": "t", "private": True, "devDependencies": {"@x/a": "~1.0.0"}}),
        ".gitignore": "node_modules\n",
    }
    history = begun(tmp_path / "work", files)
    run(history.folder, "npm", "install", "--package-lock-only")
    release(history, "packages/a")
    said = json.loads((history.folder / "package.json").read_text())
    assert (said["dependencies"], said["devDependencies"]) == ({"@x/a": "^2.0.0"}, {"@x/b": "1.0.0"})
    assert '"@x/a": "~2.0.0"' in (history.folder / "packages/t/package.json").read_text()
    ours = (history.folder / "package-lock.json").read_text()
    run(history.folder, "npm", "ci", "--dry-run")
    run(history.folder, "npm", "install", "--package-lock-only")
    assert (history.folder / "package-lock.json").read_text() == ours


@pytest.mark.parametrize("development", [True, False])
def test_what_is_locked_from_a_registry_stays_or_stops_the_release_before_its_commit(*, development: bool) -> None:
    """Nobody can lock a version before it is released; who needs it for development needs the old one no less."""
    kind = "devDependencies" if development else "dependencies"
    manifest = js("app", **{kind: {"core": "^1.0.0"}}).encode()
    lock = json.dumps(
        {"packages": {"": {kind: {"core": "^1.0.0"}}, "node_modules/core": {"version": "1.0.0"}}}
    ).encode()
    edit = RequirementEdit("app/package.json", "core", "core", "2.0.0", "^1.0.0", "^2.0.0", development=development)
    part = Part(Package("core", "core"), "2.0.0", "", (), "", (edit,), locks=("app/package-lock.json",))
    there = {"app/package.json": manifest, "app/package-lock.json": lock}
    if development:
        assert edited_files([part], there.get) == {"app/package-lock.json": lock}
        return
    with pytest.raises(RefusedError, match="from a registry"):
        edited_files([part], there.get)


def test_the_lock_of_a_package_beside_it_has_the_new_version(tmp_path: Path) -> None:
    """No workspace holds them together: each has a lock of its own, and a path leads from the one to the other."""
    files = crate("core") | crate("app", '[dependencies]\ncore = { path = "../core", version = "1.0.0" }\n')
    project = '[project]\nname = "{}"\nversion = "1.0.0"\nrequires-python = ">=3.11"\n'
    source = 'dependencies = ["base>=1,<2"]\n[tool.uv.sources]\nbase = { path = "../base" }\n'
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
    assert '"base>=2.0.0,<3"' in (history.folder / "tool" / "pyproject.toml").read_text()


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


def test_what_a_release_alone_has_written_for_all_crates_is_followed_by_the_others(tmp_path: Path) -> None:
    """Two crates share a range, and one is released alone: the other one takes the new range with its next release."""
    inherited = 'a = { path = "a", version = "1.0.0" }\n'
    files = {"Cargo.toml": f'[workspace]\nmembers = ["a", "b", "c"]\n[workspace.dependencies]\n{inherited}'}
    files |= crate("a") | crate("b", "[dependencies]\na.workspace = true\n")
    files |= crate("c", "[dependencies]\na.workspace = true\n")
    history = begun(tmp_path / "work", files)
    run(history.folder, "cargo", "generate-lockfile")
    release(history, "a", only=("a", "b"))
    run(history.folder, "cargo", "metadata", "--locked", "--format-version=1")
    history.git("add", "--all")
    history.git("commit", "--quiet", "-m", "chore(release): a and b")
    history.git("tag", "a@2.0.0")
    history.git("tag", "b@1.0.1")
    (plan,) = make_plan(history.repository).releasable
    assert (plan.name, plan.next) == ("c", "1.0.1")
    assert "a 2.0.0 is out of 1.0.0, which Cargo.toml requires; it becomes 2.0.0." in plan.reasons
    assert [change.description for change in plan.changes] == ["require a 2.0.0"]
    before = (history.folder / "Cargo.toml").read_text()
    write(history)
    run(history.folder, "cargo", "metadata", "--locked", "--format-version=1")
    assert (history.folder / "Cargo.toml").read_text() == before
    history.git("commit", "--quiet", "--all", "-m", "chore(release): c")
    history.git("tag", "c@1.0.1")
    assert make_plan(history.repository).releasable == ()
