"""Plans and changelogs of real repositories, good and bad."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from shipline.capabilities.plans import (
    Monorepo,
    PackageChoice,
    detect_packages,
    make_plan,
    packages_of,
    plan_document,
    with_files,
)
from shipline.domain.errors import InvalidValue, ShiplineError, UsageError
from shipline.domain.package import Package
from shipline.domain.version_file import VersionFile
from shipline.ports.provider import ProviderContext
from shipline.ports.repository import Tag
from shipline.providers.repository.git import GitRepository
from shipline.testing.histories import History, StillClock, repository_at
from tests.capabilities.plans.schemas import check_document
from tests.capabilities.plans.texts import changelog_of

PYPROJECT = '[project]\nname = "quotes"\nversion = "0.3.0"\n'


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "project")


def test_a_python_package_goes_from_its_first_to_its_next_release(history: History) -> None:
    history.commit("feat: serve quotes", {"pyproject.toml": PYPROJECT})
    (first,) = make_plan(history.repository).packages
    assert (first.name, first.current, first.next, first.tag) == ("quotes", None, "0.3.0", "v0.3.0")
    history.tag("v0.3.0")
    (idle,) = make_plan(history.repository).packages
    assert (idle.current, idle.next, idle.bump.value, idle.changes) == ("0.3.0", "0.3.0", "none", ())
    head = history.commit("feat(api)!: answer in JSON\n\nBREAKING CHANGE: parse it\nCloses #3")
    plan = make_plan(history.repository)
    assert plan.commit == head
    assert check_document(plan_document(plan)) == {
        "schema": "shipline.plan/1",
        "packages": [
            {
                "name": "quotes",
                "path": ".",
                "current": "0.3.0",
                "next": "0.4.0",
                "bump": "minor",
                "tag": "v0.4.0",
                "channel": "stable",
                "reasons": [
                    "The last final release is 0.3.0 (tag v0.3.0).",
                    f"1 breaking change: “feat(api)!: answer in JSON” ({head[:7]}).",
                    "While the major version is 0, a breaking change moves the minor version.",
                ],
                "changes": [
                    {
                        "oid": head,
                        "type": "feat",
                        "scope": "api",
                        "description": "answer in JSON",
                        "breaking": True,
                        "notes": ["parse it"],
                        "upgrade_notes": [],
                        "refs": ["#3"],
                        "reverts": [],
                        "author": "Ann Author",
                        "co_authors": [],
                        "time": "2023-11-16T22:13:20Z",
                    }
                ],
                "requirements": [],
                "changesets": [],
            }
        ],
        "notes": [],
    }


def test_all_files_that_state_another_version_are_said(history: History) -> None:
    """The higher one of the manifest in every plan, with all files that say it; others where reasons are asked for."""
    history.commit("feat: a", {"pyproject.toml": PYPROJECT.replace("0.3.0", "3.2.0")})
    history.tag("v3.2.0")
    files = {"VERSION": "3.3.0\n", "src/quotes/__init__.py": '__version__ = "3.1.0"\n', "setup.cfg": "[metadata]\n"}
    history.commit("fix: b", files | {"pyproject.toml": PYPROJECT.replace("0.3.0", "3.3.0")})
    plan = make_plan(history.repository)
    lowered = plan.packages[0].reasons[-1]
    assert lowered.startswith("pyproject.toml and VERSION say 3.3.0, which no tag tells of: 3.2.1 would lower it.")
    assert lowered.endswith("mend the files (shipline version sync).")
    told = with_files(history.repository, plan, detect_packages(history.repository), {}).packages[0].reasons
    assert told == (
        *plan.packages[0].reasons,
        "src/quotes/__init__.py says 3.1.0, and the last release is 3.2.0: 3.2.1 takes its place there.",
    )


def test_a_file_beside_the_manifest_that_is_above_the_next_version_is_said_where_reasons_are_asked_for(
    history: History,
) -> None:
    history.commit("feat: a", {"pyproject.toml": PYPROJECT.replace("0.3.0", "3.2.0"), "VERSION": "3.2.0\n"})
    history.tag("v3.2.0")
    history.commit("fix: b", {"VERSION": "4.0.0\n"})
    plan = make_plan(history.repository)
    told = with_files(history.repository, plan, detect_packages(history.repository), {}).packages[0].reasons
    (more,) = (reason for reason in told if reason not in plan.packages[0].reasons)
    assert more.startswith("VERSION says 4.0.0, which no tag tells of: 3.2.1 would lower it. If 4.0.0 is released, tag")


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (
            "3.3.0",
            "pyproject.toml says 3.3.0, which no tag tells of: 3.2.1 would lower it. If 3.3.0 is released, tag its",
        ),
        ("3.3.0.dev0", "pyproject.toml says 3.3.0.dev0, which no tag tells of: 3.2.1 would lower it."),
        ("3.2.1", ""),
        ("3.2.1rc1", ""),
        ("3.2.0", ""),
    ],
)
def test_a_file_that_is_above_the_next_version_is_said(history: History, stated: str, said: str) -> None:
    history.commit("feat: a", {"pyproject.toml": PYPROJECT.replace("0.3.0", "3.2.0")})
    history.tag("v3.2.0")
    history.commit("fix: b", {"pyproject.toml": PYPROJECT.replace("0.3.0", stated)})
    (plan,) = make_plan(history.repository).packages
    assert plan.next == "3.2.1"
    assert [reason for reason in plan.reasons if "lower" in reason] == ([] if not said else [plan.reasons[-1]])
    assert plan.reasons[-1].startswith(said)


def test_what_is_not_committed_does_not_count(history: History) -> None:
    history.commit("feat: a", {"pyproject.toml": PYPROJECT})
    (history.folder / "pyproject.toml").write_text(PYPROJECT.replace("0.3.0", "9.9.9"))
    assert make_plan(history.repository).packages[0].next == "0.3.0"


def test_a_dynamic_version_is_found_in_the_module(history: History) -> None:
    files = {
        "pyproject.toml": '[project]\nname = "quotes"\ndynamic = ["version"]\n',
        "src/quotes/__init__.py": '__version__ = "2.0.0"\n',
    }
    history.commit("feat: a", files)
    (plan,) = make_plan(history.repository).packages
    assert plan.next == "2.0.0"
    assert "src/quotes/__init__.py says 2.0.0" in plan.reasons[0]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"VERSION": "2.3.0\n"}, "2.3.0"),
        ({"gradle.properties": "version=2.3\n"}, "2.3.0"),
        ({"setup.cfg": "[metadata]\nname = q\nversion = 2.3.0.dev0\n"}, "2.3.0"),
        ({"VERSION": "0.0.0"}, "0.1.0"),
    ],
)
def test_whatever_file_states_the_first_version_no_release_lowers_it(
    history: History, files: dict[str, str], expected: str
) -> None:
    history.commit("feat: a", files)
    (plan,) = make_plan(history.repository).packages
    assert plan.next == expected


def test_files_that_people_named_state_the_first_version(history: History) -> None:
    history.commit("feat: a", {"lib/package.json": '{"name": "q", "version": "1.0.0"}', "lib/q.txt": "is 2.3.0"})
    package = Package("q", "lib", "npm")
    monorepo = Monorepo(version_files={"q": (VersionFile("q.txt", "", "is (?P<version>[0-9.]+)"),)})
    (plan,) = make_plan(history.repository, [package], monorepo=monorepo).packages
    assert (plan.next, plan.reasons[0]) == (
        "2.3.0",
        "Nothing was released yet; lib/q.txt says 2.3.0, which is the first.",
    )


def test_a_maintenance_branch_counts_on_its_own(history: History) -> None:
    history.commit("feat: a")
    history.tag("v1.0.0")
    history.git("branch", "1.0.x")
    history.commit("feat!: b")
    history.tag("v2.0.0")
    history.git("checkout", "--quiet", "1.0.x")
    history.commit("fix: c")
    (plan,) = make_plan(history.repository).packages
    assert (plan.current, plan.next) == ("1.0.0", "1.0.1")


def test_a_detached_head_and_a_dirty_tree_are_planned(history: History) -> None:
    history.commit("feat: a", {"a.txt": "1"})
    history.git("checkout", "--quiet", "--detach")
    (history.folder / "a.txt").write_text("2")
    assert make_plan(history.repository).packages[0].next == "0.1.0"


def test_merges_count_once(history: History) -> None:
    """A message that git wrote for a merge is no change; a merge that repeats its branch's only message counts once."""
    history.commit("feat: a")
    history.tag("v1.0.0")
    for number, message in enumerate(["Merge branch 'side'", "fix: b1"]):
        history.git("checkout", "--quiet", "-b", f"side{number}")
        history.commit(f"fix: b{number}")
        history.git("checkout", "--quiet", "main")
        history.merge(f"side{number}", message)
    (plan,) = make_plan(history.repository).packages
    assert [change.description for change in plan.changes] == ["b1", "b0"]


