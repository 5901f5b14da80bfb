"""Configurations as projects have them become settings that load strictly, and every key of them is answered for."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.bootstrap.project import Project
from shipline.capabilities.plans import Monorepo, make_plan
from shipline.capabilities.plans.attribution import Attribution
from shipline.capabilities.scaffold import TOOLS, Answer, Imported, Present, fitted, import_settings, present_tools
from shipline.capabilities.scaffold.answers import Draft
from shipline.capabilities.scaffold.literal import read_literal
from shipline.capabilities.scaffold.reading import Read, read_data
from shipline.capabilities.scaffold.usecases import read_table
from shipline.capabilities.scaffold.writing import settings_text
from shipline.configuration import PackageSettings, ReleaseSettings, Settings, parse_settings
from shipline.configuration.check import check_settings
from shipline.domain.errors import NothingToDo, UsageError
from shipline.domain.package import Group, Package
from shipline.domain.version_file import VersionFile
from shipline.providers.repository.git import GitRepository
from shipline.testing.histories import History
from tests.capabilities.scaffold.configurations import ASSIGNED, CONFIGURATIONS, V

TABLES = ("package", "release", "lint", "channel", "group", "registry", "build", "test", "forge", "bump", "changelog")
EVERYTHING: dict[str, tuple[str, ...]] = dict.fromkeys(TABLES, ())
NOW: dict[str, tuple[str, ...]] = {field.name: () for field in dataclasses.fields(Settings)}

KINDS = (("package", PackageSettings), ("release", ReleaseSettings))
LOADED = NOW | {table: tuple(field.name for field in dataclasses.fields(kind)) for table, kind in KINDS}


def loaded(result: Imported) -> Settings:
    """The settings that the text of an import is read as."""
    return parse_settings(settings_text(result.settings, "").encode())


def imported(name: str, *, known: dict[str, tuple[str, ...]] = EVERYTHING) -> Imported:
    files = {file: text.encode() for file, text in CONFIGURATIONS[name][0].items()}
    return import_settings(present_tools(files), files, known=known, packages={".": "quotes"})


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_becomes_these_settings(name: str) -> None:
    assert imported(name).settings == CONFIGURATIONS[name][1]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_what_is_written_is_read_again_as_it_was(name: str) -> None:
    settings = imported(name).settings
    assert tomllib.loads(settings_text(settings, "a\nb")) == {"schema": 1} | settings


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_what_this_version_knows_of_it_loads_strictly(name: str) -> None:
    check_settings(loaded(imported(name, known=LOADED)))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_key_is_answered_for(name: str) -> None:
    """By itself, or by the keys that are inside of it."""
    files = {file: text.encode() for file, text in CONFIGURATIONS[name][0].items()}
    result = imported(name)
    said = [key.key for key in result.keys]
    for tool in result.tools:
        file = next(key.file for key in result.keys if key.tool == tool)
        data: Any = read_data(file, files[file]).data
        for table in TOOLS[tool][0][file]:
            data = data[table]
        # gitlint's sections are answered for by the names of the rules that they are about.
        missing = [key for key in data if not any(key in each for each in said) and key not in ("packages", "general")]
        assert missing == []
    assert all(key.words for key in result.keys)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> GitRepository:
    """One that has every package which the configurations speak of."""
    made = History(tmp_path_factory.mktemp("all"))
    python, npm = '[project]\nname = "{}"\nversion = "1.2.0"\n', '{{"name": "{}", "version": "1.2.0"}}'
    files = {
        "package.json": '{"name": "@acme/quotes", "version": "1.2.0", "workspaces": ["packages/*"]}',
        "packages/client/package.json": npm.format("@acme/client"),
        "services/api/pyproject.toml": python.format("api"),
        "charts/all/Chart.yaml": "apiVersion: v2\nname: all\nversion: 1.2.0\n",
    }
    made.commit("feat: begin", files)
    return made.repository


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_what_is_written_is_planned(name: str, repository: GitRepository) -> None:
    """By the strict loader and a plan in a repository that has the packages: neither refuses anything of it."""
    project = Project(repository.root())
    raw = imported(name, known=LOADED)
    present = [Present(each) for each in project.packages_by(loaded(raw))]
    root = repository.root()
    settings = loaded(fitted(raw, present, exists=lambda path: (root / path).is_file()))
    groups = tuple(Group(each.name, each.packages, fixed=each.kind == "fixed") for each in settings.group)
    for package in settings.package:
        project.check_places(package)
    plan = make_plan(repository, project.packages_by(settings), monorepo=Monorepo(groups, settings.release.source))
    assert {package.next for package in plan.packages} == {"1.2.0"}


def test_groups_that_no_plan_would_take_are_left_out_and_said() -> None:
    """Packages of two schemes, packages that there are not, and packages in two groups."""
    raw = imported("release-please")
    others = {"name": "more", "packages": ["a", "gone-*"], "kind": "fixed"}
    twice = {"name": "twice", "packages": ["*"], "kind": "fixed"}
    raw = dataclasses.replace(raw, settings=raw.settings | {"group": [*raw.settings["group"], others, twice]})
    present = [Present(Package("client")), Present(Package("api", scheme="pep440")), Present(Package("a"))]
    result = fitted(raw, present, exists=lambda _: True)
    assert result.settings["group"] == [others | {"packages": ["a"]}]
    assert [(key.key, key.answer) for key in result.keys[len(raw.keys) :]] == [
        ("(as group all)", Answer.NO_EQUAL),
        ("(as group more, gone-*)", Answer.NO_EQUAL),
        ("(as group twice, *)", Answer.NO_EQUAL),
    ]
    assert "client has semver versions and api pep440 ones" in result.keys[len(raw.keys)].words
    assert fitted(raw, [], exists=lambda _: True) is raw


def test_files_that_a_tool_edits_beside_the_manifest_do_not_replace_it() -> None:
    """Others are all that the tool edits."""
    found = (VersionFile("pyproject.toml", "python-project"), VersionFile("a/v.py", "python-module", names=("V",)))
    module = {"path": "a/v.py", "pattern": ASSIGNED.format(name="V") + V}
    config = '{"packages": {".": {"release-type": "python", "extra-files": ["b.md", "pyproject.toml"]}}}'
    extra = {"path": "b.md", "pattern": rf"{V}.*x-release-please-version"}
    alone = '{"commitizen": {"version_files": ["uv.lock"]}}'
    provided = '{"commitizen": {"version_provider": "pep621", "version_files": ["uv.lock"]}}'
    for file, text, files in (
        ("release-please-config.json", config, ["pyproject.toml", module, extra]),
        (".cz.json", provided, ["pyproject.toml", module, "uv.lock"]),
        (".cz.json", alone, ["uv.lock"]),
    ):
        raw = import_settings(present_tools({file: text.encode()}), {file: text.encode()}, known=LOADED, packages={})
        result = fitted(raw, [Present(Package("."), found)], exists=lambda _: True)
        assert result.settings["package"][0]["version_files"] == files


def test_a_version_file_that_there_is_not_is_left_out_and_said() -> None:
    """Every plan would refuse it. Where none is left, they are found."""
    raw = imported("release-please")
    present = [Present(Package("client", "packages/client"))]
    result = fitted(raw, present, exists=lambda path: path == "packages/client/a.json")
    assert [each["path"] for each in result.settings["package"][0]["version_files"]] == ["a.json"]
    gone = [key for key in result.keys if key.words == "there is no such file here"]
    assert [key.key for key in gone][:1] == ["(as version_files, src/version.ts)"]
    assert "version_files" not in fitted(raw, present, exists=lambda _: False).settings["package"][0]


def test_what_lies_above_a_package_s_folder_is_not_named() -> None:
    raw = imported("release-please")
    found = (VersionFile("packages/client/package.json", "npm-package"), VersionFile("package-lock.json", "npm-lock"))
    result = fitted(raw, [Present(Package("client", "packages/client"), found)], exists=lambda _: True)
    files = result.settings["package"][0]["version_files"]
    assert [each for each in files if isinstance(each, str)] == ["package.json"]


def test_what_was_taken_is_told_as_it_is_written() -> None:
    words = [key.words for name in CONFIGURATIONS for key in imported(name).keys]
    assert 'package.version_files has { path = "src/version.ts", pattern = ' in "\n".join(words)
    assert not [each for each in words if "{'" in each or "['" in each or "True" in each]


def test_every_tool_has_a_configuration_here() -> None:
    assert {tool for name in CONFIGURATIONS for tool in imported(name).tools} == set(TOOLS)


def test_what_this_version_does_not_know_is_said() -> None:
    known: dict[str, tuple[str, ...]] = {"release": ("branch",)}
    result = imported("changesets", known=known)
    assert set(result.settings) == {"release"}
    assert result.settings["release"] == {"branch": "main"}
    assert {(key.key, key.answer) for key in result.keys} >= {
        ("(as [group])", Answer.NO_EQUAL),
        ("(as release.source)", Answer.NO_EQUAL),
    }


def test_the_tool_that_comes_first_is_right() -> None:
    files = {
        ".releaserc": b'{"tagFormat": "release-${version}"}',
        ".cz.json": b'{"commitizen": {"tag_format": "$version", "version_scheme": "semver"}}',
    }
    result = import_settings(present_tools(files), files, known=EVERYTHING, packages={})
    assert result.settings["package"] == [{"name": ".", "tag_format": "release-{version}", "scheme": "semver"}]


CLIFF_PARSERS = """[git]
filter_unconventional = true
commit_parsers = [
    { message = "^feat", group = "<!-- 0 -->\N{ROCKET} <b>Features</b>" },
    { message = "^doc", group = "<!-- 3 -->Documentation" },
    { message = "^(perf|refactor)", group = "<!-- 2 -->Better" },
    { message = "^chore\\\\(release\\\\): prepare for", skip = true },
    { message = "^chore\\\\(deps.*\\\\)", skip = true },
    { message = "^chore|^ci", skip = true },
    { body = ".*security", group = "<!-- 8 -->Security" },
    { message = ".*", group = "<!-- 9 -->Other" },
]
"""


def test_groups_of_commits_become_sections_of_the_changelog() -> None:
    """git-cliff's usual configuration, in the order that its marks make; a comment and a tag are not seen there."""
    result = import_settings(["git-cliff"], {"cliff.toml": CLIFF_PARSERS.encode()}, known=LOADED, packages={})
    assert [(each.title, each.types) for each in loaded(result).changelog.section] == [
        ("\N{ROCKET} Features", ("feat",)),
        ("Better", ("perf", "refactor")),
        ("Documentation", ("docs",)),
        ("Other", ("build", "fix", "revert", "style", "test")),
    ]
    without = [key.key for key in result.keys if key.answer is Answer.NO_EQUAL]
    assert without == ["git.commit_parsers[4]", "git.commit_parsers[6]"]


