"""What is read of real repositories: corrected messages, merges, doubles, and the tags that matter."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.plans import BumpRules, Channel, Show, Style, links_of, make_plan
from shipline.capabilities.plans.reading import tags_that_matter
from shipline.capabilities.plans.shortlist import batches, has_only_bare_versions
from shipline.domain.change import Bump
from shipline.domain.errors import UsageError
from shipline.domain.package import Package
from shipline.testing.histories import History
from tests.capabilities.plans.texts import changelog_of
from tests.wrong_clocks import import_commits, line


@pytest.fixture
def history(tmp_path: Path) -> History:
    made = History(tmp_path / "project")
    made.commit("feat: first")
    made.tag("v1.0.0")
    return made


def told(history: History) -> list[str]:
    (plan,) = make_plan(history.repository).packages
    return [f"{change.type}: {change.description}" for change in plan.changes]


def test_a_squashed_commit_gives_several_changes_of_one_id(history: History) -> None:
    oid = history.commit("All of it (#3)\n\n* feat: a\n* fix: b\n")
    (plan,) = make_plan(history.repository).packages
    assert [(change.commit, change.description, change.references) for change in plan.changes] == [
        (oid, "a", ("#3",)),
        (oid, "b", ("#3",)),
    ]
    assert plan.next == "1.1.0"
    history.commit(f"revert: all of it\n\nThis reverts commit {oid}.")
    assert told(history) == []


def test_a_later_commit_corrects_an_earlier_one(history: History) -> None:
    wrong = history.commit("feat!: meant to be a fix")
    history.commit(f"chore: correct a message\n\nBEGIN_COMMIT_OVERRIDE {wrong[:8]}\nfix: a fix\nEND_COMMIT_OVERRIDE")
    assert told(history) == ["chore: correct a message", "fix: a fix"]
    assert make_plan(history.repository).packages[0].next == "1.0.1"
    assert f"- a fix ({wrong[:7]})" in changelog_of(history.repository, whole=True)


def test_the_file_of_overrides_comes_before_all(history: History) -> None:
    wrong = history.commit("oops")
    text = f"## {wrong}\n\nfeat: what it was\n"
    history.commit(
        f"docs: x\n\nBEGIN_COMMIT_OVERRIDE {wrong}\nfix: y\nEND_COMMIT_OVERRIDE", {"commit-overrides.md": text}
    )
    assert told(history) == ["docs: x", "feat: what it was"]
    assert f"- what it was ({wrong[:7]})" in changelog_of(history.repository, whole=True)


@pytest.mark.parametrize(
    ("inside", "expected"), [("wip", ["feat: the title", ": wip"]), ("fix: inside", ["fix: inside"])]
)
def test_a_merged_requests_title_counts_where_nothing_else_speaks(
    history: History, inside: str, expected: list[str]
) -> None:
    history.git("checkout", "--quiet", "-b", "side")
    history.commit(inside)
    history.git("checkout", "--quiet", "main")
    history.merge("side", "Merge pull request #3 from a/side\n\nfeat: the title")
    assert told(history) == expected
    shown = changelog_of(history.repository, whole=True)
    assert ("- the title" in shown) == (inside == "wip")


def test_a_cherry_picked_change_that_is_merged_back_counts_once(history: History) -> None:
    """By its words, by what it was picked from, and by its patch where the words differ."""
    history.git("checkout", "--quiet", "-b", "side")
    first = history.commit("fix: a (#3)", {"a.txt": "1\n"})
    history.commit("fix: b (#4)", {"b.txt": "1\n"})
    history.git("checkout", "--quiet", "main")
    history.commit("fix: a (#3) (#5)", {"a.txt": "1\n"})
    history.commit("fix: b, in other words (#4)", {"b.txt": "1\n"})
    history.commit(f"fix: other words\n\n(cherry picked from commit {first})", {"c.txt": "1\n"})
    history.commit("fix: something else (#4)", {"d.txt": "1\n"})
    history.merge("side", "Merge branch 'side'")
    (plan,) = make_plan(history.repository).packages
    assert sorted(change.description for change in plan.changes) == ["a (#3)", "b (#4)", "something else (#4)"]
    assert "3 changes that came in twice counted once." in plan.reasons


def test_two_fixes_with_one_subject_are_two_and_a_picked_one_is_one(history: History) -> None:
    history.commit("fix: handle the crash", {"a.txt": "1\n"})
    history.git("switch", "--quiet", "--create", "side")
    picked = history.commit("fix: the other", {"b.txt": "1\n"})
    history.git("switch", "--quiet", "main")
    history.commit("fix: handle the crash", {"c.txt": "1\n"})
    history.git("cherry-pick", picked)
    history.merge("side", "Merge branch 'side'")
    assert sorted(told(history)) == ["fix: handle the crash", "fix: handle the crash", "fix: the other"]


def test_a_squashed_request_has_changes_of_the_projects_own_types(history: History) -> None:
    history.commit("Many (#3)\n\n* deps: raise a\n* note: see below")
    bumps = BumpRules((("deps", "", Bump.MINOR),), types=("deps",))
    assert make_plan(history.repository, bumps=bumps).packages[0].next == "1.1.0"
    style = Style(sections={"deps": "Raised"})
    assert "### Raised\n\n- raise a (" in changelog_of(history.repository, show=Show(style), bumps=bumps, whole=True)


def test_the_revert_of_a_merge_takes_back_all_that_came_with_it_and_nothing_else(history: History) -> None:
    """Git's own message names the parent that stays as well; what was merged before and after stays."""
    history.git("switch", "--quiet", "--create", "side")
    history.commit("feat!: one", {"a": "1"})
    history.commit("fix: two", {"b": "1"})
    history.git("switch", "--quiet", "main")
    history.commit("fix: stays", {"c": "1"})
    merge = history.merge("side", "Merge branch 'side'")
    history.commit("docs: later", {"d": "1"})
    history.git("revert", "--mainline=1", "--no-edit", merge)
    (plan,) = make_plan(history.repository).packages
    assert (plan.next, [change.description for change in plan.changes]) == ("1.0.1", ["later", "stays"])
    assert "“fix: two” (" in plan.reasons[2]
    assert plan.reasons[2].endswith("none of it counts.")
    written = changelog_of(history.repository, whole=True)
    assert [line.partition(" (")[0] for line in written.splitlines() if line[:2] == "- "] == ["- stays", "- first"]
    history.git("revert", "--no-edit", "HEAD")
    assert sorted(told(history)) == ["docs: later", "feat: one", "fix: stays", "fix: two"]