def test_a_pre_release_channel_goes_on_from_its_own_tags(history: History) -> None:
    history.commit("feat: a")
    history.tag("v1.0.0")
    history.commit("feat: b")
    history.tag("v1.1.0-rc.1")
    history.commit("fix: c")
    (rc,) = make_plan(history.repository, channel="rc").packages
    assert (rc.current, rc.next, [each.description for each in rc.changes]) == ("1.1.0-rc.1", "1.1.0-rc.2", ["c"])
    (stable,) = make_plan(history.repository).packages
    assert (stable.current, stable.next, len(stable.changes)) == ("1.0.0", "1.1.0", 2)


def test_several_packages_are_planned_from_one_history(history: History) -> None:
    packages = [Package(name, f"packages/{name}", "npm", "semver", "{package}@{version}") for name in ("a", "b")]
    history.commit("feat: both", {"packages/a/x": "1", "packages/b/package.json": '{"name": "b", "version": "3.0.0"}'})
    history.tag("a@1.0.0")
    history.commit("fix: a alone", {"packages/a/x": "2"})
    history.commit("feat: neither", {"README.md": "2"})
    one, two = make_plan(history.repository, packages).packages
    assert (one.current, one.next, one.tag) == ("1.0.0", "1.0.1", "a@1.0.1")
    assert [change.description for change in one.changes] == ["a alone"]
    assert (two.current, two.next, [change.description for change in two.changes]) == (None, "3.0.0", ["both"])
    assert changelog_of(history.repository, packages, whole=True).count("# Changelog") == 2


