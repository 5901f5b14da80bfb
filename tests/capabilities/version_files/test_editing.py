"""An edit of a version file changes the version's bytes and no other."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shipline.capabilities.version_files import (
    KINDS,
    find_sites,
    kind_by_name,
    kind_of,
    marked,
    read_version,
    spelling_of,
    write_version,
)
from shipline.domain.errors import ConfigurationError, InvalidValue, ShiplineError
from shipline.domain.version_file import VERSION_FILE_KINDS, VersionFile
from tests.capabilities.version_files.documents import CASES, PLACES, file_of, filled

versions = st.from_regex(r"(0|[1-9][0-9]{0,3})(\.(0|[1-9][0-9]{0,3})){2}((-rc|-beta)\.[1-9])?", fullmatch=True)


def test_every_kind_has_its_editor_and_its_documents() -> None:
    assert tuple(KINDS) == VERSION_FILE_KINDS
    assert set(PLACES) == {name for name, kind in KINDS.items() if not kind.silent}


@pytest.mark.parametrize(("kind", "document"), CASES)
def test_only_the_versions_bytes_change(kind: str, document: bytes) -> None:
    """Every document is a template, so the expected bytes are known."""
    file = file_of(kind)
    before = filled(document, "1.2.3")
    assert read_version(file, before) == "1.2.3"
    after = write_version(file, before, "10.0.0-rc.1", old="1.2.3")
    assert after == filled(document, spelling_of(file, "10.0.0-rc.1"))


@given(case=st.sampled_from(CASES), old=versions, new=versions)
@settings(max_examples=300, deadline=None)
def test_edits_are_exact_idempotent_and_can_be_taken_back(case: tuple[str, bytes], old: str, new: str) -> None:
    kind, document = case
    file = file_of(kind)
    was, becomes = spelling_of(file, old), spelling_of(file, new)
    before = filled(document, was)
    after = write_version(file, before, new)
    assert after == filled(document, becomes)
    assert read_version(file, after) == becomes
    assert write_version(file, after, new, old=old) is after
    assert write_version(file, after, old) == before
    for site in find_sites(file, after):
        assert (site.path, site.kind, after[site.start : site.end].decode()) == (file.path, kind, becomes)


@st.composite
def _damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """A document with a piece cut out, put twice, or replaced by rubbish."""
    kind, document = draw(st.sampled_from(CASES))
    text = filled(document, "1.2.3")
    start, end = sorted(draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=2)))
    put = draw(st.sampled_from([b"", text[start:end] * 2]) | st.binary(max_size=20))
    return kind, text[:start] + put + text[end:]


@given(case=_damaged() | st.tuples(st.sampled_from(list(PLACES)), st.binary(max_size=200)))
@example(case=("maven", b'<?xml version="1.0" encoding="TF-8"?><project><version>1.2.3</version></project>'))
@settings(max_examples=600, deadline=None)
def test_rubbish_is_refused_or_edited_exactly(case: tuple[str, bytes]) -> None:
    """Never anything but a ShiplineError; what is edited is edited at the sites alone, and can be taken back."""
    kind, data = case
    file = file_of(kind)
    with contextlib.suppress(ShiplineError):
        sites = find_sites(file, data)
        old = read_version(file, data)
        after = write_version(file, data, "77.7.7")
        parts, at = [], 0
        for site in sites:
            parts += [data[at : site.start], b"77.7.7"]
            at = site.end
        assert after == b"".join([*parts, data[at:]])
        assert read_version(file, after) == "77.7.7"
        with contextlib.suppress(InvalidValue):  # What stood there need not have been a version.
            spelling_of(file, old)
            assert write_version(file, after, old) == data or spelling_of(file, old) != old


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize(
    "line",
    [b" " * 50_000, b'"' * 50_000, b'\\"' * 25_000, b"[" * 50_000, b"/*" * 25_000, b"version = " * 5_000],
    ids=["spaces", "quotes", "escapes", "brackets", "comments", "versions"],
)
def test_long_lines_are_told_from_versions(kind: str, line: bytes) -> None:
    """The bench says in which time; pytest's own limit ends what would take for ever."""
    for data in (line, b"version = '" + line, b"version=" + line + b"'1'", b"{" + line):
        with contextlib.suppress(ShiplineError):
            find_sites(file_of(kind), data)


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

    assert write_version(file_of("npm-package"), text("1.2.3"), new) == text(new)


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

    file = file_of("python-project")
    assert write_version(file, text("1.2.3"), new) == text(spelling_of(file, new))


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        ("python-project", b'[project]\ndynamic = ["version"]\n'),
        ("python-project", b""),
        ("python-project", b'[[project]]\nversion = "1.2.3"\n'),
        ("python-project", b"[project]\nversion = 1.2\n"),
        ("python-project", b'[project]\nversion = """1.2.3"""\n'),
        ("python-project", b'[project]\nversion = "1.2\\u002e3"\n'),
        ("python-project", b'[project\nversion = "1.2.3"\n'),
        ("python-project", b"x = " + b"[" * 50_000),
        ("python-project", b"x." * 65 + b"x = 1\n[project]\nversion = '1.2.3'\n"),
        ("setup-cfg", b"[metadata]\nversion = attr: q.__version__\n"),
        ("setup-cfg", b"[metadata]\nversion = 1.2.3\n  1.2.4\n"),
        ("setup-cfg", b"version = 1.2.3\n"),
        ("cargo-package", b"[package]\nversion.workspace = true\n"),
        ("npm-package", b'{"name": "q"}'),
        ("npm-package", b'{"version": "1.2.3", "version": "1.2.3"}'),
        ("npm-package", b'{"version": ["1.2.3"]}'),
        ("npm-package", b'["version"]'),
        ("npm-package", b'"version"'),
        ("npm-package", b'{"version": "1.2.3"'),
        ("npm-package", b"[" * 100_000),
        ("maven", b"<project><parent><version>1.2.3</version></parent></project>"),
        ("maven", b"<project><version>1.2.3</version><version>1.2.3</version></project>"),
        ("maven", b"<project><version>1.<!-- -->2</version></project>"),
        ("maven", b"<project><version/></project>"),
        ("maven", b'<!DOCTYPE a [<!ENTITY b "c">]><project><version>1.2.3</version></project>'),
        ("maven", "<project><version>1.2.3</version></project>".encode("utf-16")),
        ("gradle", b"version = project.property('v')\n"),
        ("gradle", b'version = "$v"\n'),
        ("gradle", b"version = '1'\nversion = '1'\n"),
        ("gradle-properties", b"version = 1.2 3\n"),
        ("gemspec", b"s.version = Q::VERSION\n"),
        ("ruby-module", b'VERSION = "#{MAJOR}.2"\n'),
        ("helm-chart", b"name: q\n"),
        ("helm-chart", b"version: 1.2.3\nversion: 1.2.3\n"),
        ("helm-chart", b"version: &anchor 1.2.3\n"),
        ("helm-chart", b"version: 1.10\n"),
        ("helm-chart", b"version: >\n  1.2.3\n"),
        ("helm-chart", b"version: 1.2.3\n---\nversion: 1.2.3\n"),
        ("helm-chart", b"version: !!python/object/apply:os.system [ls]\n"),
        ("helm-chart", b"? [a]\n: b\n*x\n"),
        ("python-module", b"from q.about import __version__\n"),
        ("python-module", b'__version__ = "1.2" + ".3"\n'),
        ("python-module", b'__version__ = "1." "2"\n'),
        ("python-module", b'__version__ = "1.2.3"\n__version__ = "1.2.3"\n'),
        ("python-module", b'__version__ = (\n    "1.2.3"\n)\n'),
        ("python-module", b'if True:\n    __version__ = "1.2.3"\n'),
        ("python-module", b"__version__ = '1.2.3'\x00\n"),
        ("plain", b""),
        ("plain", b"1.2.3\n1.2.4\n"),
        ("dockerfile", b"ARG VERSION=1.2.3\nFROM x:$VERSION\n"),
        ("dockerfile", b"LABEL org.opencontainers.image.version=${VERSION:-1}\n"),
        ("kustomize", b"images:\n- name: quotes\n  newTag: 1.10\n"),
        ("kustomize", b"images:\n- name: other\n  newTag: 1.2.3\n"),
        ("marker", b"x 1.2.3\n"),
        ("marker", b"x # shipline-version\n"),
        ("marker", b"# shipline-version-start\n1.2.3\n"),
        ("marker", b"# shipline-version-end\n"),
        ("pattern", b"tag: 1.2.3\n"),
        ("npm-lock", b'{"packages": {"node_modules/q": {"version": "1.2.3"}}}'),
        ("uv-lock", b'[[package]]\nname = "quotes"\nversion = "1.2.3"\nsource = { registry = "x" }\n'),
        ("cargo-lock", b'[[package]]\nname = "quotes"\nversion = "1.2.3"\nsource = "x"\n'),
        ("pnpm-lock", b"lockfileVersion: '9.0'\n"),
        ("yarn-lock", b'"q@workspace:.":\n  version: 0.0.0-use.local\n'),
        ("poetry-lock", b'[[package]]\nname = "a"\nversion = "1.2.3"\n'),
    ],
)
def test_what_states_no_version_plainly_is_never_left_unchanged_in_silence(kind: str, document: bytes) -> None:
    with pytest.raises(ShiplineError, match=f"some/{kind}"):
        write_version(file_of(kind), document, "2.0.0")