def test_a_type_that_no_group_names_is_listed_under_its_own_name() -> None:
    content = b'[git]\ncommit_parsers = [{ message = "^feat", group = "New" }, { message = "^chore|^ci", skip = true }]'
    result = import_settings(["git-cliff"], {"cliff.toml": content}, known=LOADED, packages={})
    listed = [each.title for each in loaded(result).changelog.section]
    assert listed == ["New", "Build", "Docs", "Fix", "Perf", "Refactor", "Revert", "Style", "Test"]


PATHS = [
    ('[git]\nexclude_paths = ["docs/", "*.md", "./a/*", "b/c.txt"]', "src/a.py", "docs/x/a.rst x/a.md a/b/c b/c.txt"),
    ('[git]\ninclude_paths = ["src/", "**/*.toml"]', "src/a/b.py x/y.toml", "docs/x.md a.py"),
    ('[git]\nexclude_paths = ["src/b/"]\ninclude_paths = ["src/"]', "src/a.py", "docs/x.md a.py"),
    ('{"packages": {".": {"exclude-paths": ["docs", "a/b"]}}}', "src/a.py a/c", "docs/x.md a/b/c/d"),
]


@pytest.mark.parametrize(("content", "mine", "others"), PATHS)
def test_what_counts_as_the_package_s_counts_as_it_did(content: str, mine: str, others: str) -> None:
    files = {(RP if content.startswith("{") else "cliff.toml"): content.encode()}
    table = loaded(import_settings(present_tools(files), files, known=LOADED, packages={})).package[0]
    attribution = Attribution([Package("a", include=table.include, exclude=table.exclude)])
    assert {path: bool(attribution.owners([path])) for path in (mine + " " + others).split()} == dict.fromkeys(
        mine.split(), True
    ) | dict.fromkeys(others.split(), False)


