"""Repositories of several packages, on real git: found, planned together, followed, and moved by changesets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from shipline.capabilities.plans import (
    Monorepo,
    PackageChoice,
    changeset_status,
    detect_packages,
    explain,
    make_plan,
    packages_of,
    pending_document,
    plan_document,
    write_changeset,
)
from shipline.domain.change import Bump
from shipline.domain.errors import ConfigurationError, ConflictError, InvalidValue
from shipline.domain.package import Group, Package
from shipline.domain.release_plan import PackagePlan
from shipline.testing.histories import History
from tests.capabilities.plans.schemas import check_document
from tests.capabilities.plans.texts import changelog_of

ROOT = {"package.json": '{"name": "root", "private": true, "workspaces": ["packages/*"]}'}


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "project")


def npm(name: str, version: str | None = "1.0.0", **fields: object) -> str:
    return json.dumps({"name": name} | ({"version": version} if version else {}) | fields)


def packages(**dependencies: Mapping[str, str]) -> dict[str, str]:
    """A workspace of npm packages by their names, each with what it requires."""
    return ROOT | {
        f"packages/{name}/package.json": npm(name, dependencies=dict(wanted)) for name, wanted in dependencies.items()
    }


def released(history: History, **dependencies: Mapping[str, str]) -> None:
    """The workspace, each package released at 1.0.0."""
    history.commit("feat: begin", packages(**dependencies))
    for name in dependencies:
        history.tag(f"{name}@1.0.0")


def planned(history: History, **options: object) -> dict[str, PackagePlan]:
    plan = make_plan(history.repository, **options)  # type: ignore[arg-type]
    check_document(plan_document(plan))
    return {each.name: each for each in plan.packages}


def test_a_workspace_is_found_and_what_is_left_aside_is_said(history: History) -> None:
    files = packages(core={}, app={"core": "^1.0.0"}) | {
        "packages/empty/README.md": "",
        "packages/demo/package.json": npm("demo", None, private=True),
        "charts/web/Chart.yaml": "name: web\nversion: 0.1.0\n",
    }
    history.commit("feat: begin", files)
    plan = make_plan(history.repository)
    assert [(each.name, each.path, each.tag) for each in plan.packages] == [
        ("web", "charts/web", "web@0.1.0"),
        ("core", "packages/core", "core@1.0.0"),
        ("app", "packages/app", "app@1.0.0"),
    ]
    assert [note.partition(":")[0] for note in plan.notes] == [
        "Left aside for want of a package.json",
        "Left aside for want of a name or version",
    ]


@pytest.mark.parametrize("text", ["{", npm("quotes-é")])
def test_a_package_whose_manifest_is_broken_does_not_vanish(history: History, text: str) -> None:
    history.commit("feat: begin", packages(core={}) | {"packages/broken/package.json": text})
    with pytest.raises(InvalidValue, match=r"^packages/broken/package\.json"):
        make_plan(history.repository)
    with pytest.raises(InvalidValue, match=r"^packages/broken/package\.json"):
        packages_of(history.repository, [PackageChoice("packages/*")])


def test_what_is_broken_for_a_test_stops_no_plan(history: History) -> None:
    """A pattern of two stars matches whatever lies below the packages."""
    top = {"package.json": '{"workspaces": ["packages/**"], "private": true}'}
    broken = {"packages/core/tests/x/package.json": "{", "docs/package.json": "{"}
    history.commit("feat: begin", packages(core={}) | broken | top)
    plan = make_plan(history.repository)
    assert [each.name for each in plan.packages] == ["core"]
    assert plan.notes == ("Left aside, as it only serves tests: packages/core/tests/x/package.json cannot be read.",)
    (chosen,), _ = packages_of(history.repository, [PackageChoice("packages/**")])
    assert [each.name for each in chosen] == ["core"]


def test_tags_show_their_form(history: History) -> None:
    history.commit("feat: begin", packages(core={}, app={}))
    history.tag("core-v1.0.0")
    assert {package.tag_format for package in detect_packages(history.repository)} == {"{package}-v{version}"}


def test_crates_that_share_a_version_move_together(history: History) -> None:
    crate = '[package]\nname = "{}"\nversion.workspace = true\n'
    top = '[workspace]\nmembers = ["crates/*"]\n[workspace.package]\nversion = "0.3.0"\n'
    files = {f"crates/{name}/Cargo.toml": crate.format(name) for name in ("a", "b")}
    history.commit("feat: begin", {"Cargo.toml": top} | files)
    for name in ("a", "b"):
        history.tag(f"{name}@0.3.0")
    history.commit("feat: more", {"crates/a/src/lib.rs": ""})
    for known in (None, detect_packages(history.repository)):  # A release names those that were found.
        plans = make_plan(history.repository, known).packages
        assert {plan.name: plan.next for plan in plans} == {"a": "0.4.0", "b": "0.4.0"}


def test_choices_with_a_glob_take_their_names_from_manifests(history: History) -> None:
    files = packages(core={}, app={}) | {"packages/tool/VERSION": "1.0.0"}
    history.commit("feat: begin", files)
    choices = [PackageChoice("packages/*", exclude=("**/*.md",)), PackageChoice("packages/tool", "tool")]
    (some, (tool,)), notes = packages_of(history.repository, choices)
    assert [(each.name, each.ecosystem, each.exclude) for each in some] == [
        ("app", "npm", ("**/*.md",)),
        ("core", "npm", ("**/*.md",)),
    ]
    assert (tool.name, tool.ecosystem, tool.tag_format, notes) == ("tool", "plain", "{package}@{version}", ())
    for bad in (PackageChoice("none/*"), PackageChoice("packages/tool")):
        with pytest.raises(ConfigurationError):
            packages_of(history.repository, [bad])


def test_two_packages_of_one_name_are_refused(history: History) -> None:
    history.commit("feat: begin", packages(core={}) | {"packages/other/package.json": npm("core")})
    with pytest.raises(ConfigurationError, match="two packages are named 'core'"):
        make_plan(history.repository)


def test_a_range_that_is_left_is_followed_and_explained(history: History) -> None:
    released(history, core={}, lib={"core": "^1.0.0"}, app={"lib": "1.0.0"}, other={"core": ">=1"})
    head = history.commit("feat!: a new core", {"packages/core/x": "1"})
    plan = make_plan(history.repository)
    assert {each.name: each.next for each in plan.packages} == {
        "core": "2.0.0",
        "lib": "1.0.1",
        "app": "1.0.1",
        "other": "1.0.0",
    }
    path = "packages/{}/package.json requires; it becomes {}."
    assert [(each.depth, each.sentence) for each in explain(plan, "app")] == [
        (0, "The last final release is 1.0.0 (tag app@1.0.0)."),
        (0, f"app becomes 1.0.1: lib 1.0.1 is out of 1.0.0, which {path.format('app', '1.0.1')}"),
        (1, f"lib becomes 1.0.1: core 2.0.0 is out of ^1.0.0, which {path.format('lib', '^2.0.0')}"),
        (2, f"core becomes 2.0.0 because of “feat!: a new core” ({head[:7]})."),
    ]
    app = next(each for each in plan.packages if each.name == "app")
    assert app.reasons[-1] == f"core becomes 2.0.0 because of “feat!: a new core” ({head[:7]})."


@pytest.mark.parametrize("chosen", [False, True])
def test_what_is_no_package_is_written_anew_with_the_release_of_what_it_requires(
    history: History, *, chosen: bool
) -> None:
    """Also of the one package that people have chosen; what cannot be read and was not chosen is left alone."""
    top = {"private": True, "workspaces": ["libs/*"], "dependencies": {"core": "^1.0.0", "other": "^1.0.0"}}
    files = {"package.json": json.dumps(top), "libs/core/package.json": '{"name": "core", "version": "1.0.0"}'}
    history.commit("feat: begin", files | {"libs/t/package.json": '{"private": true, "dependencies": {"core": "1"}}'})
    history.tag("core@1.0.0")
    history.commit("feat!: break", {"libs/core/a.js": "1"})
    packages = (Package("core", "libs/core", "npm", tag_format="core@{version}"),) if chosen else None
    (plan,) = make_plan(history.repository, packages).packages
    edits = [(each.path, each.before, each.after, each.development) for each in plan.requirements]
    assert edits == [("package.json", "^1.0.0", "^2.0.0", True), ("libs/t/package.json", "1", "2.0.0", True)]
    if chosen:
        history.commit("fix: b", {"package.json": "{", "libs/core/a.js": "2"})
        assert make_plan(history.repository, packages).packages[0].requirements == ()


def test_what_is_explained_begins_with_what_the_chain_does_not_say(tmp_path: Path) -> None:
    """Which file states the first version, and which form the next tag has."""
    history = History(tmp_path)
    head = history.commit("feat: a", {"VERSION": "3.0.0"})
    name = history.folder.name
    assert [each.sentence for each in explain(make_plan(history.repository), name)] == [
        "Nothing was released yet; VERSION says 3.0.0, which is the first.",
        f"{name} becomes 3.0.0 for the first time, with “feat: a” ({head[:7]}).",
    ]
    for tag in ("v1.0.0", "v1.1.0", "1.2.0"):
        history.tag(tag)
    plan = make_plan(history.repository)
    assert [each.sentence for each in explain(plan, name)] == list(plan.packages[0].reasons)
    assert "the next tag is written as v…" in plan.packages[0].reasons[0]


def test_of_a_squashed_request_a_scope_says_whose_a_change_is(history: History) -> None:
    """By the files alone each would be that of both packages; a scope of no package of the commit names nobody."""
    released(history, a={}, b={}, c={})
    body = "* feat(a)!: a\n* fix(b): b\n* fix(c): only said\n* perf(api): both"
    history.commit(f"Many (#3)\n\n{body}", {"packages/a/x": "1", "packages/b/x": "1"})
    plans = planned(history)
    assert {name: each.next for name, each in plans.items()} == {"a": "2.0.0", "b": "1.0.1", "c": "1.0.0"}
    assert [change.description for change in plans["b"].changes] == ["b", "only said", "both"]
    text = changelog_of(history.repository, whole=True)
    part = text.partition("<!-- b -->")[2].partition("<!-- c -->")[0]
    assert ("**a:**" in part, "**b:** b" in part) == (False, True)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("feat(a): a\n\n* fix(a)!: more", ("2.0.0", "1.1.0")),  # As without the line.
        ("feat(a)!: a\n\n* fix(b): more", ("2.0.0", "1.0.1")),
        ("Many (#3)\n\n* feat(a)!: a", ("2.0.0", "1.0.0")),
        ("x\n\nBEGIN_COMMIT_OVERRIDE\nfix(a): both\nEND_COMMIT_OVERRIDE", ("1.0.1", "1.0.1")),
    ],
)
def test_a_package_for_which_no_line_speaks_has_the_title(
    history: History, message: str, expected: tuple[str, str]
) -> None:
    released(history, a={}, b={})
    history.commit(message, {"packages/a/x": "1", "packages/b/x": "1"})
    assert tuple(each.next for each in planned(history).values()) == expected


def test_a_circle_is_named(history: History) -> None:
    released(history, a={"b": "1.0.0"}, b={"a": "1.0.0"})
    history.commit("fix: a", {"packages/a/x": "1"})
    plan = make_plan(history.repository)
    assert [each.next for each in plan.packages] == ["1.0.1", "1.0.1"]
    assert "a and b require each other in a circle" in plan.notes[0]


def test_groups_hold_in_a_whole_plan(history: History) -> None:
    released(history, a={}, b={}, c={})
    history.commit("feat: a", {"packages/a/x": "1"})
    monorepo = Monorepo((Group("pair", ("a", "b"), fixed=True),))
    assert [each.next for each in planned(history, monorepo=monorepo).values()] == ["1.1.0", "1.1.0", "1.0.0"]


def test_a_package_that_was_never_released_has_its_whole_history(history: History) -> None:
    """And reading stops where all others have released it only if there is none."""
    released(history, core={})
    history.commit("feat: lib", packages(core={}, lib={}))
    history.commit("fix: core", {"packages/core/x": "1"})
    plans = planned(history)
    assert [change.description for change in plans["lib"].changes] == ["lib"]
    assert [change.description for change in plans["core"].changes] == ["core"]


def changeset(**bumps: str) -> str:
    return "---\n" + "".join(f'"{name}": {bump}\n' for name, bump in bumps.items()) + "---\n\nSomething new.\n"


def test_changesets_decide_where_there_is_a_folder_of_them(history: History) -> None:
    released(history, core={}, app={"core": "^1.0.0"}, other={})
    history.commit(
        "feat!: not by its message", {"packages/other/x": "1", ".changeset/a-b-c.md": changeset(core="major")}
    )
    plans = planned(history)
    assert {name: plan.next for name, plan in plans.items()} == {"core": "2.0.0", "app": "1.0.1", "other": "1.0.0"}
    assert plans["core"].changesets == (".changeset/a-b-c.md",)
    assert plans["core"].reasons[1] == "1 breaking change: “feat!: Something new.” (a-b-c)."
    assert planned(history, monorepo=Monorepo(source="commits"))["core"].next == "1.0.0"


def test_what_came_from_no_commit_has_no_time(history: History) -> None:
    released(history, core={}, app={"core": "^1.0.0"})
    history.commit("feat: x", {".changeset/a-b-c.md": changeset(core="major")})
    every = [change for each in plan_document(make_plan(history.repository))["packages"] for change in each["changes"]]
    assert [(each["oid"], each["time"]) for each in every] == [("a-b-c", None), ("core@2.0.0", None)]


def test_a_package_that_no_tag_names_counts_from_its_file(history: History) -> None:
    history.commit("chore: begin", packages(core={}, app={}) | {".changeset/a.md": changeset(core="minor")})
    plans = planned(history)
    assert [(each.current, each.next) for each in plans.values()] == [("1.0.0", "1.0.0"), ("1.0.0", "1.1.0")]
    assert plans["core"].reasons[0] == "The last final release is 1.0.0, as its files say."


def test_a_changeset_is_taken_at_its_word_before_1_0_0(history: History) -> None:
    history.commit("chore: begin", ROOT | {"packages/a/package.json": npm("a", "0.3.0")})
    history.commit("feat: x", {".changeset/a.md": changeset(a="major")})
    assert planned(history)["a"].next == "1.0.0"


def test_of_both_a_changeset_speaks_for_its_commit(history: History) -> None:
    released(history, core={}, app={})
    history.commit(
        "feat!: x", {"packages/core/x": "1", "packages/app/x": "1", ".changeset/a.md": changeset(core="patch")}
    )
    plans = planned(history, monorepo=Monorepo(source="both"))
    assert {name: plan.next for name, plan in plans.items()} == {"core": "1.0.1", "app": "2.0.0"}


def test_the_configuration_of_changesets_counts(history: History) -> None:
    released(history, a={}, b={}, c={"a": "^1.0.0"}, d={"a": "workspace:~"})
    config = {"fixed": [["a", "b"]], "ignore": ["c"], "bumpVersionsWithWorkspaceProtocolOnly": True}
    files = {".changeset/config.json": json.dumps(config), ".changeset/x.md": changeset(a="major")}
    history.commit("feat: x", files)
    plans = planned(history)
    assert {name: plan.next for name, plan in plans.items()} == {
        "a": "2.0.0",
        "b": "2.0.0",
        "c": "1.0.0",
        "d": "1.0.1",
    }


def test_what_is_released_anyway_takes_the_new_version_where_the_configuration_says_so(history: History) -> None:
    released(history, core={}, app={"core": "^1.0.0"})
    files = {".changeset/config.json": "{}", ".changeset/x.md": changeset(core="minor", app="patch")}
    history.commit("feat: x", files)
    (edit,) = planned(history)["app"].requirements
    assert (edit.before, edit.after, edit.broken) == ("^1.0.0", "^1.1.0", False)


def test_a_channel_uses_up_no_changeset(history: History) -> None:
    released(history, core={})
    history.commit("feat: x", {".changeset/x.md": changeset(core="minor")})
    plan = planned(history, channel="rc")["core"]
    assert (plan.next, plan.changesets) == ("1.1.0-rc.1", ())


@pytest.mark.parametrize("text", ["---\n", changeset(nobody="minor"), '---\n"core": much\n---\n'])
def test_a_changeset_that_cannot_be_read_stops_the_plan(history: History, text: str) -> None:
    released(history, core={})
    history.commit("feat: x", {".changeset/x.md": text})
    with pytest.raises(InvalidValue, match=r"\.changeset/x\.md"):
        make_plan(history.repository)


def test_what_has_changed_without_a_changeset_is_named(history: History) -> None:
    released(history, core={}, app={})
    base = history.git("rev-parse", "HEAD")
    assert changeset_status(history.repository).missing == ()
    history.commit("feat: x", {"packages/core/x": "1", "packages/app/x": "1"})
    write_changeset(history.folder, "one", {"core": Bump.MINOR}, "Hello.")
    for since in ("", base):
        status = changeset_status(history.repository, since=since)
        check_document(pending_document(status))
        assert (status.bumps(), status.missing) == ({"core": Bump.MINOR}, ("app",))
    write_changeset(history.folder, "two", {}, "")
    assert changeset_status(history.repository, since=base).missing == ()
    with pytest.raises(ConflictError):
        write_changeset(history.folder, "two", {}, "")