def test_what_two_manifests_of_one_name_have_in_common_is_counted_once(history: History) -> None:
    files = {"pyproject.toml": '[project]\nname = "both"\n', "package.json": '{"name": "both", "version": "1.0.0"}'}
    history.commit("chore: begin", files)
    history.tag("v1.0.0")
    history.commit("feat: a")
    for plan in make_plan(history.repository).packages:
        assert (plan.next, len(plan.changes)) == ("1.1.0", 1)
        assert not any("twice" in reason for reason in plan.reasons)
    assert changelog_of(history.repository, None, whole=True).count("# Changelog") == 1


class ReadOnce(GitRepository):
    """A repository whose history may be walked through by its log alone."""

    def merged_tags(self, commit: str = "HEAD", *, names: tuple[str, ...] = ()) -> tuple[Tag, ...]:
        raise AssertionError(f"the log tells which of {names or 'the tags'} {commit} contains")


def test_a_package_without_any_tag_has_the_history_read_once(history: History) -> None:
    """Of the other package only the releases count that HEAD contains, as if git had been asked for them."""
    packages = [Package(name, f"packages/{name}", "npm", "semver", "{package}@{version}") for name in ("a", "b")]
    history.commit("feat: both", {"packages/a/x": "1", "packages/b/x": "1"})
    history.tag("a@1.0.0")
    history.git("switch", "--quiet", "--create", "side")
    history.commit("feat: elsewhere", {"packages/a/x": "side"})
    history.tag("a@2.0.0")
    history.git("switch", "--quiet", "main")
    history.commit("fix: a alone", {"packages/a/x": "2"})
    context = ProviderContext(history.folder, history.folder / ".git" / "shipline", StillClock())
    one, two = make_plan(ReadOnce(ReadOnce.Settings(), context), packages).packages
    assert (one.current, one.next, [change.description for change in one.changes]) == ("1.0.0", "1.0.1", ["a alone"])
    assert (two.current, two.next, [change.description for change in two.changes]) == (None, "0.1.0", ["both"])


