"""Finding packages in the contents of files."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.plans.packages import find_packages, with_stated_version
from shipline.domain.package import Package

STATIC = b'[project]\nname = "my-app"\nversion = "1.2.0"\n'
DYNAMIC = b'[project]\nname = "my-app"\ndynamic = ["version"]\n'


def npm(**fields: object) -> bytes:
    return json.dumps({"name": "my-app", "version": "1.2.0"} | fields).encode()


def test_a_static_python_version_is_read() -> None:
    (found,) = find_packages("folder", {"pyproject.toml": STATIC})
    assert found.package == Package("my-app", ".", "python", "pep440")
    assert (found.version, found.version_path) == ("1.2.0", "pyproject.toml")


def test_a_dynamic_python_version_is_looked_for_where_hatch_says() -> None:
    text = DYNAMIC + b'[tool.hatch.version]\npath = "src/my_app/_v.py"\n'
    (found,) = find_packages("folder", {"pyproject.toml": text})
    assert (found.version, found.version_paths) == (None, ("src/my_app/_v.py",))


@pytest.mark.parametrize(
    "line", [b'__version__ = "1.2.0"', b"__version__: Final[str] = '1.2.0'  # x", b'VERSION="1.2.0"']
)
def test_a_dynamic_python_version_is_looked_for_in_the_usual_modules(line: bytes) -> None:
    (found,) = find_packages("folder", {"pyproject.toml": DYNAMIC}, path="libs/app")
    assert found.version_paths[0] == "libs/app/src/my_app/__init__.py"
    stated = with_stated_version(found, {"libs/app/my_app/__init__.py": b'"""Doc."""\n' + line + b"\n"})
    assert (stated.version, stated.version_path) == ("1.2.0", "libs/app/my_app/__init__.py")
    assert with_stated_version(found, {}) == found


def test_an_npm_package_is_found() -> None:
    (found,) = find_packages("folder", {"package.json": npm(name="@a/b")})
    assert found.package == Package("@a/b", ".", "npm", "semver")
    assert (found.version, found.version_path) == ("1.2.0", "package.json")


def test_both_are_two_packages() -> None:
    found = find_packages("folder", {"pyproject.toml": STATIC, "package.json": npm()})
    assert [each.package.ecosystem for each in found] == ["python", "npm"]


def test_a_private_package_json_is_no_package_beside_python_and_a_plain_one_alone() -> None:
    private = npm(private=True)
    assert [
        each.package.ecosystem for each in find_packages("f", {"pyproject.toml": STATIC, "package.json": private})
    ] == ["python"]
    (found,) = find_packages("folder", {"package.json": private})
    assert (found.package.name, found.package.ecosystem, found.version) == ("my-app", "plain", "1.2.0")


@pytest.mark.parametrize("contents", [{}, {"pyproject.toml": b"[tool.ruff]\n"}, {"package.json": b"{}"}])
def test_without_a_package_the_folder_gives_the_name(contents: dict[str, bytes]) -> None:
    (found,) = find_packages("my folder", contents)
    assert found.package == Package("my-folder")


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff\xfe", b"[" * 100_000, b'{"name": 5}', b'{"name": "../x"}'])
def test_what_cannot_be_read_is_left_aside(content: bytes) -> None:
    (found,) = find_packages("folder", {"package.json": content})
    assert found.package == Package("folder")
    assert (found.notes == ()) == content.startswith(b'{"name"')


@given(st.dictionaries(st.sampled_from(["pyproject.toml", "package.json"]), st.binary(max_size=200)), st.text())
def test_no_content_makes_it_fail(contents: dict[str, bytes], folder: str) -> None:
    assert find_packages(folder, contents)[0].package.name
