"""The branch says the channel, tags say what was released on it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from shipline.capabilities.plans import (
    Channel,
    ChannelRule,
    channel_of,
    checked_line,
    make_final_plan,
    make_plan,
)
from shipline.domain.errors import InvalidValue, RefusedError, ShiplineError, UsageError
from shipline.domain.package import Package
from shipline.domain.release_plan import PackagePlan
from shipline.testing.histories import History
from tests.capabilities.plans.texts import changelog_of

PYTHON = Package("app", ecosystem="python", scheme="pep440")


@pytest.fixture
def history(tmp_path: Path) -> History:
    made = History(tmp_path / "app")
    made.commit("feat: begin")
    made.tag("v1.0.0")
    return made


def planned(history: History, channel: Channel | str = "stable", package: Package | None = None) -> PackagePlan:
    packages = None if package is None else (package,)
    (plan,) = make_plan(history.repository, packages, channel=channel, day=date(2026, 11, 26)).packages
    return plan


RULES = (
    ChannelRule("main"),
    ChannelRule("next", "next"),
    ChannelRule("beta/*", "beta"),
    ChannelRule("old", line="0.9.x"),
    ChannelRule("urgent/*", line="patch"),
    ChannelRule("2.x", "rc"),
)


@pytest.mark.parametrize(
    ("branch", "rules", "asked", "expected"),
    [
        ("main", (), None, Channel()),
        ("feature/x", (), None, Channel()),
        (None, (), None, Channel()),
        ("1.x", (), None, Channel(line="1.x")),
        ("v1.x", (), None, Channel(line="1.x")),
        ("release/1.4.x", (), None, Channel(line="1.4.x")),
        ("a/b/12.x", (), None, Channel(line="12.x")),
        ("1.4.2.x", (), None, Channel()),
        ("01.x", (), None, Channel()),
        ("release/1.4", (), None, Channel()),
        ("hotfix/1.4.3", (), None, Channel(line="patch")),
        ("hotfixes", (), None, Channel()),
        ("main", RULES, None, Channel()),
        ("next", RULES, None, Channel("next")),
        ("beta/deep/down", RULES, None, Channel("beta")),
        ("old", RULES, None, Channel(line="0.9.x")),
        ("urgent/now", RULES, None, Channel(line="patch")),
        ("2.x", RULES, None, Channel("rc", "2.x")),
        ("feature/x", RULES, None, Channel()),
        # What is asked for goes before the branch's word; the line stays.
        ("next", RULES, "rc", Channel("rc")),
        ("1.x", RULES, "stable", Channel("stable", "1.x")),
        ("1.x", (), "rc", Channel("rc", "1.x")),
        ("main", (), "1.4.x", Channel(line="1.4.x")),
        (None, RULES, "rc", Channel("rc")),
        ("1.x", (), "snapshot", Channel("snapshot")),
    ],
)
def test_the_branch_says_the_channel_unless_one_is_asked_for(
    branch: str | None, rules: tuple[ChannelRule, ...], asked: str | None, expected: Channel
) -> None:
    assert channel_of(branch, rules, asked) == expected


def test_a_detached_head_has_no_channel_where_branches_say_it() -> None:
    with pytest.raises(UsageError) as caught:
        channel_of(None, RULES, None)
    assert "--channel" in caught.value.todo


@pytest.mark.parametrize("asked", ["", "--rc", "a b", "1.2.3", "rc.1"])
def test_what_can_be_no_channel_is_refused(asked: str) -> None:
    with pytest.raises(InvalidValue):
        channel_of("main", (), asked)


def test_lines_are_checked() -> None:
    assert [checked_line(line) for line in ("", "patch", "1.x", "1.4.x")] == ["", "patch", "1.x", "1.4.x"]
    with pytest.raises(InvalidValue):
        checked_line("1.4.2")


def test_any_word_counts_its_own_tags(history: History) -> None:
    history.commit("fix: a")
    for number in (1, 2, 3):
        assert planned(history, "dev").next == f"1.0.1-dev.{number}"
        history.tag(f"v1.0.1-dev.{number}")
        history.commit(f"fix: more {number}")
    assert planned(history, "nightly").next == "1.0.1-nightly.1"
    assert planned(history, "dev", PYTHON).next == "1.0.1.dev4"
    assert planned(history).next == "1.0.1"


def test_a_number_that_another_branch_has_is_skipped(history: History) -> None:
    """And a tag that is no version, or was moved by hand to nowhere of ours, disturbs nobody."""
    history.commit("feat: a")
    history.git("checkout", "--quiet", "-b", "side")
    history.commit("feat: b")
    history.tag("v1.1.0-rc.1")
    history.commit("feat: c")
    history.tag("v1.1.0-rc.2")
    history.tag("vanilla")
    history.git("checkout", "--quiet", "main")
    assert planned(history, "rc").next == "1.1.0-rc.3"


def test_a_final_version_that_another_branch_has_is_said(history: History) -> None:
    history.git("checkout", "--quiet", "-b", "side")
    history.commit("fix: b")
    history.tag("v1.0.1")
    history.git("checkout", "--quiet", "main")
    history.commit("fix: a")
    plan = planned(history)
    assert plan.next == "1.0.1"
    assert "git merge v1.0.1" in plan.reasons[-1]
    history.merge("side", "Merge branch 'side'")
    assert planned(history).next == "1.0.2"


@pytest.mark.parametrize(
    ("message", "line", "expected"),
    [
        ("fix: a", "1.x", "1.0.1"),
        ("feat: a", "1.x", "1.1.0"),
        ("fix: a", "1.0.x", "1.0.1"),
        ("fix: a", "patch", "1.0.1"),
        ("feat!: a", "1.x", None),
        ("feat: a", "1.0.x", None),
        ("feat: a", "patch", None),
        ("fix: a", "2.x", None),
    ],
)
def test_a_line_is_kept_or_the_change_refused_with_the_way_out(
    history: History, message: str, line: str, expected: str | None
) -> None:
    history.commit(message)
    if expected is not None:
        plan = planned(history, Channel(line=line))
        assert (plan.next, plan.channel) == (expected, "1.0.x" if line == "patch" else line)
        return
    with pytest.raises(RefusedError) as caught:
        planned(history, Channel(line=line))
    assert "leave the line" in caught.value.what
    assert "“" in caught.value.why
    assert "[[channel]]" in caught.value.todo


def test_a_line_is_planned_by_its_own_tags_while_main_goes_on(history: History) -> None:
    """A backport to 1.x is 1.0.1, though 2.0.0 is out, and a pre-release of the line stays in it too."""
    history.git("branch", "1.x")
    fix = history.commit("fix: both", {"a": "1"})
    history.commit("feat!: new world")
    history.tag("v2.0.0")
    history.git("checkout", "--quiet", "1.x")
    history.git("cherry-pick", "-x", fix)
    plan = planned(history, channel_of("1.x", (), None))
    assert (plan.current, plan.next, plan.channel) == ("1.0.0", "1.0.1", "1.x")
    assert planned(history, Channel("rc", "1.x")).next == "1.0.1-rc.1"


def test_a_snapshot_needs_no_change_and_is_below_all(history: History) -> None:
    commit = history.commit("docs: nothing to release")
    plan = planned(history, "snapshot")
    assert plan.next == f"0.0.0-20231116221320-{commit[:7]}"
    assert plan.releasable
    python = planned(history, "snapshot", PYTHON)
    assert python.next == f"0.0.0.dev20231116221320+{commit[:7]}"
    history.tag(f"v{plan.next}")
    assert not planned(history, "snapshot").releasable
    # It begins nothing and ends nothing.
    history.commit("fix: a")
    assert [planned(history, channel).next for channel in ("stable", "dev", "rc")] == [
        "1.0.1",
        "1.0.1-dev.1",
        "1.0.1-rc.1",
    ]
    assert "0.0.0" not in changelog_of(history.repository, whole=True)


def test_a_calendar_version_is_planned_by_the_day(history: History) -> None:
    package = Package("app", scheme="calver:YYYY.0M.MICRO")
    assert planned(history, package=package).next == "2026.11.0"
    history.tag("v2026.11.0")
    history.commit("fix: a")
    plan = planned(history, package=package)
    assert (plan.current, plan.next, plan.bump.value) == ("2026.11.0", "2026.11.1", "patch")
    assert planned(history, "rc", package).next == "2026.11.1-rc.1"
    history.tag("v2026.11.1-rc.1")
    history.commit("feat: b")
    assert planned(history, "rc", package).next == "2026.11.1-rc.2"


def candidates(history: History) -> None:
    """A feature, a candidate, a fix, another candidate, and what came later."""
    history.commit("feat: a")
    history.tag("v1.1.0-rc.1")
    history.commit("fix: b")
    history.tag("v1.1.0-rc.2")
    history.commit("feat!: later")


def test_a_final_version_is_planned_from_its_candidate(history: History) -> None:
    candidates(history)
    promotion = make_final_plan(history.repository, None, candidate="v1.1.0-rc.2")
    (final,) = promotion.plan.packages
    assert (final.current, final.next, final.tag, final.channel) == ("1.0.0", "1.1.0", "v1.1.0", "stable")
    assert [change.description for change in final.changes] == ["b", "a"]
    assert promotion.plan.commit == history.git("rev-parse", "v1.1.0-rc.2^{commit}")
    assert (promotion.package.name, promotion.candidate) == ("app", "1.1.0-rc.2")
    earlier = make_final_plan(history.repository, None, candidate="v1.1.0-rc.1").plan
    assert [change.description for change in earlier.packages[0].changes] == ["a"]


def test_what_was_made_from_a_candidate_counts_on_the_branch_that_never_contains_it(history: History) -> None:
    candidates(history)
    history.git("checkout", "--quiet", "--detach", "v1.1.0-rc.2")
    history.commit("chore(release): app 1.1.0")
    history.tag("v1.1.0")
    history.git("checkout", "--quiet", "main")
    plan = planned(history)
    assert (plan.current, plan.next) == ("1.1.0", "2.0.0")
    assert [change.description for change in plan.changes] == ["later"]
    assert "1.1.0" in changelog_of(history.repository, whole=True)
    again = make_final_plan(history.repository, None, candidate="v1.1.0-rc.2").plan
    assert not again.packages[0].releasable
    assert "already" in again.packages[0].reasons[0]


def test_a_tag_beside_the_branch_that_comes_from_no_candidate_does_not_count(history: History) -> None:
    candidates(history)
    history.git("checkout", "--quiet", "--detach", "v1.1.0-rc.2")
    history.commit("fix: something else")
    history.commit("fix: more")
    history.tag("v1.1.0")
    history.git("checkout", "--quiet", "main")
    assert planned(history).current == "1.0.0"


@pytest.mark.parametrize("tag", ["v1.0.0", "v9.9.9-rc.1", "nonsense", "--all", "v1.0.0-rc.1^{}"])
def test_only_a_candidate_can_be_made_final(history: History, tag: str) -> None:
    history.tag("nonsense")
    with pytest.raises(ShiplineError) as caught:
        make_final_plan(history.repository, None, candidate=tag)
    assert caught.value.exit_code == 2
