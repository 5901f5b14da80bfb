"""Plans and version files read the same manifests by two codes: here both are held against one table.

Plans read all of a repository's manifests at a commit, fast; version files find the bytes to edit, and refuse what they
cannot edit. So the one cannot stand for the other, and they must agree.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipline.capabilities.plans.packages import find_packages, with_stated_version
from shipline.capabilities.version_files import find_sites, kind_of, write_requirement
from shipline.domain.errors import ShiplineError
from shipline.domain.version_file import VersionFile

MODULE = "my_app/__init__.py"

# The file, what it holds, and the version that it states; None for none.
VERSIONS: list[tuple[str, bytes, str | None]] = [
    ("pyproject.toml", b'[project]\nname = "my-app"\nversion = "1.2.3"\n', "1.2.3"),
    ("pyproject.toml", b"project = { name = \"my-app\", version = '1.2.3' }\r\n", "1.2.3"),
    ("pyproject.toml", b'\xef\xbb\xbf# caf\xe9, in Latin-1\n[project]\nname = "my-app"\nversion = "1.2.3"\n', "1.2.3"),
    ("pyproject.toml", b'[project]\nname = "my-app"\ndynamic = ["version"]\n', None),
    ("pyproject.toml", b'[tool.poetry]\nname = "my-app"\nversion = "1.2.3"\n', "1.2.3"),
    # From: https://python-poetry.org/docs/pyproject/#version, where the project declares it to be dynamic.
    ("pyproject.toml", b'[project]\nname = "my-app"\ndynamic = ["version"]\n[tool.poetry]\nversion = "1.2.3"', "1.2.3"),
    ("pyproject.toml", b'[project]\nname = "my-app"\n[tool.x]\nversion = "9"\n', None),
    ("package.json", b'{"name": "my-app", "version": "1.2.3"}', "1.2.3"),
    ("package.json", b'\xef\xbb\xbf{"name":"my-app",\r\n"private":true,"version":"1.2.3"}', "1.2.3"),
    ("package.json", b'{"name": "my-app", "description": "caf\xe9, in Latin-1", "version": "1.2.3"}', "1.2.3"),
    ("package.json", b'{"name": "my-app", "x": {"version": "9"}}', None),
    ("Cargo.toml", b'[package]\nname = "my-app"\nversion = "1.2.3"\n[dependencies]\na = { version = "9" }\n', "1.2.3"),
    ("Cargo.toml", b'[workspace.package]\nversion = "9"\n[package]\nname = "my-app"\nversion = "1.2.3"\n', "1.2.3"),
    (
        "Cargo.toml",
        b'[package]\nname = "my-app"\nversion.workspace = true\n[workspace.package]\nversion = "1.2.3"',
        "1.2.3",
    ),
    ("Cargo.toml", b'[package]\nname = "my-app"\n', None),
    ("Chart.yaml", b"apiVersion: v2\nname: my-app\nversion: 1.2.3\nappVersion: 9\n", "1.2.3"),
    ("Chart.yaml", b"# caf\xe9, in Latin-1\nname: my-app\nversion: '1.2.3' # x\n", "1.2.3"),
    ("Chart.yaml", b'{name: my-app, version: "1.10"}', "1.10"),
    ("Chart.yaml", b"name: my-app\ndependencies:\n- {name: a, version: 9.0.0}\n", None),
    (MODULE, b'"""Doc."""\n__version__ = "1.2.3"\n', "1.2.3"),
    (MODULE, b"__version__: Final[str] = '1.2.3'  # x\n", "1.2.3"),
    (MODULE, b'VERSION = "9"\n__version__ = "1.2.3"\n', "1.2.3"),
    (MODULE, b'VERSION = __version__ = "1.2.3"\n', "1.2.3"),
    (MODULE, b'VERSION = "1.2.3"\n', "1.2.3"),
    (MODULE, b"__version__ = metadata.version('my-app')\n", None),
    (MODULE, b'if True:\n    __version__ = "9"\n', None),
    (MODULE, b'__version__ = b"9"\n', None),
]

# What plans read and nobody edits: it is said where the release would edit it.
READ_ALONE = [
    ("Chart.yaml", b"name: my-app\nversion: 2024.10\n", "2024.10"),  # To YAML a number, which 2024.1 is as well.
    (MODULE, b'"""Doc.\n__version__ = "1.2.3"\n"""\n', "1.2.3"),  # Plans read lines, and no syntax.
]


def planned(name: str, content: bytes) -> str | None:
    """The version by the code of `plans`."""
    if not name.endswith(".py"):
        return find_packages("folder", {name: content}, path="libs")[0].version
    dynamic = b'[project]\nname = "my-app"\ndynamic = ["version"]\n'
    (found,) = find_packages("folder", {"pyproject.toml": dynamic})
    return with_stated_version(found, {name: content}).version


def edited(name: str, content: bytes) -> str | None:
    """The version by the code of `version_files`."""
    found = {site.version for site in find_sites(VersionFile(name, kind_of(name)), content)}
    assert len(found) <= 1
    return next(iter(found), None)


@pytest.mark.parametrize(("name", "content", "expected"), VERSIONS)
def test_both_read_the_same_version(name: str, content: bytes, expected: str | None) -> None:
    assert (planned(name, content), edited(name, content)) == (expected, expected)


@pytest.mark.parametrize(("name", "content", "expected"), READ_ALONE)
def test_what_is_read_and_never_edited(name: str, content: bytes, expected: str) -> None:
    assert (planned(name, content), edited(name, content)) == (expected, None)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pyproject.toml", b'[project]\nname = "my-app"\ndependencies = ["my_lib >=1.0,<2"]\n'),
        (
            "pyproject.toml",
            b'[project]\nname = "my-app"\ndependencies = ["my.lib[x] (>=1.0) ; python_version < \'4\'"]\n',
        ),
        ("pyproject.toml", b'[project]\nname = "my-app"\n[project.optional-dependencies]\nx = ["my-lib~=1.0"]\n'),
        (
            "pyproject.toml",
            b'[tool.poetry]\nname = "my-app"\n[tool.poetry.dependencies]\npython = "^3"\nmy-lib = "^1.0"',
        ),
        ("pyproject.toml", b'[tool.poetry]\nname = "a"\n[tool.poetry.dependencies]\nmy-lib = { version = "^1.0" }\n'),
        ("package.json", b'{"name": "my-app", "dependencies": {"my-lib": "^1.0.0"}}'),
        ("package.json", b'{"name": "my-app", "optionalDependencies": {"my-lib": "~1.0"}}'),
        ("package.json", b'{"name": "my-app", "peerDependencies": {"my-lib": ">=1 <3"}}'),
        ("package.json", b'{"name": "my-app", "devDependencies": {"my-lib": "^1.0.0"}}'),
        ("pyproject.toml", b'[project]\nname = "my-app"\n[dependency-groups]\ndev = ["my-lib>=1,<2"]\n'),
        (
            "pyproject.toml",
            b'[tool.poetry]\nname = "my-app"\n[tool.poetry.group.test.dependencies]\nmy-lib = "^1.0"\n',
        ),
        ("pyproject.toml", b'[tool.poetry]\nname = "my-app"\n[tool.poetry.dev-dependencies]\nmy-lib = "^1.0"\n'),
        (
            "Cargo.toml",
            b'[package]\nname = "my-app"\n[dev-dependencies]\nmy-lib = { path = "../x", version = "1.0" }\n',
        ),
        ("Cargo.toml", b'[package]\nname = "my-app"\n[dependencies]\nmy-lib = "1.0"\n'),
        ("Cargo.toml", b'[package]\nname = "my-app"\n[build-dependencies.lib]\npackage = "my-lib"\nversion = "1.0"\n'),
        ("Cargo.toml", b"[package]\nname = 'a'\n[target.'cfg(unix)'.dependencies]\nmy-lib = { version = '1.0' }\n"),
        ("Chart.yaml", b"name: my-app\ndependencies:\n- name: my-lib\n  version: ^1.0.0\n"),
    ],
)
def test_what_plans_read_is_what_is_written(name: str, content: bytes) -> None:
    """A requirement that a plan wants to move must be one that the release can move."""
    (read,) = find_packages("folder", {name: content})[0].requirements
    wanted = ">=3.1.4" if read.dialect == "pep440" else "^3.1.4"
    after = write_requirement(name, content, read.name, wanted, before=read.range)
    (again,) = find_packages("folder", {name: after})[0].requirements
    assert again == replace(read, range=wanted)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *(("package.json", content) for content in (b"{", b"[1]", b"[" * 100_000, b'{"name": "a", "version": "1.2.3"')),
        ("pyproject.toml", b'[project]\nname = "my-app"\nversion = "1.2.3\n'),
        ("Chart.yaml", b"name: my-app\nversion: &v 1.2.3\nappVersion: *v\n"),
    ],
)
def test_what_neither_can_read(name: str, content: bytes) -> None:
    """Both refuse it, and name the file."""
    with pytest.raises(ShiplineError, match="cannot be read"):
        find_packages("folder", {name: content})
    with pytest.raises(ShiplineError, match="cannot be read"):
        find_sites(VersionFile(name, kind_of(name)), content)
