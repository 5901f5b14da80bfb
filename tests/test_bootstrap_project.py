"""A project without a file is what one with an empty file is: the tables that are left out change nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.domain.errors import ConfigurationError
from shipline.testing.histories import History


@pytest.fixture
def history(tmp_path: Path) -> History:
    made = History(tmp_path / "quotes")
    made.commit("feat: begin", {"upgrade-notes/12.md": "Rename it."})
    made.git("remote", "add", "origin", "https://github.com/example/quotes.git")
    return made


@pytest.mark.parametrize("name", ["packages", "monorepo", "bumps", "changelog_style", "changelog_template"])
def test_without_a_file_the_defaults_of_the_tables_hold(history: History, name: str) -> None:
    without = getattr(Application(history.folder), name)
    (history.folder / "shipline.toml").write_text("schema = 1\n")
    assert getattr(Application(history.folder), name) == without


def test_a_detached_head_is_put_on_the_branch_that_ci_checked_out(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that has moved on at the remote stays detached: a push to it would be refused."""
    monkeypatch.setenv("CI_COMMIT_BRANCH", "main")
    assert Application(history.folder).attach() is None
    history.git("checkout", "--quiet", "--detach")
    assert (Application(history.folder).branch, Application(history.folder).attach()) == (None, None)
    history.git("update-ref", "refs/remotes/origin/main", "HEAD")
    application = Application(history.folder)
    assert application.branch == "main"
    assert application.repository.branch() is None
    assert application.attach() == application.repository.branch() == "main"


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('path = "gone"', "no folder 'gone'"),
        ('version_files = ["gone.txt"]', "no version file 'gone.txt'"),
        ('path = "upgrade-notes"\nversion_files = ["13.md"]', "no version file '13.md'"),
    ],
)
def test_a_place_that_is_not_there_is_refused_before_anything_is_planned(
    history: History, table: str, told: str
) -> None:
    """Else a plan would promise what a release could not begin."""
    (history.folder / "shipline.toml").write_text(f'[[package]]\nname = "a"\n{table}\n')
    with pytest.raises(ConfigurationError, match=told):
        _ = Application(history.folder).packages


MESSAGES = ("feat: good", "Feature: bad.", "Merge branch 'a'", "fix: " + "x" * 120)


def problems_of(application: Application) -> list[list[tuple[str, str]]]:
    """By rule and words, for each of MESSAGES."""
    return [[(each.rule, each.message) for each in application.linter.problems(message)] for message in MESSAGES]


def test_without_a_file_channels_and_lint_are_the_same_too(history: History) -> None:
    history.git("checkout", "--quiet", "-b", "1.x")
    without = Application(history.folder)
    channel, problems = without.channel(None), problems_of(without)
    (history.folder / "shipline.toml").write_text("schema = 1\n")
    with_file = Application(history.folder)
    assert with_file.channel(None) == channel
    assert problems_of(with_file) == problems
    assert channel.line == "1.x"
    assert [bool(each) for each in problems] == [False, True, False, True]