def test_what_would_be_read_as_a_number_is_not_written() -> None:
    """YAML reads an unquoted 2026.11 as a number, and 2026.10 as the same as 2026.1."""
    assert write_version(file_of("helm-app-version"), b'appVersion: "1.2.3"\n', "2026.10") == b'appVersion: "2026.10"\n'
    with pytest.raises(ShiplineError) as caught:
        write_version(file_of("helm-app-version"), b"appVersion: 1.2.3\n", "2026.10")
    assert "quotes" in caught.value.todo


def test_two_versions_in_one_file_are_told_and_mended() -> None:
    data = b'{"version": "1.2.3", "packages": {"": {"version": "1.2.4"}}}'
    with pytest.raises(ShiplineError, match=r"more than one version: 1\.2\.3, 1\.2\.4"):
        read_version(file_of("npm-lock"), data)
    with pytest.raises(ShiplineError, match="more than one"):
        write_version(file_of("npm-lock"), data, "2.0.0", old="1.2.3")
    assert write_version(file_of("npm-lock"), data, "2.0.0").count(b"2.0.0") == 2


def test_a_workspace_s_lock_holds_an_entry_for_each_package() -> None:
    data = b'{"version": "1.0.0", "packages": {"": {"version": "1.0.0"}, "packages/caf\xc3\xa9": {"version": "2.0.0"}}}'
    file = VersionFile("package-lock.json", "npm-lock", folder="packages/café")
    assert write_version(file, data, "2.1.0") == data.replace(b"2.0.0", b"2.1.0")
    uv = b'[[package]]\nversion = "1.0"\nsource = { virtual = "." }\n'
    uv += b'[[package]]\nversion = "2.0"\nsource = { editable = "packages/b" }\n'
    assert write_version(VersionFile("uv.lock", "uv-lock", folder="packages/b"), uv, "2.1") == uv.replace(
        b"2.0", b"2.1"
    )


