"""Which folders workspaces name, and what their manifests require."""

from __future__ import annotations

import json

import pytest

from shipline.capabilities.plans.packages import (
    CargoWorkspace,
    Requirement,
    check_names,
    find_packages,
    member_folders,
    prefixes,
    read_document,
    workspaces_of,
)
from shipline.domain.errors import ConfigurationError, InvalidValue
from shipline.domain.package import Package

FILES = (
    "package.json",
    "libs/a/package.json",
    "libs/a/node_modules/x/package.json",
    "libs/b/Cargo.toml",
    "libs/b/inner/Cargo.toml",
    "libs/c/pyproject.toml",
    "libs/d/README.md",
    "charts/web/Chart.yaml",
    "charts/web/charts/base/Chart.yaml",
)


@pytest.mark.parametrize(
    ("name", "content", "folders"),
    [
        ("package.json", '{"workspaces": ["libs/*"]}', ["charts/web", "libs/a"]),
        ("package.json", '{"workspaces": {"packages": ["libs/**"]}}', ["charts/web", "libs/a"]),
        ("pnpm-workspace.yaml", "packages:\n  - 'libs/**'\n  - '!**/a'\n", ["charts/web"]),
        ("Cargo.toml", '[workspace]\nmembers = ["libs/*", "libs/b/inner"]\n', ["charts/web", "libs/b", "libs/b/inner"]),
        ("Cargo.toml", '[workspace]\nmembers = ["libs/**"]\nexclude = ["libs/b"]\n', ["charts/web"]),
        ("pyproject.toml", '[tool.uv.workspace]\nmembers = ["libs/*"]\n', ["charts/web", "libs/c"]),
        ("pyproject.toml", '[tool.poetry.dependencies]\nc = {path = "libs/c"}\n', ["charts/web", "libs/c"]),
        ("pyproject.toml", '[tool.uv.sources]\nc = {path = "../libs/c"}\n', []),
        ("package.json", '{"name": "a"}', []),
        ("README.md", "", ["charts/web"]),
        ("package.json", '{"workspaces": 7}', []),
    ],
)
def test_the_folders_of_a_workspace(name: str, content: str, folders: list[str]) -> None:
    members = workspaces_of({name: content.encode()} if name != "README.md" else {})
    chosen = {folder for each in members for folder in member_folders(each, FILES)[0]}
    assert sorted(chosen) == folders
    assert all(not each.startswith("/") for each in prefixes(members))


def test_a_folder_without_a_manifest_is_named() -> None:
    (npm, _) = workspaces_of({"package.json": b'{"workspaces": ["libs/*"]}'})
    assert member_folders(npm, FILES)[1] == ("libs/b", "libs/c", "libs/d")


def test_two_packages_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="'a'") as caught:
        check_names([Package("a", "x"), Package("b", "y"), Package("a", "z")])
    assert "x" in caught.value.why
    assert "z" in caught.value.why
    check_names([Package("a", "x", "python"), Package("a", "x", "npm")])


def required(name: str, content: str) -> list[tuple[str, str, str, str]]:
    found = find_packages("x", {name: content.encode()}, path="libs/x")
    listed = [each for one in found for each in one.requirements]
    purposes = ["peer" if each.peer else "development" if each.development else "" for each in listed]
    return [(each.name, each.range, each.dialect, why) for each, why in zip(listed, purposes, strict=True)]


def test_what_npm_packages_require() -> None:
    table = {
        "name": "x",
        "dependencies": {"a": "^1", "b": "workspace:*", "c": 7},
        "devDependencies": {"d": "^1"},
        "peerDependencies": {"e": ">=1"},
        "optionalDependencies": {"f": "~1"},
    }
    assert required("package.json", json.dumps(table)) == [
        ("a", "^1", "npm", ""),
        ("b", "workspace:*", "npm", ""),
        ("f", "~1", "npm", ""),
        ("e", ">=1", "npm", "peer"),
        ("d", "^1", "npm", "development"),
    ]