TEMPLATED = [
    ("cliff.toml", "[changelog]\nbody = 'x'\nheader = 'y'"),
    (".versionrc", '{"header": "x"}'),
    (".cz.json", '{"commitizen": {"template": "a.j2"}}'),
    ("release-please-config.json", '{"changelog-type": "github"}'),
    (".releaserc", "branches: main\nplugins: [[a, {}], ['@semantic-release/changelog', {changelogTitle: a}]]"),
    ("releaserc.toml", '[semantic_release.changelog]\ntemplate_dir = "t"'),
]


@pytest.mark.parametrize(("file", "content"), TEMPLATED)
def test_a_form_of_one_s_own_is_said_to_be_a_template(file: str, content: str) -> None:
    files = {file: content.encode()}
    keys = import_settings(present_tools(files), files, known=LOADED, packages={}).keys
    assert [key for key in keys if key.answer is Answer.BY_HAND and "[changelog] template" in key.words]
    assert not [key for key in keys if "has one form" in key.words]


# What a semantic-release branch becomes: by branch, the channel that is written, and what is said to have no equal.
BRANCHES = [
    ('["main", "next", "next-major"]', {"main": "stable", "next": "next", "next-major": "next-major"}, 2),
    ('["master", "main", "beta"]', {"master": "stable", "main": "stable", "beta": "beta"}, 1),
    ('["main", {"name": "lts", "channel": false}]', {"main": "stable", "lts": "stable"}, 0),
    ('["main", {"name": "lts", "channel": "latest"}]', {"main": "stable", "lts": "stable"}, 0),
    ('["main", {"name": "edge", "channel": "e d"}]', {"main": "stable"}, 1),
    ('[{"name": "main", "channel": "next"}]', {"main": "next"}, 1),
    ('["1.x", "main", {"name": "2.x", "range": "2.x"}]', {"1.x": "stable", "main": "stable", "2.x": "stable"}, 0),
    ('["main", {"name": "b", "prerelease": "rc", "channel": "b"}]', {"main": "stable", "b": "rc"}, 1),
]


