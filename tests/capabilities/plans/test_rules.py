"""From changes and tags to the next version, as pure values."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.plans.conventional import read_change
from shipline.capabilities.plans.reverts import names_others, with_own_numbers
from shipline.capabilities.plans.rules import Lineage, bump_of, highest_bump, lookalikes, plan_package, tidied
from shipline.capabilities.plans.tags import released
from shipline.domain.change import Bump, Change
from shipline.domain.package import Package
from shipline.domain.release_plan import PackagePlan
from shipline.ports.repository import Commit, Tag


def commit_id(number: int) -> str:
    return f"{number:040x}"


def changes(*messages: str) -> list[Change]:
    """Changes newest first; the id of each is its place, counted from the oldest, which is 1."""
    count = len(messages)
    return [
        read_change(Commit(commit_id(count - place), (), "Ann", "a@example.com", 0, message))
        for place, message in enumerate(messages)
    ]


def lineage(*tags: str, stated: str | None = None, scheme: str = "semver") -> Lineage:
    package = Package("app", scheme=scheme)
    found = released(package, [Tag(tag, "f" * 40, 0) for tag in tags], alone=True)
    return Lineage(package, found, stated, "pyproject.toml" if stated else "")


def plan(known: Lineage, *messages: str, channel: str = "stable") -> PackagePlan:
    return plan_package(known, changes(*messages), channel=channel)


@pytest.mark.parametrize(
    ("tags", "messages", "expected"),
    [
        (["v1.2.3"], ["fix: a"], ("1.2.4", "patch")),
        (["v1.2.3"], ["perf: a", "docs: b"], ("1.2.4", "patch")),
        (["v1.2.3"], ["fix: a", "feat: b"], ("1.3.0", "minor")),
        (["v1.2.3"], ["fix: a", "chore!: b"], ("2.0.0", "major")),
        (["v1.2.3"], ["docs: a", "no convention"], ("1.2.3", "none")),
        (["v1.2.3"], [], ("1.2.3", "none")),
        (["v1.2.3"], ['Revert "feat: old"\n\nThis reverts commit 9999999.'], ("1.2.4", "patch")),
        # Before 1.0.0.
        (["v0.2.3"], ["feat!: a"], ("0.3.0", "minor")),
        (["v0.2.3"], ["feat: a"], ("0.3.0", "minor")),
        (["v0.2.3"], ["fix: a"], ("0.2.4", "patch")),
        # The highest version counts, whatever the order of the tags.
        (["v1.9.0", "v1.10.0", "v1.2.0"], ["fix: a"], ("1.10.1", "patch")),
        # A pre-release is no last release, but what it announced is kept.
        (["v1.2.3", "v2.0.0-rc.1"], ["feat!: a"], ("2.0.0", "major")),
        (["v1.2.3", "v2.0.0-rc.1"], ["fix: a"], ("2.0.0", "major")),
        (["v1.2.3", "v1.2.3-rc.1"], ["fix: a"], ("1.2.4", "patch")),
        (["v1.2.3", "v2.0.0-rc.1"], [], ("1.2.3", "none")),
    ],
)
def test_the_next_version_follows_the_changes(tags: list[str], messages: list[str], expected: tuple[str, str]) -> None:
    result = plan(lineage(*tags), *messages)
    assert (result.next, result.bump.value) == expected
    assert result.tag == f"v{expected[0]}"


@pytest.mark.parametrize(
    ("stated", "messages", "expected"),
    [
        (None, ["feat: a"], ("0.1.0", "minor")),
        (None, ["chore: a"], (None, "none")),
        ("0.3.1", ["chore: a"], ("0.3.1", "minor")),
        ("0.0.1", ["chore: a"], ("0.0.1", "patch")),
        ("1.0.0", ["fix: a"], ("1.0.0", "major")),
        ("1.0.0-alpha.1", ["fix: a"], ("1.0.0", "major")),
        ("0.0.0", ["fix: a"], ("0.1.0", "minor")),
        ("0.0.0", ["chore: a"], (None, "none")),
        ("nonsense", ["fix: a"], ("0.1.0", "minor")),
    ],
)
def test_the_first_release_is_what_the_file_states(
    stated: str | None, messages: list[str], expected: tuple[str | None, str]
) -> None:
    result = plan(lineage(stated=stated), *messages)
    assert (result.current, result.next, result.bump.value) == (None, *expected)
    assert (result.tag is None) == (expected[0] is None)


def test_a_first_version_is_taken_as_it_is_written() -> None:
    assert plan(lineage(stated="1.0", scheme="pep440"), "feat: a").next == "1.0"


@pytest.mark.parametrize(
    ("scheme", "stated", "channel", "following", "said"),
    [
        ("semver", "2.0.0-beta.3", "beta", "2.0.0-beta.3", "which is the first."),
        ("semver", "2.0.0-beta.3", "stable", "2.0.0", "so the first final version is 2.0.0."),
        ("semver", "2.0.0-beta.3", "rc", "2.0.0-rc.1", "so the first on rc is of 2.0.0."),
        ("semver", "2.0.0", "rc", "2.0.0-rc.1", "so the first on rc is of 2.0.0."),
        ("pep440", "2.0b3", "beta", "2.0b3", "which is the first."),
        ("pep440", "2.0b3", "stable", "2.0.0", "so the first final version is 2.0.0."),
    ],
)
def test_a_stated_pre_release_is_the_first_on_its_channel(
    scheme: str, stated: str, channel: str, following: str, said: str
) -> None:
    result = plan(lineage(stated=stated, scheme=scheme), "feat: a", channel=channel)
    assert result.next == following
    assert result.reasons[0].endswith(said)
    if channel == "beta":
        used = plan(replace(lineage(stated=stated, scheme=scheme), skipped=1), "feat: a", channel=channel)
        assert used.next == {"semver": "2.0.0-beta.4", "pep440": "2.0.0b4"}[scheme]


@pytest.mark.parametrize(
    ("scheme", "tags", "channel", "expected"),
    [
        ("semver", ["v1.2.3"], "rc", "1.3.0-rc.1"),
        ("semver", ["v1.2.3", "v1.3.0-rc.1", "v1.3.0-rc.9", "v1.3.0-beta.20"], "rc", "1.3.0-rc.10"),
        ("semver", ["v1.2.3", "v2.0.0-beta.1"], "rc", "2.0.0-rc.1"),
        ("semver", [], "next", "0.1.0-next.1"),
        ("semver", ["v1.2.3", "v1.2.0-next.0"], "next", "1.3.0-next.0"),
        ("semver", ["v1.2.3", "v1.2.0-next"], "next", "1.3.0-next.1"),
        ("pep440", ["v1.2.3", "v1.3.0rc1"], "rc", "1.3.0rc2"),
        ("pep440", ["v1.2"], "beta", "1.3.0b1"),
        ("pep440", ["v1!1.2.0"], "dev", "1!1.3.0.dev1"),
        ("pep440", ["v1!1.2.0.post1"], "stable", "1!1.3.0"),
    ],
)
def test_channels_count_their_own_pre_releases(scheme: str, tags: list[str], channel: str, expected: str) -> None:
    assert plan(lineage(*tags, scheme=scheme), "feat: a", channel=channel).next == expected


@pytest.mark.parametrize(
    ("scheme", "tags", "channel", "below"),
    [
        ("semver", ["v0.9.0", "v1.0.0-rc.1"], "beta", "1.0.0-rc.1"),
        ("pep440", ["v0.9.0", "v1.0.0rc1"], "beta", "1.0.0rc1"),
        ("semver", ["v0.9.0", "v1.0.0-beta.1"], "rc", ""),
        ("semver", ["v0.9.0", "v1.0.0-rc.1"], "stable", ""),
    ],
)
def test_a_version_below_one_that_is_released_is_said_to_go_backwards(
    scheme: str, tags: list[str], channel: str, below: str
) -> None:
    reasons = plan(lineage(*tags, scheme=scheme), "fix: a", channel=channel).reasons
    said = [reason for reason in reasons if "goes backwards" in reason]
    assert bool(said) == bool(below)
    assert all(f"it is below {below} (tag v{below})" in reason for reason in said)


def test_a_pre_release_channel_shows_what_came_since_its_last_one() -> None:
    """The aim comes from all changes since the final release, what is new from those since the pre-release."""
    known = lineage("v1.2.3", "v2.0.0-rc.1")
    every = changes("fix: new", "feat!: old")
    result = plan_package(known, every, channel="rc", fresh={every[0].commit})
    assert (result.current, result.next) == ("2.0.0-rc.1", "2.0.0-rc.2")
    assert [change.description for change in result.changes] == ["new"]
    idle = plan_package(known, every[1:], channel="rc", fresh=frozenset())
    assert (idle.current, idle.next, idle.tag, idle.releasable) == ("2.0.0-rc.1", "2.0.0-rc.1", "v2.0.0-rc.1", False)


def test_taking_back_what_a_pre_release_had_needs_another_one() -> None:
    every = changes(f'Revert "feat: a"\n\nThis reverts commit {commit_id(1)}.', "feat: a")
    result = plan_package(lineage("v1.2.3", "v1.3.0-rc.1"), every, channel="rc", fresh={commit_id(2)})
    assert result.next == "1.3.0-rc.2"


def test_a_revert_and_what_it_takes_back_cancel_each_other() -> None:
    result = plan(
        lineage("v1.0.0"), "fix: kept", f'Revert "feat!: gone"\n\nThis reverts commit {commit_id(1)}.', "feat!: gone"
    )
    assert (result.next, [change.description for change in result.changes]) == ("1.0.1", ["kept"])
    assert "“feat!: gone” (0000000) was taken back by 0000000; neither counts." in result.reasons


def test_a_revert_of_a_revert_brings_the_change_back() -> None:
    messages = (f"This reverts commit {commit_id(2)}.", f"This reverts commit {commit_id(1)}.")
    kept = tidied(changes(f"revert: again\n\n{messages[0]}", f"revert: a\n\n{messages[1]}", "feat: a")).changes
    assert [change.type for change in kept] == ["feat"]


@pytest.mark.parametrize(
    "body", [f"This reverts commit {commit_id(1)[:39]}.", "Reverts org/repo#7", f"Refs: {commit_id(1)}"]
)
def test_reverts_name_their_commit_in_several_ways(body: str) -> None:
    assert tidied(changes(f"revert: feat: a\n\n{body}", "feat: a (#7)")).changes == ()


@pytest.mark.parametrize(
    ("title", "address", "left"),
    [
        ("feat: a", None, 0),
        ("feat: a (#7)", "https://forge.example/other/repo.git", 0),
        ("in other words", None, 2),
        ("in other words", "git@forge.example:org/other.git", 2),
        ("in other words", "git@forge.example:Org/Repo.git", 0),
        ("in other words", "https://forge.example/org/repo", 0),
    ],
)
def test_a_request_of_another_project_is_not_taken_back(title: str, address: str | None, left: int) -> None:
    revert, change = changes(f"revert: {title}\n\nReverts org/repo#7", "feat: a (#7)")
    assert names_others(revert)
    named = replace(revert, reverts=with_own_numbers(revert.reverts, address))
    assert len(tidied([named, change]).changes) == left


def test_a_revert_that_takes_back_only_partly_what_is_here_stays() -> None:
    body = f"This reverts commits {commit_id(1)} and {'9' * 40}."
    assert len(tidied(changes(f"revert: a\n\n{body}", "feat: a")).changes) == 2


def test_a_revert_takes_back_only_what_is_older() -> None:
    assert len(tidied(changes("feat: a", f"revert: a\n\nThis reverts commit {commit_id(2)}.")).changes) == 2


def test_what_came_in_twice_counts_once_as_the_older_one() -> None:
    result = tidied(changes("fix(a): b", "wip", "fix(a): b", "fix(a)!: b", "wip"))
    assert [change.commit for change in result.changes] == [commit_id(number) for number in (4, 3, 2, 1)]
    assert result.reasons == ("1 change that came in twice counted once.",)


def test_equal_words_are_two_changes_where_the_patches_differ() -> None:
    """A pull request in common says more than a patch, which changes when it is rebased."""
    every = changes("fix: crash", "fix: crash", "fix: crash (#3)", "fix: crash (#3)", "fix: crash (#4)")
    patched = [
        replace(change, patch=patch) for change, patch in zip(every, ["p1", "p2", "p3", "p4", "p1"], strict=True)
    ]
    assert [change.patch for change in tidied(patched).changes] == ["p2", "p4", "p1"]
    assert len(tidied(every).changes) == 2
    assert set(lookalikes(every)) == {change.commit for change in every}


def test_only_what_may_be_one_change_is_compared() -> None:
    assert lookalikes(changes("fix: a", "fix: b", "docs: c", "docs: c", "fix: d (#1)", "fix: d (#1)", "x", "x")) == ()


def test_reasons_are_sentences() -> None:
    result = plan(lineage("v0.1.0"), "feat(api)!: drop x", "wip", "fix: b", "feat: c")
    assert result.reasons == (
        "The last final release is 0.1.0 (tag v0.1.0).",
        "1 breaking change: “feat(api)!: drop x” (0000000).",
        "While the major version is 0, a breaking change moves the minor version.",
        "1 commit without a conventional message moved nothing.",
    )
    assert plan(lineage("v1.0.0"), "docs: a").reasons[-1] == (
        "Of 1 change since, none is a feature, a fix or a breaking change."
    )


@given(
    st.lists(st.sampled_from(["feat: a", "fix: b", "docs: c", "feat!: d", "e", "perf(x): f"])),
    st.sampled_from(["semver", "pep440"]),
    st.tuples(*[st.integers(0, 3)] * 3),
)
def test_a_version_never_goes_down_and_moves_only_for_a_reason(
    messages: list[str], scheme: str, release: tuple[int, int, int]
) -> None:
    known = lineage("v" + ".".join(map(str, release)), scheme=scheme)
    result = plan(known, *messages)
    moved = tuple(int(part) for part in (result.next or "").split("."))
    assert (moved > release) == result.releasable == (highest_bump(changes(*messages)) is not Bump.NONE)
    assert moved >= release
    assert all(bump_of(change).rank <= highest_bump(result.changes).rank for change in result.changes)
