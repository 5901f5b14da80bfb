"""Finding, comparing and mending the version files of a package, on real files."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from shipline.capabilities.version_files import (
    Edit,
    PackageCheck,
    Tagged,
    check_document,
    check_package,
    choose_version_files,
    edits_to,
    find_version_files,
    unified_diff,
    write_edits,
)
from shipline.domain.errors import ConfigurationError, ConflictError, RefusedError, ShiplineError
from shipline.domain.package import Package
from shipline.domain.version_file import VersionFile

SCHEMA = Path(__file__).parents[3] / "docs" / "reference" / "shipline.version-check.schema.json"
PYTHON = Package("quotes", ecosystem="python", scheme="pep440")
TAG = Tagged("3.2.0", "v3.2.0")


def lay_out(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def found(root: Path, package: Package, **more: frozenset[str]) -> dict[str, str]:
    """The found files with their kinds."""
    files = find_version_files(root, package, tracked=lambda _: True, **more).files
    return {file.path: file.kind for file in files}


def check(root: Path, package: Package = PYTHON, tagged: Tagged | None = TAG, source: str = "") -> PackageCheck:
    files = find_version_files(root, package, tracked=lambda _: True)
    checked = check_package(root, package, files, tagged, source=source)
    Draft202012Validator(json.loads(SCHEMA.read_bytes())).validate(check_document([checked]))
    return checked


def test_files_are_found_by_name_manifests_first(tmp_path: Path) -> None:
    lay_out(
        tmp_path,
        {
            "pyproject.toml": '[project]\nname = "quotes"\nversion = "1.0.0"\n',
            "uv.lock": '[[package]]\nversion = "1.0.0"\nsource = { editable = "." }\n',
            "src/quotes/__init__.py": '__version__ = "1.0.0"\n',
            "src/quotes/_version.py": '__version__ = "1.0.0"\n',
            "src/quotes/deep/__init__.py": '__version__ = "9"\n',
            "src/other/__init__.py": "x = 1\n",
            "Dockerfile": "FROM x\n",
            "VERSION": "1.0.0\n",
            "README.md": "1.0.0\n",
            "poetry.lock": "",
        },
    )
    assert list(found(tmp_path, PYTHON).items()) == [
        ("pyproject.toml", "python-project"),
        ("VERSION", "plain"),
        ("src/quotes/__init__.py", "python-module"),
        ("src/quotes/_version.py", "python-module"),
        ("uv.lock", "uv-lock"),
    ]
    files = find_version_files(tmp_path, PYTHON, tracked=lambda path: "_version" not in path)
    assert "src/quotes/_version.py" not in [file.path for file in files.files]
    assert files.notes == ("poetry.lock: nothing to keep in step, Poetry locks only what is depended on",)


@pytest.mark.parametrize(
    ("manifest", "content", "place", "text"),
    [
        ("pyproject.toml", '[tool.hatch.version]\npath = "q/about.py"\n', "q/about.py", 'VERSION = "1.0.0"\n'),
        ("pyproject.toml", '[tool.pdm.version]\nsource = "file"\npath = "q/v.py"\n', "q/v.py", '__version__ = "1"\n'),
        (
            "pyproject.toml",
            '[tool.setuptools.dynamic]\nversion = {attr = "q.meta.RELEASE"}\n',
            "src/q/meta.py",
            'VERSION = "9"\nRELEASE = "1.0.0"\n',
        ),
        ("pyproject.toml", '[tool.setuptools.dynamic]\nversion = {file = ["V.txt"]}\n', "V.txt", "1.0.0\n"),
        ("setup.cfg", "[metadata]\nversion = attr: q.__version__\n", "q/__init__.py", '__version__ = "1"\n'),
        ("setup.cfg", "[metadata]\nversion = file: NUMBER\n", "NUMBER", "1.0.0\n"),
    ],
)
def test_dynamic_versions_lead_to_their_file(
    tmp_path: Path, manifest: str, content: str, place: str, text: str
) -> None:
    lay_out(tmp_path, {manifest: content, place: text})
    assert list(found(tmp_path, PYTHON)) == [place]


@pytest.mark.parametrize("path", ["/etc/hostname", "../outside.py", "gone.py"])
def test_a_manifest_leads_nowhere_else(tmp_path: Path, path: str) -> None:
    lay_out(tmp_path, {"a/pyproject.toml": f'[tool.hatch.version]\npath = "{path}"\n', "outside.py": "__version__='1'"})
    assert found(tmp_path / "a", PYTHON) == {}


def test_a_workspace_s_shared_files_are_found_from_its_packages(tmp_path: Path) -> None:
    lay_out(
        tmp_path,
        {
            "package.json": '{"name": "root", "version": "9.0.0"}',
            "package-lock.json": '{"version": "9.0.0", "packages": {"": {}, "packages/a": {"version": "1.0.0"}}}',
            "packages/a/package.json": '{"name": "a", "version": "1.0.0"}',
            "packages/b/package.json": '{"name": "b"}',
            "yarn.lock": "",
        },
    )
    package = Package("a", "packages/a", ecosystem="npm")
    files = find_version_files(tmp_path, package, tracked=lambda _: True)
    assert [file.path for file in files.files] == ["packages/a/package.json", "package-lock.json"]
    assert "0.0.0-use.local" in files.notes[0]
    (tmp_path / "package-lock.json").write_text((tmp_path / "package-lock.json").read_text())
    edits = edits_to(tmp_path, [(file, "1.1.0") for file in files.files])
    assert [edit.after for edit in edits] == [edit.before.replace(b"1.0.0", b"1.1.0") for edit in edits]


def test_cargo_s_shared_version_takes_all_its_crates_along(tmp_path: Path) -> None:
    lay_out(
        tmp_path,
        {
            "Cargo.toml": '[workspace]\nmembers = ["crates/*", "../x", 1]\n[workspace.package]\nversion = "1.0.0"\n',
            "crates/a/Cargo.toml": '[package]\nname = "a"\nversion.workspace = true\n',
            "crates/b/Cargo.toml": '[package]\nname = "b"\nversion = { workspace = true }\n',
            "crates/c/Cargo.toml": '[package]\nname = "c"\nversion = "1.0.0"\n',
            "Cargo.lock": "".join(f'[[package]]\nname = "{name}"\nversion = "1.0.0"\n' for name in "abc"),
        },
    )
    for package in (Package("a", "crates/a"), Package("all")):
        files = find_version_files(tmp_path, package, tracked=lambda _: True).files
        assert [file.path for file in files] == ["Cargo.toml", "Cargo.lock"]
        assert files[1].names == ("a", "b")
    own = find_version_files(tmp_path, Package("c", "crates/c"), tracked=lambda _: True).files
    assert [(file.path, file.names) for file in own] == [("crates/c/Cargo.toml", ()), ("Cargo.lock", ("c",))]


BESIDE = {
    "Cargo.lock": (
        "cargo",
        '[package]\nname = "{}"\nversion = "1.0.0"\n',
        '[[package]]\nname = "core"\nversion = "1.0.0"\n',
    ),
    "uv.lock": ("python", "", '[[package]]\nname = "core"\nversion = "1.0.0"\nsource = {{ editable = "{}" }}\n'),
    "package-lock.json": ("npm", "", '{{"packages": {{"{}": {{"version": "1.0.0"}}}}}}'),
}


@pytest.mark.parametrize("lock", BESIDE)
@pytest.mark.parametrize(
    ("path", "other", "seen"), [("core", "app", "../core"), (".", "app", ".."), ("x/core", "x/y/app", "../../core")]
)
def test_the_lock_of_another_package_that_takes_it_in_by_its_path(
    tmp_path: Path, lock: str, path: str, other: str, seen: str
) -> None:
    """Cargo.lock names no path, so a crate of the same name has to be another folder's own to be left alone."""
    ecosystem, manifest, text = BESIDE[lock]
    files = {f"{path}/Cargo.toml": manifest.format("core"), f"{other}/Cargo.toml": manifest.format("app")}
    files |= {f"{other}/{lock}": text.format(seen), f"z/{lock}": text.format("../elsewhere/core")}
    lay_out(tmp_path, files | {"z/Cargo.toml": manifest.format("core")})
    package = Package("core", path, ecosystem)
    files_found = find_version_files(tmp_path, package, tracked=lambda _: True, apart=frozenset({other, "z"})).files
    assert [each.path for each in files_found if each.path.endswith(lock)] == [f"{other}/{lock}"]
    (edit,) = edits_to(tmp_path, [(each, "2.0.0") for each in files_found if each.path.endswith(lock)])
    assert edit.after == edit.before.replace(b"1.0.0", b"2.0.0")
    assert (
        find_version_files(tmp_path, package, tracked=lambda name: "app/" not in name, apart=frozenset({other})).files
        == (files_found[:-1])
    )