@pytest.mark.parametrize(("branches", "channels", "without"), BRANCHES)
def test_no_branch_releases_for_everybody_that_did_not(branches: str, channels: dict[str, str], without: int) -> None:
    """semantic-release publishes final versions of a later branch to a dist-tag; here all of them go to `latest`."""
    files = {".releaserc.json": f'{{"branches": {branches}}}'.encode()}
    result = import_settings(["semantic-release"], files, known=LOADED, packages={})
    assert {each.branch: each.name for each in loaded(result).channel} == channels
    told = [key for key in result.keys if key.answer is Answer.NO_EQUAL and key.key.startswith("branches ")]
    assert len(told) == without


RP, PSR = "release-please-config.json", "releaserc.toml"
ZERO = "[semantic_release]\n"
# What each tool makes of a breaking change, and of a feature, after 0.3.0, by its own source.
BEFORE_1 = [
    (".releaserc.json", "{}", "major minor"),
    (
        ".releaserc.json",
        '{"plugins": [["@semantic-release/commit-analyzer", {"releaseRules": [RULE]}]]}',
        "minor minor",
    ),
    (RP, "{}", "major minor"),
    (RP, '{"bump-minor-pre-major": true}', "minor minor"),
    (RP, '{"bump-minor-pre-major": true, "bump-patch-for-minor-pre-major": true}', "minor patch"),
    (RP, '{"packages": {".": {"bump-patch-for-minor-pre-major": true}}}', "major patch"),
    (PSR, ZERO, "major minor"),
    (PSR, f"{ZERO}allow_zero_version = true", "major minor"),
    (PSR, f"{ZERO}major_on_zero = false", "minor minor"),
    (PSR, f"{ZERO}major_on_zero = false\nallow_zero_version = false", "major minor"),
    (".cz.json", '{"commitizen": {}}', "major minor"),
    (".cz.json", '{"commitizen": {"major_version_zero": true}}', "minor minor"),
    ("cliff.toml", "", "major minor"),
    ("cliff.toml", "[bump]\nbreaking_always_bump_major = false\nfeatures_always_bump_minor = false", "minor patch"),
    (".versionrc", "{}", "minor patch"),
    (".versionrc", '{"preMajor": false}', "minor patch"),
    (".versionrc", '{"preset": "angular"}', "major minor"),
    (".changeset/config.json", "{}", "minor minor"),
]