def test_the_whole_changelog_goes_by_final_releases(history: History) -> None:
    """A pre-release is part of the final release after it, and stands by itself while there is none."""
    for message, tag in [("feat: a", "v1.0.0-rc.1"), ("fix: b", "v1.0.0"), ("fix: c", "v1.1.0-rc.1"), ("fix: d", None)]:
        history.commit(message)
        if tag is not None:
            history.tag(tag)
    text = changelog_of(history.repository, whole=True)
    assert [line for line in text.splitlines() if line.startswith(("## ", "- "))] == [
        "## [Unreleased]",
        f"- d ({history.git('rev-parse', '--short=7', 'HEAD')})",
        "## [1.1.0-rc.1] - 2023-11-17",
        f"- c ({history.git('rev-parse', '--short=7', 'HEAD~1')})",
        "## [1.0.0] - 2023-11-16",
        f"- a ({history.git('rev-parse', '--short=7', 'HEAD~3')})",
        f"- b ({history.git('rev-parse', '--short=7', 'HEAD~2')})",
    ]
    assert changelog_of(history.repository).startswith("## [Unreleased]\n")


def test_a_changelog_goes_by_parents_where_clocks_were_wrong(history: History) -> None:
    """The clock of `c` was slow: a log shows its parent `b` before it, and still its release contains `b`."""
    made = [("a", 500, ()), ("b", 1000, ("a",)), ("c", 10, ("b",)), ("d", 2000, ("b",)), ("m", 3000, ("d", "c"))]
    marks = {name: f":{mark}" for mark, (name, _, _) in enumerate(made, 1)}
    stream = "".join(
        f"commit refs/heads/main\nmark {marks[name]}\ncommitter A <a@example.com> {second} +0000\n"
        f"data {len('fix: ' + name)}\nfix: {name}\n"
        + "".join(f"{'merge' if index else 'from'} {marks[parent]}\n" for index, parent in enumerate(parents))
        for name, second, parents in made
    )
    stream = stream.replace("commit refs/heads/main\nmark :3", "commit refs/tags/v1.0.0\nmark :3")
    history.git("fast-import", "--quiet", "--force", stdin=stream.encode())
    assert history.git("log", "--format=%s").replace("fix: ", "").splitlines() == ["m", "d", "b", "a", "c"]
    text = changelog_of(history.repository, whole=True)
    shown = [line.split(" ")[1] for line in text.splitlines() if line.startswith(("## ", "- "))]
    assert shown == ["[Unreleased]", "m", "d", "[1.0.0]", "b", "a", "c"]


def test_the_tag_format_is_found(history: History) -> None:
    history.commit("feat: a", {"package.json": '{"name": "@s/app", "version": "1.0.0"}'})
    history.tag("@s/app@1.0.0")
    assert detect_packages(history.repository) == (Package("@s/app", ".", "npm", "semver", "{package}@{version}"),)


def test_outside_of_a_repository(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a git repository"):
        make_plan(repository_at(tmp_path))


def test_without_commits(history: History) -> None:
    for ask in (make_plan, changelog_of, detect_packages):
        with pytest.raises(ShiplineError, match="no commits yet"):
            ask(history.repository)


def test_in_a_shallow_clone(history: History, tmp_path: Path) -> None:
    history.commit("feat: a")
    history.commit("feat: b")
    history.git("clone", "--quiet", "--depth=1", f"file://{history.folder}", str(tmp_path / "clone"))
    with pytest.raises(ShiplineError, match="shallow clone") as caught:
        make_plan(repository_at(tmp_path / "clone"))
    assert "git fetch --unshallow --tags" in caught.value.todo


def test_with_a_channel_that_is_none(history: History) -> None:
    history.commit("feat: a")
    with pytest.raises(InvalidValue):
        make_plan(history.repository, channel="--rc")


def test_planning_imports_only_what_it_needs() -> None:
    """Start-up is a promise: nothing of web, database or engine, and `packaging` only for PEP 440 versions."""
    script = (
        "import json, sys; import shipline.capabilities.plans, shipline.providers.repository.git;"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert not loaded & {
        "sqlalchemy",
        "fastapi",
        "dbos",
        "httpx",
        "jinja2",
        "pydantic",
        "packaging",
        "click",
        "alembic",
    }


def test_the_ecosystem_of_a_folder_is_read_from_its_manifest(history: History) -> None:
    files = {"services/a/pyproject.toml": PYPROJECT, "web/package.json": '{"name": "b", "version": "3.0.0"}', "x/y": ""}
    history.commit("feat: both", files)
    choices = [PackageChoice(path, path) for path in ("services/a", "web", "x")]
    chosen, _ = packages_of(history.repository, choices)
    found = [package.ecosystem for (package,) in chosen]
    assert found == ["python", "npm", "plain"]