def pom(name: str, rest: str = "", version: str = "1.0.0", parent: str = "", above: str = "1.0.0") -> str:
    """A pom.xml; `version` "" for none."""
    of = f"<parent><groupId>g</groupId><artifactId>{parent}</artifactId><version>{above}</version></parent>"
    own = f"<version>{version}</version>" if version else ""
    group = "" if parent else "<groupId>g</groupId>"
    start = (
        f'<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>{of if parent else ""}'
    )
    return f"{start}{group}<artifactId>{name}</artifactId>{own}<packaging>pom</packaging>{rest}</project>\n"


def modules(*names: str) -> str:
    return "<modules>" + "".join(f"<module>{name}</module>" for name in names) + "</modules>"


MAVEN = {
    "pom.xml": pom("top", modules("heir", "same", "own", "base/one.xml", "revised", "gone", "../outside")),
    "heir/pom.xml": pom("heir", modules("deep") + "<dependencies><!-- 1.0.0 --></dependencies>", "", "top"),
    "heir/deep/pom.xml": pom("deep", "", "", "heir"),
    "same/pom.xml": pom("same", "", "1.0.0", "top"),
    "own/pom.xml": pom("own", modules("guest"), "3.0.0", "top"),
    "own/guest/pom.xml": pom("guest", "", "", "own", "3.0.0"),
    "base/one.xml": pom("base", "", "", "spring", "1.0.0"),
    "revised/pom.xml": pom("revised", "", "", "top", "${revision}"),
    "stray/pom.xml": pom("stray", "", "", "top"),
}