@pytest.mark.parametrize(("file", "content", "steps"), BEFORE_1)
def test_a_version_0_moves_as_it_did_with_the_tool(file: str, content: str, steps: str) -> None:
    files = {file: content.replace("RULE", '{"breaking": true, "release": "minor"}').encode()}
    result = import_settings(present_tools(files), files, known=LOADED, packages={})
    release = loaded(result).release
    assert f"{release.breaking_before_1} {release.features_before_1}" == steps
    written = {key: value for key, value in result.settings.get("release", {}).items() if key.endswith("_before_1")}
    assert "minor" not in written.values()
    if file != ".changeset/config.json":
        assert [key.words for key in result.keys if "0.x move here" in key.words or "_before_1 = " in key.words]


def test_packages_that_move_differently_before_1_are_told() -> None:
    """One rule holds here: that of the most."""
    config = {"a": {}, "b": {"bump-minor-pre-major": True}, "c": {"bump-minor-pre-major": True}}
    files = {RP: json.dumps({"packages": config}).encode()}
    result = import_settings(["release-please"], files, known=LOADED, packages={})
    assert "breaking_before_1" not in result.settings["release"]
    assert [key.words for key in result.keys if key.answer is Answer.NO_EQUAL] == [
        "one rule holds for all packages: 1 of 3 say otherwise"
    ]


@pytest.mark.parametrize("other", [[{"type": "feat", "section": "New"}], [], None])
def test_headings_of_the_packages_are_taken_where_all_have_the_same(other: list[dict[str, str]] | None) -> None:
    own = [{"type": "feat", "section": "New"}]
    config = {"a": {"changelog-sections": own}, "b": {} if other is None else {"changelog-sections": other}}
    files = {RP: json.dumps({"packages": config}).encode()}
    result = import_settings(["release-please"], files, known=LOADED, packages={})
    told = {key.key: key.answer for key in result.keys}
    assert told["packages[a].changelog-sections"] is (Answer.TAKEN if other == own else Answer.NO_EQUAL)
    assert ("changelog" in result.settings) is (other == own)


def test_of_two_tools_that_lint_both_hold_and_who_is_overruled_is_told() -> None:
    """That gitlint asks for no type is no reason to let go what commitlint asks for; nor the other way round."""
    rules = b'{"extends": ["@commitlint/config-conventional"], "rules": {"header-max-length": [2, "always", 80], %s}}'
    files = {".commitlintrc": rules % b'"body-min-length": [0]', ".gitlint": b"[title-max-length]\nline-length=72\n"}
    result = import_settings(["commitlint", "gitlint"], files, known=LOADED, packages={})
    found = result.settings["lint"]["rules"]
    assert "type-empty" not in found
    assert (found["header-max-length"], found["body-min-length"]) == ([2, "always", 80], [2, "always", 20])
    overruled = [(key.tool, key.key) for key in result.keys if key.answer is Answer.NO_EQUAL]
    assert overruled == [("gitlint", "(as lint.rules.header-max-length)")]


def test_a_tool_whose_steps_are_usual_is_not_overruled() -> None:
    files = {".cz.json": b'{"commitizen": {"major_version_zero": true}}', "cliff.toml": b"[changelog]\ntrim = true\n"}
    result = import_settings(present_tools(files), files, known=LOADED, packages={})
    assert "release" not in result.settings


@pytest.mark.parametrize(
    ("file", "content"),
    [
        (".releaserc", b"a: [1"),
        (".releaserc", b"- 1"),
        (".releaserc", b"[" * 3000),
        (".releaserc.json", b"{"),
        (".releaserc.json", b"\xff"),
        (".releaserc", b"1: 2"),
        (".releaserc", b"!!python/object/apply:os.system ['true']"),
        (".releaserc.yaml", b" " * ((1 << 20) + 1)),
        ("cliff.toml", b"="),
        (".gitlint", b"no section"),
        ("release.config.js", b"module.exports = plugins({ plugins: [] })"),
        ("release.config.js", b"module.exports = { plugins: [] }.plugins"),
        ("release.config.js", b"module.exports = { plugins: ["),
        ("release.config.mjs", b"export default async () => ({})"),
        ("commitlint.config.js", b"const a = {}"),
        ("commitlint.config.ts", b"if (a) { module.exports = {} } else { module.exports = {} }"),
        ("commitlint.config.ts", b"export default {}\nmodule.exports = {}"),
    ],
)
def test_what_cannot_be_read_is_said_with_the_file(file: str, content: bytes) -> None:
    with pytest.raises(UsageError) as caught:
        present_tools({file: content})
    assert file in caught.value.what