def test_the_revert_of_a_released_merge_is_a_change(history: History) -> None:
    history.git("switch", "--quiet", "--create", "side")
    history.commit("feat: one", {"a": "1"})
    history.git("switch", "--quiet", "main")
    merge = history.merge("side", "Merge branch 'side'")
    history.tag("v1.1.0")
    history.git("revert", "--mainline=1", "--no-edit", merge)
    assert make_plan(history.repository).packages[0].next == "1.1.1"


def test_a_projects_own_rules_move_the_version(history: History) -> None:
    history.commit("docs(api): a")
    rules = BumpRules((("docs", "web", Bump.MAJOR), ("docs", "", Bump.PATCH), ("feat", "", Bump.NONE)))
    (plan,) = make_plan(history.repository, bumps=rules).packages
    assert plan.next == "1.0.1"
    assert any("1 change that moves the patch version" in reason for reason in plan.reasons)
    history.commit("feat: b")
    assert make_plan(history.repository, bumps=rules).packages[0].next == "1.0.1"
    history.commit("docs!: c")
    assert make_plan(history.repository, bumps=rules).packages[0].next == "2.0.0"


@pytest.mark.parametrize(("step", "expected"), [("major", "1.0.0"), ("minor", "0.2.0"), ("patch", "0.1.1")])
def test_the_steps_before_1_can_be_chosen(tmp_path: Path, step: str, expected: str) -> None:
    history = History(tmp_path / "young")
    history.commit("feat: a")
    history.tag("v0.1.0")
    history.commit("feat!: b")
    assert make_plan(history.repository, bumps=BumpRules(breaking_before_1=Bump(step))).packages[0].next == expected


def test_one_release_of_the_past_and_its_newcomers(history: History) -> None:
    history.git("config", "user.name", "Bea")
    history.commit("feat: second (#3)")
    history.tag("v1.1.0")
    style = Style(contributors=True, links=links_of("git@github.com:a/b.git"))
    text = changelog_of(history.repository, show=Show(style, version="1.1.0"))
    assert text.startswith("## [1.1.0](https://github.com/a/b/compare/v1.0.0...v1.1.0) - 2023-11-16\n")
    assert "- second ([#3](https://github.com/a/b/pull/3)) ([" in text
    assert text.endswith("### Contributors\n\n- Bea, for the first time\n")
    with pytest.raises(UsageError, match="not released"):
        changelog_of(history.repository, show=Show(version="9.9.9"))


