"""Finding packages in the contents of files."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.plans.packages import catalogs_of, find_packages, manifest_packages, with_stated_version
from shipline.domain.errors import InvalidValue
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
def test_what_cannot_be_read_and_names_that_are_none_are_refused_with_the_file(content: bytes) -> None:
    with pytest.raises(InvalidValue, match=r"^libs/app/package\.json") as caught:
        find_packages("folder", {"package.json": content}, path="libs/app")
    assert caught.value.why
    assert "[[package]]" in caught.value.todo


def test_a_name_that_is_none_does_not_matter_where_people_gave_one_or_nothing_is_released() -> None:
    (found,) = manifest_packages({"package.json": npm(name="quotes-é")}, path=".", called="quotes")
    assert (found.package.name, found.version) == ("quotes", "1.2.0")
    assert manifest_packages({"package.json": npm(name="My App", private=True)}, path=".") == ()


@given(st.dictionaries(st.sampled_from(["pyproject.toml", "package.json"]), st.binary(max_size=200)), st.text())
def test_no_content_makes_it_fail(contents: dict[str, bytes], folder: str) -> None:
    with contextlib.suppress(InvalidValue):
        assert find_packages(folder, contents)[0].package.name


@pytest.mark.parametrize(
    ("yaml", "read"),
    [
        ("catalog: {a: ^1}", ("^1", None)),
        ("catalogs: {default: {a: ^2}, next: {a: ^3, b: 1}}", ("^2", "^3")),
        ("catalogs: {next: [a], late: no}\ncatalog: x", ()),
        ("packages: [a]", ()),
    ],
)
def test_a_catalogue_gives_the_range_where_it_has_one(yaml: str, read: tuple[str | None, ...]) -> None:
    catalogs = catalogs_of(yaml.encode(), "js/pnpm-workspace.yaml")
    manifest = npm(name="x", dependencies={"a": "catalog:", "b": "^1"}, peerDependencies={"a": "catalog:next"})
    (found,) = manifest_packages({"package.json": manifest}, path="js/x", catalogs=catalogs)
    first, plain, peer = found.requirements
    assert (plain.range, plain.path, plain.shared) == ("^1", "js/x/package.json", False)
    for one, there, word in zip((first, peer), read or (None, None), ("catalog:", "catalog:next"), strict=True):
        place = "js/x/package.json" if there is None else "js/pnpm-workspace.yaml"
        assert (one.range, one.path, one.shared) == (there or word, place, there is not None)