def test_what_python_packages_require() -> None:
    text = """
[project]
name = "x"
dependencies = ["A_b[extra]>=1,<2 ; python_version > '3'", "c", "d (==1.0)", "e @ https://example.com/e.whl", 7]
optional-dependencies.fast = ["f~=1.4"]
[dependency-groups]
test = ["j>=2", {include-group = "x"}]
[tool.poetry.group.docs.dependencies]
k = "^1.3"
[tool.poetry.dependencies]
python = "^3.11"
g = "^1.2"
h = {version = "1.*", extras = ["x"]}
i = {path = "../i"}
"""
    assert required("pyproject.toml", text) == [
        ("A_b", ">=1,<2", "pep440", ""),
        ("c", "", "pep440", ""),
        ("d", "==1.0", "pep440", ""),
        ("f", "~=1.4", "pep440", ""),
        ("j", ">=2", "pep440", "development"),
        ("g", "^1.2", "poetry", ""),
        ("h", "1.*", "poetry", ""),
        ("k", "^1.3", "poetry", "development"),
    ]


def test_what_crates_require() -> None:
    text = """
[package]
name = "x"
version.workspace = true
[dependencies]
a = "1.2"
b = {path = "../b", version = "=1.0.0"}
c = {path = "../c"}
d = {workspace = true}
renamed = {package = "e", version = "1"}
[target.'cfg(unix)'.build-dependencies]
f = "1"
[target.'cfg(unix)'.dev-dependencies]
g = "1"
"""
    assert required("Cargo.toml", text) == [
        ("a", "1.2", "cargo", ""),
        ("b", "=1.0.0", "cargo", ""),
        ("e", "1", "cargo", ""),
        ("f", "1", "cargo", ""),
        ("g", "1", "cargo", "development"),
    ]
    inherited = {"d": "2", "h": {"package": "i", "version": "3", "path": "../i"}, "j": {"path": "../j"}, "k": "4"}
    workspace = CargoWorkspace("Cargo.toml", "0.3.0", inherited)
    text += "[dev-dependencies]\nh = {workspace = true, features = ['x']}\nj = {workspace = true}\n"
    (found,) = find_packages("x", {"Cargo.toml": text.encode()}, path="libs/x", workspace=workspace)
    assert [
        (each.name, each.range, each.development) for each in found.requirements if each.path == workspace.path
    ] == [("d", "2", False), ("i", "3", True)]
    assert (found.version, found.version_path, found.shares_version) == ("0.3.0", "Cargo.toml", True)


def test_what_charts_require() -> None:
    text = "name: x\nversion: 1.10\ndependencies:\n  - name: a\n    version: ~1.2\n  - name: b\n  - 7\n"
    (found,) = find_packages("x", {"Chart.yaml": text.encode()}, path="charts/x")
    assert found.package == Package("x", "charts/x", "helm")
    assert found.version == "1.10"
    assert found.requirements == (Requirement("a", "~1.2", "helm", "charts/x/Chart.yaml"),)


@pytest.mark.parametrize(
    "content",
    [
        b"a: &a [1]\nb: [*a, *a]\n",
        b"[" * 100_000,
        b"- " * 100_000,
        b"a: " + b"x" * (1 << 20),
        b"- a\n- b\n",
        b"a: !!python/object:os.system x\nb: [",
        b"\xff\xfe\x00",
    ],
    ids=["aliases", "deep", "deep in a block", "large", "no table", "broken", "no text"],
)
def test_hostile_yaml_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidValue, match=r"^charts/a/Chart\.yaml cannot be read") as caught:
        read_document("charts/a/Chart.yaml", content)
    assert len(caught.value.why) <= 200


def test_a_file_of_comments_alone_is_an_empty_table() -> None:
    assert read_document("pnpm-workspace.yaml", b"# nothing yet\n") == {}
