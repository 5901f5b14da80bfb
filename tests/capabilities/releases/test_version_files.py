"""An edit of a version file changes the version's bytes and no other."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.releases.version_files import (
    EDITORS,
    detect,
    editor_for,
    read_version,
    states_version,
    write_version,
)
from shipline.domain.errors import InvalidValue, ShiplineError

OLD = b"1.2.3"
MARK = b"@@"  # Stands for the version in the documents below.

PLACES = {
    "pyproject.toml": [
        b'[project]\nname = "quotes"\nversion = "@@"\n',
        b'[project]\r\n  version="@@"# why\r\nname = "q"',
        b"project.version = '@@'\n",
        b'project = { name = "q", version = "@@", x = [{version = "9"}] }\n',
        b'# version = "9.9"\n[tool.x]\nversion = "9.9"\n[ project ]\n"version" = "@@"\nother.version = "9"\n',
        b'[project]\ndescription = """\nversion = "9.9"\n[tool]\n\\"""" \nversion = "@@"\n',
        (
            b"[project]\nurls = {a = '#', b = \"]\"} # }\nx = [\n '''\n]''', # ]\n [1, 2.0, nan],"
            b" 1979-05-27 07:32:00,\n]\nversion = '@@'\n"
        ),
        b'[[project2]]\nversion = "9"\n[tool.poetry]\nversion = "@@"\n[tool.poetry.dependencies]\nversion = "^1"\n',
        b'[project]\nversion = "@@"\n[tool.poetry]\nversion = "@@"\n',
        b'\xef\xbb\xbf[project]\nversion = "@@"\n',
        b'# caf\xe9, in Latin-1\n[project]\nversion = "@@"\n',
        'name = "caf\u00e9 \u2603"\n[project]\nversion = "@@"'.encode(),
        b'[project]\n"\'version\'" = "9"\nversion = "@@"\n',
    ],
    "Cargo.toml": [
        b'[package]\nname = "q"\nversion = "@@"\n[dependencies]\nserde = { version = "1" }\n',
        b'[workspace.package]\nversion = "@@"\n[package]\nversion.workspace = true\n',
    ],
    "package.json": [
        b'{"name": "q", "version": "@@"}',
        b'{\r\n\t"dependencies": {"version": "9"},\r\n\t"version" : "@@",\r\n\t"x": ["version", "\\"version\\": 9"]}',
        b'\xef\xbb\xbf{"version":"@@","n":1e400,"z":-0.0}\n',
        '{"description": "caf\u00e9 {[", "version": "@@"}\n'.encode(),
    ],
    "package-lock.json": [
        b'{"version": "@@", "lockfileVersion": 1, "dependencies": {"a": {"version": "9"}}}\n',
        b'{"version": "@@", "packages": {"": {"name": "q", "version": "@@"}, "node_modules/a": {"version": "9"}}}\n',
    ],
    "__init__.py": [
        b'__version__ = "@@"\n',
        b"import os\r\n__version__: str = '@@'  # noqa\r\n",
        b'"""Doc.\n__version__ = "9.9"\n"""\n__version__ = version = "@@"',
        b'# -*- coding: latin-1 -*-\n# caf\xe9\n__version__="@@"\n',
        b'\xef\xbb\xbf__version__ = "@@"\n',
        b'X = "\\d"\rif X:\r    __version__2 = 1\r__version__ = "@@"\r',
    ],
    "VERSION": [b"@@", b"@@\n", b"\r\n  @@\r\n", b"\xef\xbb\xbf@@\n"],
    "Chart.yaml": [
        b"apiVersion: v2\nname: q\nversion: @@\nappVersion: 9.9\n",
        b'description: |\n  version: 9.9\nversion:   "@@"   # why\r\ndependencies:\n  - version: 9.9\n',
        b"'version': '@@'",
    ],
}
CASES = [(path, document) for path, documents in PLACES.items() for document in documents]
versions = st.one_of(
    st.from_regex(r"(0|[1-9][0-9]{0,3})(\.(0|[1-9][0-9]{0,3})){2}(-(rc|beta)\.[0-9])?(\+[0-9a-f]{7})?", fullmatch=True),
    st.from_regex(r"([1-9]!)?20[0-9]{2}\.[0-9]{1,2}(a|b|rc)?[0-9](\.post1)?(\.dev[0-9]{1,3})?", fullmatch=True),
)


@pytest.mark.parametrize(("path", "document"), CASES)
def test_only_the_versions_bytes_change(path: str, document: bytes) -> None:
    """Every document is a template, so the expected bytes are known."""
    before = document.replace(MARK, OLD)
    assert read_version(path, before) == "1.2.3"
    after = write_version(path, before, "10.0.0-rc.1", old="1.2.3")
    assert after == document.replace(MARK, b"10.0.0-rc.1")


@given(case=st.sampled_from(CASES), old=versions, new=versions)
def test_edits_are_exact_idempotent_and_can_be_taken_back(case: tuple[str, bytes], old: str, new: str) -> None:
    path, document = case
    before = document.replace(MARK, old.encode())
    after = write_version(path, before, new)
    assert after == document.replace(MARK, new.encode())
    assert read_version(path, after) == new
    assert write_version(path, after, new, old=old) == after
    assert write_version(path, after, old) == before


TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT | st.just("version"), inner, max_size=4),
    max_leaves=12,
)


@given(
    document=st.dictionaries(TEXT, VALUES, max_size=6),
    indent=st.sampled_from([None, 0, 2, "\t"]),
    ascii_only=st.booleans(),
    new=versions,
)
def test_any_json_document_keeps_all_else(
    document: dict[str, object], indent: int | str | None, *, ascii_only: bool, new: str
) -> None:
    def text(version: str) -> bytes:
        return json.dumps({**document, "version": version}, indent=indent, ensure_ascii=ascii_only).encode()

    assert write_version("package.json", text("1.2.3"), new) == text(new)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[\n" + ",  # ]\n".join(_toml(item) for item in value) + "\n]"
    return json.dumps(value).replace("\x7f", "\\u007f")


TOML_TEXT = st.text(st.characters(max_codepoint=0xD7FF), max_size=20)
TOML_VALUES = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | TOML_TEXT,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(TOML_TEXT, inner.filter(lambda v: not isinstance(v, list)), max_size=3)
    ),
    max_leaves=10,
)


@given(
    before=st.dictionaries(TOML_TEXT, TOML_VALUES, max_size=4),
    after=st.dictionaries(TOML_TEXT, TOML_VALUES, max_size=4),
    new=versions,
)
def test_any_toml_document_keeps_all_else(before: dict[str, object], after: dict[str, object], new: str) -> None:
    def text(version: str) -> bytes:
        lines = [f"{json.dumps('a' + key).replace(chr(127), '')} = {_toml(value)}" for key, value in before.items()]
        lines += ["[project]  # version", f"version = '{version}'"]
        lines += [f"{json.dumps('a' + key).replace(chr(127), '')} = {_toml(value)}" for key, value in after.items()]
        return "\n".join(lines).encode()

    assert write_version("pyproject.toml", text("1.2.3"), new) == text(new)


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("pyproject.toml", b'[project]\ndynamic = ["version"]\n'),
        ("pyproject.toml", b""),
        ("pyproject.toml", b'[[project]]\nversion = "1.2.3"\n'),
        ("pyproject.toml", b"[project]\nversion = 1.2\n"),
        ("pyproject.toml", b'[project]\nversion = """1.2.3"""\n'),
        ("pyproject.toml", b'[project]\nversion = "1.2\\u002e3"\n'),
        ("pyproject.toml", b'[project]\n"ver\\u0073ion" = "1.2.3"\n'),
        ("pyproject.toml", b'[project]\nversion = "1.2.3"\n[tool.poetry]\nversion = "1.2.4"\n'),
        ("pyproject.toml", b'[project\nversion = "1.2.3"\n'),
        ("pyproject.toml", b"x = " + b"[" * 50_000),
        ("Cargo.toml", b"[package]\nversion.workspace = true\n"),
        ("package.json", b'{"name": "q"}'),
        ("package.json", b'{"version": "1.2.3", "version": "1.2.3"}'),
        ("package.json", b'{"version": ["1.2.3"]}'),
        ("package.json", b'["version"]'),
        ("package.json", b'"version"'),
        ("package.json", b'{"version": "1.2.3"'),
        ("package.json", b"[" * 100_000),
        ("package-lock.json", b'{"version": "1.2.3", "packages": {"": {"version": "1.2.4"}}}'),
        ("__init__.py", b"from q.about import __version__\n"),
        ("__init__.py", b'__version__ = "1.2" + ".3"\n'),
        ("__init__.py", b'__version__ = "1." "2"\n'),
        ("__init__.py", b'__version__ = "1.2.3"\n__version__ = "1.2.3"\n'),
        ("__init__.py", b'__version__ = (\n    "1.2.3"\n)\n'),
        ("__init__.py", b'if True:\n    __version__ = "1.2.3"\n'),
        ("__init__.py", b"__version__ = '1.2.3'\x00\n"),
        ("VERSION", b""),
        ("VERSION", b"1.2.3\n1.2.4\n"),
        ("Chart.yaml", b"name: q\n"),
        ("Chart.yaml", b"version: 1.2.3\nversion: 1.2.3\n"),
        ("Chart.yaml", b"version: &anchor 1.2.3\n"),
    ],
)
def test_what_states_no_version_plainly_is_never_left_unchanged_in_silence(path: str, document: bytes) -> None:
    with pytest.raises(ShiplineError, match=path):
        write_version(path, document, "2.0.0")


def test_another_version_than_the_expected_one_is_refused() -> None:
    with pytest.raises(ShiplineError, match=r"states version 3\.3\.0, and 3\.2\.0 was expected"):
        write_version("VERSION", b"3.3.0\n", "3.4.0", old="3.2.0")


@pytest.mark.parametrize("version", ["", '1"', "1\n2", "-1", "1 2", "x" * 201, "\u0661"])
def test_what_would_need_escaping_is_not_written(version: str) -> None:
    with pytest.raises(InvalidValue):
        write_version("VERSION", b"1.2.3\n", version)


def test_files_are_known_by_name() -> None:
    paths = ["README.md", "services/q/pyproject.toml", "VERSION", "src/q/__init__.py"]
    assert list(detect(paths)) == paths[1:]
    assert editor_for("a/b/Chart.yaml") is EDITORS["Chart.yaml"]
    with pytest.raises(ShiplineError, match=r"README\.md") as caught:
        editor_for("README.md")
    assert "pyproject.toml" in caught.value.todo


def test_a_file_can_be_asked_whether_it_states_a_version() -> None:
    assert states_version("src/q/__init__.py", b'__version__ = "1.2.3"\n')
    assert not states_version("src/q/__init__.py", b"")
    assert not states_version("pyproject.toml", b'[project]\ndynamic = ["version"]\n')