def test_another_version_than_the_expected_one_is_refused() -> None:
    with pytest.raises(ShiplineError, match=r"states version 3\.3\.0, and 3\.2\.0 was expected"):
        write_version(file_of("plain"), b"3.3.0\n", "3.4.0", old="3.2.0")


@pytest.mark.parametrize("version", ["", '1"', "1\n2", "-1", "1 2", "x" * 201, "\u0661"])
def test_what_would_need_escaping_is_not_written(version: str) -> None:
    with pytest.raises(InvalidValue):
        write_version(file_of("plain"), b"1.2.3\n", version)


@pytest.mark.parametrize(
    ("kind", "version", "written"),
    [
        ("npm-package", "1.2.0rc1", "1.2.0-rc.1"),
        ("npm-package", "1.2.0a2.dev3+x.1", "1.2.0-alpha.2.dev.3+x.1"),
        ("npm-package", "1.2.0-beta.1", "1.2.0-beta.1"),
        ("uv-lock", "1.2.0-rc.1", "1.2.0rc1"),
        ("python-project", "1.2.0-rc.1", "1.2.0rc1"),
        ("python-module", "1.2.0-beta.2", "1.2.0b2"),
        ("python-project", "2026.01", "2026.01"),
        ("setup-cfg", "1.2.0-next.1", "1.2.0-next.1"),
        ("plain", "1.2.0rc1", "1.2.0rc1"),
    ],
)
def test_versions_are_spelled_as_the_ecosystem_wants_them(kind: str, version: str, written: str) -> None:
    assert spelling_of(file_of(kind), version) == written