def test_maven_s_modules_name_the_version_of_their_parent(tmp_path: Path) -> None:
    """And theirs, where it is the same and the folder is no package of its own; never what has a version by itself."""
    lay_out(tmp_path, MAVEN)
    moved = {"pom.xml": 1, "heir/pom.xml": 1, "heir/deep/pom.xml": 1, "same/pom.xml": 2, "own/pom.xml": 1}
    for package, chosen in ((Package("top"), False), (Package("top"), True)):
        files = (
            choose_version_files(tmp_path, package, [VersionFile("pom.xml", "")], tracked=lambda _: True)
            if chosen
            else find_version_files(tmp_path, package, tracked=lambda _: True)
        ).files
        assert sorted(file.path for file in files) == sorted(moved)
        edits = {edit.path: edit for edit in edits_to(tmp_path, [(file, "1.1.0") for file in files])}
        for path, count in moved.items():
            before, after = (edits[path].before.decode(), edits[path].after.decode())
            assert after.count("<version>1.1.0</version>") == count
            assert after == before.replace("<version>1.0.0</version>", "<version>1.1.0</version>")
    apart = find_version_files(tmp_path, Package("top"), tracked=lambda _: True, apart=frozenset({"same"})).files
    edits = {edit.path: edit for edit in edits_to(tmp_path, [(file, "1.1.0") for file in apart])}
    assert edits["same/pom.xml"].after.count(b"1.1.0") == 1


def test_a_module_that_was_left_behind_is_named(tmp_path: Path) -> None:
    lay_out(tmp_path, MAVEN | {"heir/pom.xml": pom("heir", "", "", "top", "0.9.0")})
    checked = check(tmp_path, Package("top"), Tagged("1.0.0", "v1.0.0"))
    assert [row.stated.file.path for row in checked.rows if not row.ok] == ["heir/pom.xml"]