def test_whoever_helped_is_named_also_where_a_request_was_squashed(history: History) -> None:
    """GitHub writes each author of a squashed request into the body of the one commit."""
    history.commit("docs: b\n\nCo-Authored-By: Cem Öz <c@example.org>")
    history.tag("v1.1.0")
    history.commit("feat: c (#3)\n\nCo-authored-by: Cem Öz <c@example.org>\nCo-authored-by: Dan <d@example.org>")
    history.commit("Tidy (#4)\n\n* feat: d\n* fix: e\n\nCo-authored-by: Eve <e@example.org>")
    author = history.git("log", "-1", "--format=%an").strip()
    people = [f"- {author}", "- Cem Öz", "- Dan, for the first time", "- Eve, for the first time"]
    style = Style(contributors=True)
    for whole in (False, True):
        text = changelog_of(history.repository, whole=whole, show=Show(style)).split("## [")[1]
        lines = text.partition("### Contributors\n\n")[2].splitlines()
        assert sorted(line for line in lines if line.startswith("- ")) == sorted(people)
    (plan,) = make_plan(history.repository).packages
    assert [change.co_authors for change in plan.changes] == [("Eve",), ("Eve",), ("Cem Öz", "Dan")]
    told = changelog_of(history.repository, show=Show(announcement=True))
    assert all(name in told.partition("Thanks to ")[2] for name in ("Cem Öz", "Dan", "Eve"))


def test_the_whole_history_leads_to_the_same_numbers_as_the_next_release(history: History) -> None:
    """It reads most commits by their header alone."""
    for message in (
        "feat: a (#3)\n\nSome words.\n\nCloses #9\nRefs: o/r#4",
        "fix: b\n\nSee merge request group/app!14",
        "feat!: c (#7)",
        "Tidy (#20)\n\n* feat: d\n* fix: e\n\nSee merge request group/app!15",
    ):
        history.commit(message)
    style = Style(links=links_of("git@github.com:a/b.git"), upgrade_notes={"7": "Do this."})
    following = changelog_of(history.repository, show=Show(style))
    assert following.partition("\n## ")[0] in changelog_of(history.repository, whole=True, show=Show(style))
    assert "Do this." in following
    assert following.count("/pull/15)") == following.count("/issues/20)") == 2


def test_a_stray_tag_does_not_change_the_form_of_the_next(history: History) -> None:
    """Neither where the highest of very many tags would be enough to know the version."""
    for name in ("v1.1.0", "v1.2.0", "2.0.0"):
        history.commit("fix: x")
        history.tag(name)
    history.commit("fix: y")
    (plan,) = make_plan(history.repository).packages
    assert (plan.current, plan.tag) == ("2.0.0", "v2.0.1")
    assert plan.reasons[0].startswith("The tag 2.0.0 has another form than most of the 5 latest: the next tag")


def test_tags_on_other_branches_and_no_versions_do_not_count(history: History) -> None:
    history.git("checkout", "--quiet", "-b", "side")
    history.commit("feat!: elsewhere")
    for number in range(20):
        history.tag(f"v2.{number}.0")
    history.git("checkout", "--quiet", "main")
    for name in ("v1", "latest", "1.2", "nightly-2024", "v1.0.0-rc.1"):
        history.tag(name)
    history.commit("fix: here")
    history.tag("v1.1.0-rc.1")
    assert make_plan(history.repository).packages[0].next == "1.1.0"
    names = history.repository.tag_names()
    found = {
        tag.name for tag in tags_that_matter(history.repository, names, history.git("rev-parse", "HEAD"), "stable").here
    }
    assert {"v1.0.0", "v1.1.0-rc.1"} <= found
    assert not any(name.startswith("v2") for name in found)


def test_the_base_is_found_behind_commits_of_a_slow_clock(tmp_path: Path) -> None:
    """For more commits in a row than git's own `--merged` bears with: a wrong base would be a wrong version."""
    history = History(tmp_path / "slow")
    seconds = [*range(1_000_000, 1_000_010), *range(10, 22)]
    ids = import_commits(history, line("c", seconds), tags=())
    for name, commit in (("v1.0.0", "c2"), ("v1.1.0", "c9")):
        history.git("tag", name, ids[commit])
    history.commit("fix: here")
    assert history.git("tag", "--merged") == ""
    (plan,) = make_plan(history.repository).packages
    assert (plan.current, plan.next) == ("1.1.0", "1.1.1")
    history.git("tag", "other@1.0.0", ids["c1"])
    (plan,) = make_plan(history.repository).packages
    assert plan.next == "1.1.1"


