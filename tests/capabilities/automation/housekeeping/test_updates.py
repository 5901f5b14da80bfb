"""Which updates are merged without a person, and which never."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.automation import Housekeeping, Updater, UpdateRules, keep_all
from shipline.capabilities.automation.housekeeping.updates import HOUR_US, concerns_update, step_of, update_acts
from shipline.ports.forge import CommitStatus, Known, PullRequest, PullState, StatusState
from shipline.ports.forge.reviews import ChangedFile, FileChange, Readiness
from shipline.testing.fakes.forge.model import Said
from shipline.testing.fakes.forge.tracker import START_US
from tests.providers.forge.places import KINDS, TOKEN, running

RULES = UpdateRules(("robot",), "minor", 72, ("**/*.lock",), ("security",), "squash")
NOW = 1000 * HOUR_US
PULL = PullRequest(
    7,
    "Bump x from 1.2.3 to 1.3.0 in /web",
    "",
    "bump",
    "main",
    PullState.OPEN,
    "",
    author="robot",
    head_commit="a" * 40,
    updated_us=NOW - 72 * HOUR_US,
)
FILES = (ChangedFile("web/uv.lock", FileChange.MODIFIED),)
GREEN = (CommitStatus("ci", StatusState.SUCCESS),)
READY = Readiness("a" * 40, Known.YES)


@pytest.mark.parametrize(
    ("title", "step"),
    [
        ("Bump x from 1.2.3 to 1.2.4", "patch"),
        ("build(deps): bump x from v1.2.3 to v1.3.0 in /a", "minor"),
        ("bump x from 1.2.3 to 2.0.0", "major"),
        ("bump x from 0.2.3 to 0.3.0", "major"),
        ("bump x from 1.2.4 to 1.2.3", None),
        ("bump x from 1.2.3 to 1.2.4-rc.1", None),
        ("bump y from 1.0.0 to 2.0.0 and x from 1.2.3 to 1.2.4", None),
        ("bump the web group with 3 updates", None),
        ("update dependency x to v1.2.4", None),
    ],
)
def test_how_far_a_title_says_that_it_goes(title: str, step: str | None) -> None:
    assert step_of(title) == step


@pytest.mark.parametrize(
    "other",
    [
        replace(PULL, author="mallory"),
        replace(PULL, fork=True),
        replace(PULL, draft=True),
        replace(PULL, labels=("Security",)),
        replace(PULL, updated_us=NOW - 71 * HOUR_US),
        replace(PULL, title="bump x from 1.2.3 to 2.0.0"),
        replace(PULL, title="fix: it"),
    ],
)
def test_what_is_left_to_people(other: PullRequest) -> None:
    assert concerns_update(RULES, PULL, NOW)
    assert not concerns_update(RULES, other, NOW)


@pytest.mark.parametrize(
    ("files", "checks", "ready"),
    [
        ((), GREEN, READY),
        ((*FILES, ChangedFile("src/a.py", FileChange.MODIFIED)), GREEN, READY),
        (FILES, (), READY),
        (FILES, (*GREEN, CommitStatus("lint", StatusState.PENDING)), READY),
        (FILES, GREEN, Readiness("b" * 40, Known.YES)),
        (FILES, GREEN, Readiness("a" * 40, Known.UNKNOWN)),
    ],
)
def test_what_is_not_known_to_be_good_is_not_merged(
    files: tuple[ChangedFile, ...], checks: tuple[CommitStatus, ...], ready: Readiness
) -> None:
    assert [act.sentence for act in update_acts(RULES, PULL, FILES, GREEN, READY)] == [
        "pull request 7: merge it at aaaaaaaaa, a minor update"
    ]
    assert not list(update_acts(RULES, PULL, files, checks, ready))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_it_is_merged_once_its_check_has_passed(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    rules = replace(RULES, files=("*",))
    later = START_US + 1000 * HOUR_US
    keeping = Housekeeping({"updates": Updater(rules, lambda: later)}, {})
    with running(kind, tmp_path) as place:
        place.model.create_ref("refs/heads/bump", place.commits[1])
        pull = place.model.open_pull("bump", "main", "bump x from 1.2.3 to 1.2.4", "")
        assert list(keep_all(place.forge, keeping)) == []
        place.model.say(Said(0, place.commits[1], "ci", StatusState.SUCCESS, "", ""))
        told = list(keep_all(place.forge, keeping, dry_run=True))
        assert pull.state is PullState.OPEN
        assert list(keep_all(place.forge, keeping)) == told
        assert (pull.state, len(told)) == (PullState.MERGED, 1)
        assert list(keep_all(place.forge, keeping)) == []