def test_manifests_of_others_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    lay_out(
        tmp_path,
        {
            "pyproject.toml": '[project]\nversion = "1.0.0"\n',
            "package.json": '{"version": "2.0.0", "private": true}',
            "package-lock.json": '{"version": "2.0.0"}',
        },
    )
    assert list(found(tmp_path, PYTHON)) == ["pyproject.toml"]
    (tmp_path / "package.json").write_text('{"version": "2.0.0"}')
    assert list(found(tmp_path, PYTHON)) == ["pyproject.toml", "package.json", "package-lock.json"]
    assert list(found(tmp_path, PYTHON, others=frozenset({"npm"}))) == ["pyproject.toml"]
    npm = Package("q", ecosystem="npm")
    assert list(found(tmp_path, npm, others=frozenset({"python"}))) == ["package.json", "package-lock.json"]


def test_chosen_files_are_found_out_or_refused(tmp_path: Path) -> None:
    lay_out(tmp_path, {"a/README.md": "1.0.0 shipline-version\n", "a/x.yml": "", "a/yarn.lock": ""})
    package = Package("a", "a")
    chosen = [VersionFile("README.md", ""), VersionFile("x.yml", "", "(?P<version>x)"), VersionFile("yarn.lock", "")]
    files = choose_version_files(tmp_path, package, chosen, tracked=lambda _: True)
    assert [(file.path, file.kind) for file in files.files] == [("a/README.md", "marker"), ("a/x.yml", "pattern")]
    assert len(files.notes) == 1
    for path in ("x.yml", "gone", "../b"):
        with pytest.raises(ShiplineError, match=path.strip("./")):
            choose_version_files(tmp_path, package, [VersionFile(path, "")], tracked=lambda _: True)


def test_the_lock_of_a_workspace_follows_the_manifest_that_was_chosen(tmp_path: Path) -> None:
    """No path from the package's folder leads to it, and a lock that states another version stops `cargo --locked`."""
    files = {
        "crates/a/Cargo.toml": '[package]\nname = "a"\nversion = "1.0.0"\n',
        "crates/a/a.txt": "1.0.0 shipline-version\n",
        "Cargo.lock": '[[package]]\nname = "a"\nversion = "1.0.0"\n',
        "package-lock.json": "{}",
    }
    lay_out(tmp_path, files)
    package, both = Package("a", "crates/a", "cargo"), [VersionFile("Cargo.toml", ""), VersionFile("a.txt", "")]
    chosen = choose_version_files(tmp_path, package, both, tracked=lambda _: True).files
    assert [(file.path, file.names) for file in chosen][-1] == ("Cargo.lock", ("a",))
    for few, tracked in ((both[1:], True), (both, False)):
        rest = choose_version_files(tmp_path, package, few, tracked=lambda _, there=tracked: there).files  # type: ignore[misc]
        assert [file.path for file in rest] == [f"crates/a/{file.path}" for file in few]


def test_the_tag_is_right_and_who_differs_is_named(tmp_path: Path) -> None:
    lay_out(tmp_path, {"pyproject.toml": "\n[project]\nversion = '3.3.0'\n", "VERSION": "3.2.0\n"})
    checked = check(tmp_path)
    assert not checked.ok
    assert (checked.truth.source, checked.truth.name, checked.truth.version) == ("tag", "v3.2.0", "3.2.0")
    assert [(row.ok, row.stated.lines, row.problem) for row in checked.rows] == [
        (False, (3,), "says 3.3.0, and v3.2.0 says 3.2.0"),
        (True, (1,), ""),
    ]


def test_before_the_first_release_the_manifest_is_right(tmp_path: Path) -> None:
    lay_out(tmp_path, {"pyproject.toml": "[project]\nversion = '0.2.0'\n", "VERSION": "0.1.0\n"})
    checked = check(tmp_path, tagged=None)
    assert (checked.truth.name, [row.ok for row in checked.rows]) == ("pyproject.toml", [True, False])


def test_the_settings_may_believe_a_file(tmp_path: Path) -> None:
    lay_out(tmp_path, {"pyproject.toml": "[project]\nversion = '3.3.0'\n", "VERSION": "3.3.0\n"})
    checked = check(tmp_path, source="./VERSION")
    assert checked.ok
    assert (checked.truth.name, checked.truth.version) == ("VERSION", "3.3.0")
    with pytest.raises(ConfigurationError, match=r"setup\.cfg"):
        check(tmp_path, source="setup.cfg")