@pytest.mark.parametrize(
    ("kind", "version"), [("npm-package", "1.2"), ("npm-package", "1.2.0.post1"), ("uv-lock", "1-x")]
)
def test_what_an_ecosystem_cannot_spell_is_refused(kind: str, version: str) -> None:
    with pytest.raises(InvalidValue, match="which this file needs"):
        spelling_of(file_of(kind), version)


@pytest.mark.parametrize(
    "pattern",
    [
        "x",
        "(?P<version>",
        r"(?P<version>(\d+\.?)+)",
        r"(?P<version>(?:a*)*)",
        r"(?P<version>(a|b+)*)",
        r"(?P<version>\d)\1",
        r"(?P<version>\d)(?P=version)",
        r"(?P<version>.*.*.*.*.*.*)",
        r"((?P<version>a+)){20}",
        "(?P<version>x)" + "y" * 500,
    ],
)
def test_patterns_that_may_never_end_are_refused(pattern: str) -> None:
    with pytest.raises(ConfigurationError):
        find_sites(VersionFile("x", "pattern", pattern), b"x")


@pytest.mark.parametrize(
    "pattern",
    [r"(?P<version>\d+\.\d+(?:\.\d+){1,2})", r"[*+](?P<version>[)(*+]+)", r"\(*(?P<version>\d+)\)", "(?P<version>é*)"],
)
def test_other_patterns_are_taken(pattern: str) -> None:
    find_sites(VersionFile("x", "pattern", pattern), b"x")


@pytest.mark.parametrize(
    "pattern",
    [
        "a*a*a*a*(?P<version>a+)b",
        "(?:a|a)" * 40 + "(?P<version>b)",
        "(?:(?:(?:a{0,9}){0,9}){0,9}){0,9}(?P<version>b)",
        "a?" * 150 + "(?P<version>b)",
    ],
)
def test_a_pattern_that_takes_for_ever_on_a_line_is_given_up(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may propose a change chooses both, and a release must not wait for it."""
    monkeypatch.setattr(marked, "TIMEOUT_S", 0.5)
    with pytest.raises(ConfigurationError, match="cannot be used") as refused:
        find_sites(VersionFile("x", "pattern", pattern), b"a" * 990)
    assert "not done after" in refused.value.why


def test_files_are_known_by_name() -> None:
    paths = ["README.md", "services/q/pyproject.toml", "VERSION", "src/q/__init__.py", "q.gemspec", "api.Dockerfile"]
    kinds = [None, "python-project", "plain", "python-module", "gemspec", "dockerfile"]
    assert [kind_by_name(path) for path in paths] == kinds
    assert kind_of("README.md", b"<!-- shipline-version -->") == "marker"
    with pytest.raises(ShiplineError, match=r"README\.md") as caught:
        kind_of("README.md")
    assert "pyproject.toml" in caught.value.todo