def test_a_manifest_of_somebody_else_is_no_configuration() -> None:
    assert present_tools({"package.json": b"{", "pyproject.toml": b"="}) == ()
    assert present_tools({"package.json": b'{"name": "a"}', "pyproject.toml": b"[tool.other]"}) == ()


def test_a_tool_that_is_not_there_is_refused() -> None:
    with pytest.raises(NothingToDo, match="no configuration of gitlint"):
        import_settings(["gitlint"], {}, known=EVERYTHING, packages={})


@pytest.mark.parametrize("name", CONFIGURATIONS)
@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [None], [[1]], {"a": {"b": []}}, True])
def test_values_of_any_shape_do_no_harm(name: str, value: Any) -> None:
    """Each key in turn has a value that it usually has not: it has no equal, or the file is refused in words."""
    files = {file: text.encode() for file, text in CONFIGURATIONS[name][0].items()}
    result = imported(name)
    for tool in result.tools:
        file = next(key.file for key in result.keys if key.tool == tool)
        data: Any = read_data(file, files[file]).data
        for table in TOOLS[tool][0][file]:
            data = data[table]
        for key in data:
            draft = Draft(tool, file)
            with contextlib.suppress(UsageError):
                read_table(TOOLS[tool][1], draft, data | {key: value})
                assert tomllib.loads(settings_text(draft.settings, "")) == {"schema": 1} | draft.settings


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(alphabet="ab'{ :,", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet="ab-", max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_a_literal_is_read_as_json_is(value: Any) -> None:
    assert read_literal(f"// a\nexport default {json.dumps(value)} /* b */") == value


@given(st.text(alphabet="{}[],:;'\"`.=a1 \n\\/*$", max_size=40))
def test_no_text_stops_the_reader_of_literals(text: str) -> None:
    with contextlib.suppress(ValueError):
        read_literal(f"module.exports = {text}")


RULE = "{ rules: { 'type-enum': [2, 'always', ['a']] } }"
READ = {"rules": {"type-enum": [2, "always", ["a"]]}}
LITERALS = [
    f"const c = {RULE}; module.exports = c;",
    f"'use strict'\nconst c = {RULE}\nexport default c",
    f"import type {{ UserConfig }} from '@commitlint/types';\nconst C: UserConfig = {RULE};\nexport default C;",
    f"import a from 'a'\nconst plug = require('b')({{}})\nmodule.exports = {RULE}",
    f"export default {RULE} satisfies UserConfig;",
    f"export default {RULE} as const satisfies types.UserConfig",
    f"/** @type {{import('x').Y}} */\nmodule.exports = /** @type {{Y}} */ ({RULE})",
    f"export default defineConfig({RULE});",
    "const types = ['a'];\nmodule.exports = { rules: { 'type-enum': [2, 'always', [...types]] } }",
    "const rules = { 'type-enum': [RuleConfigSeverity.Error, 'always', ['a']] };\nexport default { rules }",
    f"const base = {RULE}\nexport default {{ ...base, }}",
    f"function f() {{ return /it's {{/.test('}}') }}\nconst g = a => {{ return `${{a}}` }}\nmodule.exports = {RULE}",
]


@pytest.mark.parametrize("source", LITERALS)
def test_a_configuration_in_code_is_read_where_it_is_literal(source: str) -> None:
    assert read_data("commitlint.config.ts", source.encode()) == Read(READ)


PARTS = """
const level = process.env.STRICT ? 2 : 1
/** @type {import('semantic-release').GlobalConfig} */
const config = {
  branches: ['main', process.env.PRE && { name: 'rc', prerelease: true }],
  tagFormat: `v${'$'}{version}`,
  preset: `${name}`,
  ...shared,
  plugins: [
    ['@semantic-release/npm', { npmPublish: level > 1, pkgRoot: 'dist' }],
    ['@semantic-release/exec', options],
    '@semantic-release/github',
  ],
  verify(context) { return context.ok, { a: [1, 2] } },
  ignores: [(message) => message.includes('WIP, {'), /a[/"]b/],
}
if (process.env.CI) config.plugins.push('x')
module.exports = config
"""


def test_what_is_computed_is_named_and_the_rest_is_read() -> None:
    result = import_settings(["semantic-release"], {"release.config.cjs": PARTS.encode()}, known=LOADED, packages={})
    assert loaded(result).release.branch == "main"
    assert result.settings["registry"] == [{"provider": "npm"}]
    assert result.settings["forge"] == {"provider": "github"}
    computed = {key.key: key.words for key in result.keys if "nothing is run here" in key.words}
    assert computed.keys() == {
        "branches[1]",
        "tagFormat",
        "preset",
        "...shared",
        "plugins[0][1].npmPublish",
        "plugins[1]",
        "verify",
        "ignores[0]",
        "ignores[1]",
        "(config)",
    }
    assert "options" in computed["plugins[1]"]


@pytest.mark.parametrize("content", ["rules: { a: [2] }, extends: base()", "...base", "extends: [...base]"])
def test_a_preset_that_is_computed_does_not_turn_all_rules_off(content: str) -> None:
    files = {"commitlint.config.js": f"module.exports = {{ {content} }}".encode()}
    result = import_settings(["commitlint"], files, known=LOADED, packages={})
    assert "lint" not in result.settings


def test_a_file_that_cannot_be_read_does_not_keep_the_others_out() -> None:
    """It is told. Alone it is an error, as everywhere else."""
    files = {"release.config.js": b"module.exports = make()", ".cz.json": b'{"commitizen": {"tag_format": "$version"}}'}
    result = import_settings(present_tools(files), files, known=LOADED, packages={})
    assert result.tools == ("commitizen",)
    (told,) = [key for key in result.keys if key.file == "release.config.js"]
    assert (told.key, told.answer) == ("(the file)", Answer.BY_HAND)
    assert "JSON or YAML" in told.words
    with pytest.raises(UsageError, match=r"release\.config\.js of semantic-release cannot be read"):
        import_settings(["semantic-release"], files, known=LOADED, packages={})


ALIASES = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 15))
BOMBS = {
    "merges": (".commitlintrc.yaml", ALIASES),
    "long yaml": (".commitlintrc.yaml", "a:\n" + "  b: [1, 2, 3]\n" * 60_000),
    "brackets": (".commitlintrc.yaml", "[" * 100_000),
    "strings": ("commitlint.config.js", "module.exports = " + r"\"" * 500_000),
    "comments": ("commitlint.config.js", "module.exports = " + "/*" * 500_000),
    "spaces": ("commitlint.config.js", "module.exports = {" + " " * 1_000_000),
    "constants": ("commitlint.config.js", "const a = [ " * 80_000),
    "exports": ("commitlint.config.js", "export default " * 60_000),
    "parentheses": ("commitlint.config.js", "module.exports = " + "(" * 500_000),
    "patterns": ("commitlint.config.js", "module.exports = " + "=/[" * 100_000),
    "templates": ("commitlint.config.js", "module.exports = " + "`${" * 300_000),
    "computed": ("commitlint.config.js", "module.exports = f(" + "{a:[b(" * 100_000),
    "parts": ("cliff.toml", "a" + ".a" * 400_000 + " = 1"),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize(("name", "text"), BOMBS.values(), ids=BOMBS)
def test_a_file_that_is_made_to_take_for_ever_is_refused(name: str, text: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        present_tools({name: text.encode()})


def test_no_alias_makes_much_of_little() -> None:
    lines = [f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 15)]
    text = "rules:\n  a0: &a0 [x]\n" + "".join(lines) + "  type-enum: [2, always, *a14]\n"
    with pytest.raises(UsageError, match="cannot be read"):
        present_tools({".commitlintrc.yaml": text.encode()})


@pytest.mark.parametrize("unseen", ["\x1b]0;x\x07", "\x9b31m", "\N{RIGHT-TO-LEFT OVERRIDE}", "\U000e0001"])
def test_what_people_do_not_see_is_spelt_out(unseen: str) -> None:
    text = settings_text({"release": {"commit_message": unseen}}, "")
    assert text.replace("\n", "").isprintable()
    assert tomllib.loads(text)["release"]["commit_message"] == unseen