def test_what_cannot_be_read_is_no_pass(tmp_path: Path) -> None:
    lay_out(tmp_path, {"pyproject.toml": "[project\n", "package.json": '{"version": "x y"}'})
    checked = check(tmp_path)
    assert [row.ok for row in checked.rows] == [False, False]
    assert "cannot be read" in checked.rows[0].problem
    (tmp_path / "pyproject.toml").unlink()
    (tmp_path / "pyproject.toml").symlink_to("/etc/hostname")
    assert "link" in check(tmp_path).rows[0].problem


def test_without_any_version_there_is_nothing_to_differ(tmp_path: Path) -> None:
    assert check(tmp_path, tagged=None).ok
    assert check(tmp_path).ok
    lay_out(tmp_path, {"VERSION": "1\n", "package-lock.json": '{"version": "1", "packages": {"": {"version": "2"}}}'})
    files = [VersionFile("package-lock.json", "npm-lock")]
    checked = check_package(
        tmp_path,
        Package("q"),
        choose_version_files(tmp_path, Package("q"), files, tracked=lambda _: True),
        None,
        source="",
    )
    assert not checked.ok
    assert checked.truth.version is None


@pytest.mark.parametrize(("said", "tag"), [("1.0.0rc1", "1.0.0-rc.1"), ("1.0.0-rc.1", "1.0.0rc1"), ("1.0", "1.0.0")])
def test_spellings_of_one_python_version_do_not_differ(tmp_path: Path, said: str, tag: str) -> None:
    lay_out(tmp_path, {"pyproject.toml": f"[project]\nversion = '{said}'\n"})
    assert check(tmp_path, tagged=Tagged(tag, f"v{tag}")).ok is (said != "1.0")


def test_edits_are_all_made_before_the_first_is_written(tmp_path: Path) -> None:
    lay_out(tmp_path, {"VERSION": "1.0.0\n", "pyproject.toml": "[project]\n"})
    with pytest.raises(ShiplineError, match="states no version"):
        edits_to(
            tmp_path,
            [(VersionFile("VERSION", "plain"), "2.0.0"), (VersionFile("pyproject.toml", "python-project"), "2.0.0")],
        )
    edits = edits_to(tmp_path, [(VersionFile("VERSION", "plain"), "2.0.0")])
    (tmp_path / "VERSION").write_text("1.0.1\n")
    with pytest.raises(ConflictError):
        write_edits(tmp_path, edits)
    assert (tmp_path / "VERSION").read_text() == "1.0.1\n"


def test_a_file_that_is_named_twice_is_edited_twice(tmp_path: Path) -> None:
    lay_out(tmp_path, {"Chart.yaml": "version: 1.0.0\nappVersion: 1.0.0\n"})
    files = [VersionFile("Chart.yaml", kind) for kind in ("helm-chart", "helm-app-version")]
    (edit,) = edits_to(tmp_path, [(file, "2.0.0") for file in files])
    write_edits(tmp_path, [edit])
    assert (tmp_path / "Chart.yaml").read_text() == "version: 2.0.0\nappVersion: 2.0.0\n"


def test_links_are_not_followed(tmp_path: Path) -> None:
    lay_out(tmp_path, {"VERSION.real": "1.0.0\n"})
    (tmp_path / "VERSION").symlink_to("VERSION.real")
    with pytest.raises(RefusedError, match="VERSION is a link"):
        edits_to(tmp_path, [(VersionFile("VERSION", "plain"), "2.0.0")])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"1.0.0", b"2.0.0"),
        (b"1.0.0\r\n", b"2.0.0\r\n"),
        (b"a\nb\nc\nd\n1.0.0\nd\nc\nb\na", b"a\nb\nc\nd\n2.0.0\nd\nc\nb\na"),
        (b"1.0.0\n1.0.0\n" + b"x\n" * 6 + b"1.0.0\n" + b"x\n" * 7 + b"1.0.0", None),
        (b"caf\xe9\n1.0.0\n\x0c\n", None),
    ],
)
def test_git_applies_the_diff(tmp_path: Path, before: bytes, after: bytes | None) -> None:
    after = before.replace(b"1.0.0", b"2.0.0") if after is None else after
    (tmp_path / "VERSION").write_bytes(before)
    diff = unified_diff(Edit("VERSION", before, after))
    subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], input=diff, cwd=tmp_path, check=True)
    assert (tmp_path / "VERSION").read_bytes() == after
