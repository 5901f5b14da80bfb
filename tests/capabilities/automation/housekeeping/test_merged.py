"""What follows from a merge: issues that it closes elsewhere, and backports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.automation import Backporter, Closer, Housekeeping, keep_all
from shipline.capabilities.automation.housekeeping.merged import LOOKED_BACK_US, targets_of
from shipline.ports.forge import PullRequest, PullState
from shipline.ports.forge.answers import ItemState, Thread
from shipline.ports.forge.reviews import MergeMethod
from shipline.testing.fakes.forge.tracker import START_US
from tests.providers.forge.places import KINDS, TOKEN, Place, running

PULL = PullRequest(7, "fix: it", "", "topic", "main", PullState.MERGED, "")


@pytest.mark.parametrize(
    ("labels", "targets"),
    [
        (("backport 1.x", "Backport 2.x", "bug"), ("1.x", "2.x")),
        (("backport main",), ()),
        (("backport ../x", "backport -x", "backport ", "backport a b"), ()),
        (tuple(f"backport {number:02}.x" for number in range(30)), tuple(f"{number:02}.x" for number in range(10))),
    ],
)
def test_labels_name_branches(labels: tuple[str, ...], targets: tuple[str, ...]) -> None:
    assert targets_of("backport ", replace(PULL, labels=labels)) == targets


@pytest.fixture(params=sorted(KINDS))
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    with running(request.param, tmp_path) as made:
        yield made


def test_a_merge_elsewhere_closes_its_issues_once(place: Place) -> None:
    """Into the default branch the forge does so itself; who opens one again is not overruled; what is old is left."""
    model, forge = place.model, place.forge
    issue, other = model.open_issue(), model.open_issue()
    for head, base, closed in (("topic", "1.x", issue), ("more", "main", other)):
        model.create_ref(f"refs/heads/{head}", place.commits[1])
        if base != "main":
            model.create_ref(f"refs/heads/{base}", place.commits[0])
        pull = model.open_pull(head, base, "fix: it", f"Fixes #{closed}")
        model.merge_on_request(pull.number, place.commits[1], MergeMethod.MERGE)
    late = Housekeeping({}, {"closing": Closer(lambda: START_US + 2 * LOOKED_BACK_US)})
    assert list(keep_all(forge, late)) == []
    keeping = Housekeeping({}, {"closing": Closer(lambda: START_US)})
    told = list(keep_all(forge, keeping, dry_run=True))
    assert list(keep_all(forge, keeping)) == told
    assert [model.items[number].state for number in (issue, other)] == [ItemState.CLOSED, ItemState.OPEN]
    (note,) = model.notes_of(Thread.issue(issue))
    assert "which was merged into `1.x`." in note.body
    model.change_item(issue, title=None, body=None, state=ItemState.OPEN)
    assert list(keep_all(forge, keeping)) == []


def test_a_label_has_it_brought_to_a_branch_once(place: Place) -> None:
    model, forge = place.model, place.forge
    model.create_ref("refs/heads/topic", place.commits[1])
    pull = model.open_pull("topic", "main", "fix: it", "")
    model.create_badge("backport 1.x", "ededed", "")
    model.put_labels(Thread.pull(pull.number), ["backport 1.x"])
    brought: list[tuple[int, str]] = []

    def bring(which: PullRequest, target: str) -> str:
        brought.append((which.number, target))
        return "Pull request 9 brings it."

    keeping = Housekeeping({}, {"backports": Backporter("backport ", bring, lambda: START_US)})
    assert list(keep_all(forge, keeping)) == []
    model.merge_on_request(pull.number, place.commits[1], MergeMethod.SQUASH)
    told = list(keep_all(forge, keeping, dry_run=True))
    assert brought == []
    assert list(keep_all(forge, keeping)) == told == [f"pull request {pull.number}: bring it to 1.x"]
    assert list(keep_all(forge, keeping)) == []
    assert brought == [(pull.number, "1.x")]
    (note,) = model.notes_of(Thread.pull(pull.number))
    assert "Pull request 9 brings it." in note.body
