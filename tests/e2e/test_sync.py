"""Two forges over HTTP are kept alike by the command line: each kind of forge with each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shipline.ports.forge.answers import ItemState, Thread
from shipline.ports.forge.pulls import PullState
from shipline.testing.fakes.forge.model import ForgeModel, Page
from shipline.testing.histories import History
from tests.command import run_shipline
from tests.providers.forge.places import TOKEN, Place, running

SETTINGS = """
schema = 1

[forge]
provider = "{here}"
repository = "acme/quotes"
api_url = "{here_url}"
token_env = "FORGE_TOKEN"

[sync.forge]
provider = "{there}"
repository = "acme/quotes"
api_url = "{there_url}"
token_env = "FORGE_TOKEN"

[sync.mirror]
direction = "both"
"""

KINDS = ("label", "milestone", "ref", "ref", "release", "issue", "pull request")


def sync(project: Path, *arguments: str) -> tuple[int, Any]:
    done = run_shipline(project, "sync", *arguments, "--json")
    return done.code, json.loads(done.out) if done.out.strip() else done.err


@pytest.mark.parametrize(("here", "there"), [("github", "gitlab"), ("gitlab", "gitea"), ("gitea", "github")])
def test_what_people_do_on_either_forge_is_on_the_other(
    here: str, there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    project = History(tmp_path / "project")
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with running(here, tmp_path / "one") as first, running(there, tmp_path / "two") as second:
        settings = SETTINGS.format(
            here=here, there=there, here_url=first.server.api_url, there_url=second.server.api_url
        )
        project.commit("feat: one", {"shipline.toml": settings})
        number = first.model.create_item("It is slow", "Very.\n/close", [], author="ada").number
        first.model.create_badge("bug", "ff0000", "")
        first.model.put_labels(Thread.issue(number), ["bug"])
        second.model.create_stone("1.0.0", "soon", None, unique=True)
        first.model.create_ref("refs/heads/topic", first.commits[1])
        second.model.create_ref("refs/tags/v0.9.0", first.commits[0])
        released = Page(0, "v0.9.0", "quotes 0.9.0", "- one", draft=False, prerelease=False)
        second.model.create_page(released, one_a_tag=True)
        second.model.add_file(released, "a.whl", b"https://127.0.0.1/a.whl", unique=True)
        first.model.open_pull("topic", "main", "feat: topic", "")
        code, plan = sync(project.folder, "run", "--dry-run")
        assert (code, [each["kind"] for each in plan["effects"]]) == (0, list(KINDS))
        assert sync(project.folder, "run")[0] == 0
        (copy,) = second.model.items.values()
        assert (copy.title, copy.labels) == ("It is slow", ["bug"])
        assert "\\/close" in copy.body
        (merge_request,) = second.model.pulls.values()
        assert (merge_request.head, merge_request.title, merge_request.author) == ("topic", "feat: topic", "robot")
        (page,) = first.model.pages.values()
        assert (page.tag, page.title, page.notes[:5]) == ("v0.9.0", "quotes 0.9.0", "- one")
        assert "- [a.whl](<http" in page.notes
        refs = [place.model.refs.all() for place in (first, second)]  # type: ignore[attr-defined] # they are in git
        assert refs[0] == refs[1]
        assert refs[0].keys() == {"refs/heads/main", "refs/heads/topic", "refs/tags/v0.9.0"}
        second.model.change_item(copy.number, state=ItemState.CLOSED)
        second.model.add_note(Thread.issue(copy.number), "Mended.", author="grace")
        second.model.merge(merge_request.number, second.commits[1])
        assert sync(project.folder, "run")[0] == 0
        assert first.model.items[number].state is ItemState.CLOSED
        assert said(first.model, Thread.issue(number)) == ["Mended."]
        it_has_ended(first.model, there, second.commits[1])
        before = effects(first.model), effects(second.model)
        assert sync(project.folder, "repair")[0] == 4
        assert (effects(first.model), effects(second.model)) == before
        code, shown = sync(project.folder, "status")
        assert (code, shown["held_up"], shown["links"]) == (
            0,
            False,
            {"label": 1, "milestone": 1, "issue": 1, "comment": 1, "ref": 3, "release": 1, "pull request": 1},
        )
        a_label_goes_round(project.folder, (first, second))
        second.forbid()
        first.model.create_item("It is slow, again", "", [], author="ada")
        assert sync(project.folder, "run")[0] == 3
        code, shown = sync(project.folder, "status")
        assert (code, shown["held_up"]) == (0, True)
        assert "does not allow this" in shown["words"]


def effects(model: ForgeModel) -> int:
    return len(model.effects)


def a_label_goes_round(project: Path, places: tuple[Place, Place]) -> None:
    assert sync(project, "test")[0] == 0
    took = sync(project, "status")[1]["test"]
    assert 0 < took["there_us"] < 60_000_000
    assert 0 < took["back_us"] < 60_000_000
    assert [[badge.name for badge in place.model.badges.values()] for place in places] == [["bug"]] * 2


def said(model: ForgeModel, thread: Thread) -> list[str]:
    return [note.body.split("\n")[-1] for note in model.notes_of(thread) if not note.system]


def it_has_ended(model: ForgeModel, there: str, commit: str) -> None:
    """What was merged there has come by the mirror; here the pull request is closed, and says why."""
    (pull,) = model.pulls.values()
    assert (pull.state, pull.merge_commit, model.refs.get("refs/heads/main")) == (PullState.CLOSED, None, commit)
    (words,) = said(model, Thread.pull(pull.number))
    assert words.startswith(f"*Merged on {there} acme/quotes")