def test_a_tag_that_was_moved_or_is_gone_changes_the_plan_and_nothing_else(history: History) -> None:
    history.commit("feat: a")
    history.git("tag", "--force", "v1.0.0", "HEAD")
    assert told(history) == []
    history.git("tag", "--delete", "v1.0.0")
    (plan,) = make_plan(history.repository).packages
    assert (plan.current, plan.next) == (None, "0.1.0")


def test_a_rewritten_history_is_planned_as_it_is_now(history: History) -> None:
    history.commit("feat: a")
    history.tag("v1.1.0")
    history.git("reset", "--quiet", "--hard", "HEAD~1")
    history.commit("fix: b")
    assert make_plan(history.repository).packages[0].next == "1.0.1"


def test_a_release_that_a_rewritten_history_has_lost_is_said(history: History) -> None:
    """Nothing to release, a lower version, and a history without any release: each plan names the tag."""
    first = history.git("rev-parse", "HEAD")
    history.commit("feat: a")
    history.tag("v1.1.0")
    history.commit("feat!: b")
    history.tag("v2.0.0")
    told = "The tag v2.0.0 is higher, on a commit that this history does not contain"
    assert told not in str(make_plan(history.repository))
    history.git("reset", "--quiet", "--hard", first)
    assert make_plan(history.repository).packages[0].reasons[-1].startswith(told)
    history.commit("fix: again")
    (plan,) = make_plan(history.repository).packages
    assert plan.next == "1.0.1"
    assert plan.reasons[-1].startswith(told)
    assert told not in str(make_plan(history.repository, channel=Channel(line="1.x")))
    history.commit("feat!: c")
    assert "The tag v2.0.0 is there already" in str(make_plan(history.repository))
    history.git("checkout", "--quiet", "--orphan", "fresh")
    history.commit("feat: from nothing")
    (plan,) = make_plan(history.repository).packages
    assert plan.next == "0.1.0"
    assert plan.reasons[-1].startswith(told)


def test_of_several_packages_each_has_its_own_lost_releases(history: History) -> None:
    history.commit("feat: two", {"packages/a/x": "1", "packages/b/x": "1"})
    packages = [Package(name, f"packages/{name}", tag_format="{package}@{version}") for name in ("a", "b")]
    history.git("switch", "--quiet", "--create", "side")
    history.commit("feat: side")
    history.tag("a@3.0.0")
    history.git("switch", "--quiet", "main")
    one, two = make_plan(history.repository, packages).packages
    assert "a@3.0.0 is higher" in one.reasons[-1]
    assert "a@3.0.0" not in str(two)


def test_latin_1_and_carriage_returns_are_read(history: History) -> None:
    history.commit("fix: Größe\r\n\r\n* feat: één\r\n".encode("latin-1"))
    assert [each.partition(":")[0] for each in told(history)] == ["fix", "feat"]


NUMBERS = st.tuples(st.integers(0, 30), st.integers(0, 3), st.integers(0, 3))


@given(st.sets(st.tuples(NUMBERS, st.sampled_from(["", "-rc.1", "b1"])), max_size=40))
def test_batches_come_from_the_highest_down_and_lose_nothing(versions: set[tuple[tuple[int, int, int], str]]) -> None:
    names = [f"v{'.'.join(map(str, numbers))}{rest}" for numbers, rest in versions]
    assert has_only_bare_versions(names)
    ordered = [name for batch in batches([*names, "latest"]) for name in batch]
    assert sorted(ordered) == sorted(names)
    keys = [
        (numbers, not rest)
        for name in ordered
        for numbers, rest in versions
        if name == f"v{'.'.join(map(str, numbers))}{rest}"
    ]
    assert keys == sorted(keys, reverse=True)


@pytest.mark.parametrize("name", ["a@1.0.0", "a-v1.0.0", "a/v1.0.0", "1!2.0", "demo-1.2.3"])
def test_names_that_do_not_say_all_have_no_short_list(name: str) -> None:
    assert not has_only_bare_versions(["v1.0.0", name])
