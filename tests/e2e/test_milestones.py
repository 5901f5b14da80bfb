"""The milestone flow on each forge, over HTTP and real git: from an empty repository to a published release."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.bootstrap.automations import duties_of
from shipline.bootstrap.milestones import MilestoneReconciler, due_milestones, keep_milestones, milestone_ground
from shipline.capabilities.automation import MilestonesDone, handle_deliveries
from shipline.engine.journal import runs_of
from shipline.ports.forge import StatusState
from shipline.ports.forge.answers import ItemState
from shipline.ports.forge.guards import BranchRule
from shipline.ports.forge.pulls import PullState
from shipline.ports.forge.reviews import MergeMethod
from shipline.ports.forge.rights import Capability
from shipline.store.log import read_latest
from shipline.testing.fakes.forge.model import ForgeModel, GitRefs, Said
from shipline.testing.fakes.forge.server import ForgeServer
from shipline.testing.fakes.forge.tracker import Item, Stone
from shipline.testing.histories import History
from tests.command import Said as Answer
from tests.command import run_shipline
from tests.machine import wait_until
from tests.providers.forge.places import KINDS, TOKEN

SETTINGS = """
schema = 1

[release]
branch = "main"
remote = "origin"
mode = "pull-request"

[automation]
release_on_push = true

[automation.milestones]
enabled = true
development_branch = "develop"
when_issues_are_open = "reopen"

[forge]
provider = "{kind}"
repository = "acme/quotes"
api_url = "{api_url}"
token_env = "RELEASE_TOKEN"
"""


@dataclass
class Place:
    """A person's repository, a forge, and a job's or a server's copy on `main`."""

    person: History
    forge: ForgeServer
    copy: Path

    @property
    def model(self) -> ForgeModel:
        """What the forge knows."""
        return self.forge.model

    def push(self, message: str, files: dict[str, str], state: StatusState | None = StatusState.SUCCESS) -> str:
        """A commit of a person on develop, and what its checks say."""
        commit = self.person.commit(message, files)
        self.person.git("push", "--quiet", "origin", "develop")
        if state is not None:
            self.check(commit, state)
        return commit

    def check(self, commit: str, state: StatusState) -> None:
        """The checks of a commit end."""
        self.model.say(Said(0, commit, "tests", state, "", ""))

    def stone(self, title: str) -> Stone:
        """A person creates a milestone."""
        return self.model.create_stone(title, "", None, unique=True)

    def issue(self, title: str, stone: Stone) -> Item:
        """A person opens an issue in it."""
        return self.model.create_item(title, "", [], stone.key)

    def close(self, thing: Stone | Item) -> None:
        """A person closes it."""
        if isinstance(thing, Stone):
            self.model.change_stone(thing.key, unique=True, state=ItemState.CLOSED)
        else:
            self.model.change_item(thing.number, title=None, body=None, state=ItemState.CLOSED)

    def job(self, *arguments: str) -> Answer:
        """`shipline automate milestones` in a CI job."""
        said = run_shipline(self.copy, "automate", "milestones", *arguments, extra={"RELEASE_TOKEN": TOKEN})
        assert said.code == 0, said
        return said

    def look(self) -> tuple[list[str], MilestonesDone]:
        """The same in this process: what a dry run says, and what was done then."""
        application = Application(self.copy)
        ground = milestone_ground(application, application.settings)
        due, _ = due_milestones(ground, application.clock.now_us())
        done, _ = keep_milestones(application, ground)
        application.store.close()
        return [effect.sentence for _, effect in due.effects], done

    def ref(self, name: str) -> str | None:
        """Where the forge has it."""
        return self.model.refs.get(name)

    def tags(self) -> dict[str, str]:
        """All tags on the forge."""
        assert isinstance(self.model.refs, GitRefs)
        return {
            name.removeprefix("refs/tags/"): commit
            for name, commit in self.model.refs.all().items()
            if name.startswith("refs/tags/")
        }

    def file(self, branch: str, path: str) -> str:
        """A file as a branch of the forge has it."""
        assert isinstance(self.model.refs, GitRefs)
        return self.model.refs.git("show", f"{branch}:{path}") or ""

    def tracking(self) -> Item:
        """The one tracking issue."""
        (found,) = (one for one in self.model.items.values() if "release tracking" in one.labels)
        return found

    def comments(self, number: int) -> list[str]:
        """What is written below an issue."""
        return [note.body for note in self.model.notes.values() if note.thread.number == number and not note.system]


@pytest.fixture(params=["github", "gitlab", "gitea"])
def empty(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A repository without a commit, and a clone of it in which the settings are written down."""
    monkeypatch.setenv("RELEASE_TOKEN", TOKEN)
    person, bare, copy = History(tmp_path / "person"), tmp_path / "forge.git", tmp_path / "quotes"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
    model = ForgeModel(GitRefs(bare))
    forge = ForgeServer(model, KINDS[request.param][1](model), token=TOKEN)
    subprocess.run(["git", "clone", "--quiet", str(bare), str(copy)], check=True, stderr=subprocess.DEVNULL)
    for name in ("user.name", "user.email"):
        subprocess.run(["git", "-C", str(copy), "config", name, "robot@example.com"], check=True)
    (copy / "shipline.toml").write_text(SETTINGS.format(kind=request.param, api_url=forge.api_url))
    person.git("remote", "add", "origin", str(bare))
    with forge:
        yield Place(person, forge, copy)


@pytest.fixture
def place(empty: Place) -> Place:
    """The same with a first commit, whose checks were good, on both branches."""
    return begun(empty)


def begun(place: Place) -> Place:
    """A person brings the settings, and both branches; the copy is brought to where main is."""
    settings = place.copy / "shipline.toml"
    first = place.person.commit("chore: begin", {"VERSION": "0.0.0\n", "shipline.toml": settings.read_text()})
    settings.unlink()
    place.person.git("push", "--quiet", "--set-upstream", "origin", "main")
    place.person.git("switch", "--quiet", "--create", "develop")
    place.person.git("push", "--quiet", "--set-upstream", "origin", "develop")
    subprocess.run(["git", "-C", str(place.copy), "pull", "--quiet"], check=True)
    place.check(first, StatusState.SUCCESS)
    return place


def test_a_milestone_leads_to_a_release(empty: Place) -> None:  # noqa: PLR0915 - one cycle, step by step
    """Every step of the cycle by the command of a CI job, with what the forge shows after it; twice changes nothing.

    It begins with nothing at all: a milestone on a forge whose repository has no commit yet.
    """
    stone = empty.stone("v1.2.0")
    early = run_shipline(empty.copy, "automate", "milestones", extra={"RELEASE_TOKEN": TOKEN})
    assert (early.code, "this repository has no commits yet" in early.err, empty.tags()) == (1, True, {})
    place = begun(empty)
    first = place.ref("refs/heads/develop")
    place.stone("Ideas for later")
    issue = place.issue("Say more @everybody", stone)
    count = len(place.model.effects)
    foretold = place.job("--dry-run")
    assert len(place.model.effects) == count
    said = place.job()
    assert said.out == foretold.out
    assert "'Ideas for later' leads to nothing: its title is no version" in said.err
    # Created: a tag, a branch that states it, a tracking issue.
    assert place.tags() == {"v1.2.0-dev.0": first}
    assert place.file("milestone/1.2.0", "VERSION") == "1.2.0-dev.0"
    tracking = place.tracking()
    assert (tracking.title, tracking.state, tracking.milestone) == ("Release 1.2.0", ItemState.OPEN, None)
    assert "- [ ] issues closed: 0 of 1" in tracking.body
    assert "@everybody" not in tracking.body
    assert place.look() == ([], MilestonesDone(()))
    # Merged: one tag for each green commit, none for a red one or for one whose checks have not ended.
    green = place.push("feat: say more", {"MORE": "more"})
    red = place.push("fix: break it", {"MORE": "broken"}, StatusState.FAILURE)
    mended = place.push("fix: mend it", {"MORE": "well"})
    place.look()
    assert place.tags() == {"v1.2.0-dev.0": first, "v1.2.0-dev.1": green, "v1.2.0-dev.2": mended}
    assert red not in place.tags().values()
    assert place.file("milestone/1.2.0", "VERSION") == "1.2.0-dev.2"
    # Closed too early: reopened, with the list.
    place.close(stone)
    place.look()
    assert stone.state is ItemState.OPEN
    (told,) = place.comments(tracking.number)
    assert f"- #{issue.number} Say more" in told
    # Closed: a candidate, a draft, a pull request.
    place.close(issue)
    place.close(stone)
    sentences, done = place.look()
    assert done == MilestonesDone(tuple(sentences))
    assert place.tags()["v1.2.0-rc.1"] == mended
    (draft,) = place.model.pages.values()
    assert (draft.tag, draft.draft) == ("v1.2.0-rc.1", True)
    assert "say more" in draft.notes.lower()
    (pull,) = place.model.pulls.values()
    assert (pull.head, pull.base, pull.state) == ("milestone/1.2.0", "main", PullState.OPEN)
    assert place.file("milestone/1.2.0", "VERSION") == "1.2.0"
    assert "say more" in place.file("milestone/1.2.0", "CHANGELOG.md").lower()
    assert "- [x] release candidate `v1.2.0-rc.1`" in tracking.body
    assert place.look() == ([], MilestonesDone(()))
    # Merged: released, and said so everywhere. The job's copy is brought to where main is, as a new job's is.
    place.model.merge_on_request(pull.number, "", MergeMethod.MERGE)
    subprocess.run(["git", "-C", str(place.copy), "pull", "--quiet", "--tags"], check=True)
    place.job()
    assert place.tags()["v1.2.0"] == pull.merge_commit
    (page,) = place.model.pages.values()
    assert (page.tag, page.draft) == ("v1.2.0", False)
    (linked,) = place.comments(issue.number)
    assert linked.splitlines()[-1].startswith("Released: http")
    assert (tracking.state, issue.state) == (ItemState.CLOSED, ItemState.CLOSED)
    assert "[ ]" not in tracking.body
    assert place.ref("refs/heads/milestone/1.2.0") is None
    assert place.ref("refs/heads/develop") == pull.merge_commit
    assert place.look() == ([], MilestonesDone(()))


@pytest.mark.parametrize("place", ["gitea"], indirect=True)
def test_a_server_does_the_same_and_finds_what_no_hook_told(place: Place) -> None:
    """On Gitea, with no hook at all: a milestone that was made, a push, and a milestone that was renamed."""
    server = Application(place.copy)
    stone = place.stone("1.2.0")
    assert duties_of(server).milestones == "develop"
    # The forge is down: that is said, nothing is lost, and it goes on by itself.
    place.forge.faults.down = True
    MilestoneReconciler(server)()

    def waits() -> bool:
        server.engine.sweep()
        with server.store.begin() as tx:
            (run,) = runs_of(tx, "automation:milestones:develop")
        return (run.state.waiting_for or "").startswith("Tried again later: ")

    wait_until(waits, "that the forge is down is said")
    place.forge.faults.down = False

    def looked(until: str) -> None:
        MilestoneReconciler(server)()

        def has_said() -> bool:
            handle_deliveries(server.store, server.engine, lambda: duties_of(server))
            server.engine.sweep()
            told = [each.event for each in read_latest(server.store, 100, "automation:milestones:develop")]
            return any(until in str(each.body["words"]) for each in told)

        wait_until(has_said, until)

    looked("open the tracking issue 'Release 1.2.0'")
    green = place.push("feat: say more", {"MORE": "more"})
    looked("v1.2.0-dev.1")
    assert place.tags()["v1.2.0-dev.1"] == green
    place.model.change_stone(stone.key, unique=True, title="1.3.0")
    looked("delete the branch milestone/1.2.0")
    assert place.tags().keys() == {"v1.2.0-dev.0", "v1.2.0-dev.1", "v1.3.0-dev.0"}
    assert place.tracking().title == "Release 1.3.0"
    assert place.file("milestone/1.3.0", "VERSION") == "1.3.0-dev.0"
    # Gone: so is what was made for it, but for the tags.
    place.model.delete_stone(stone.key)
    assert place.look()[1].troubles == ()
    assert (place.tracking().state, place.ref("refs/heads/milestone/1.3.0")) == (ItemState.CLOSED, None)
    assert place.look() == ([], MilestonesDone(()))
    server.store.close()


def test_what_stands_in_the_way_is_told_and_the_rest_goes_on(place: Place) -> None:
    """A branch that the bot may not push to holds up its own milestone alone, whichever forge refuses it in whichever
    words; so does a token that lacks a scope."""
    address = place.forge.git_url.replace("http://", f"http://robot:{TOKEN}@")
    subprocess.run(["git", "-C", str(place.copy), "remote", "set-url", "origin", address], check=True)
    place.model.guards.branches["milestone/1.2.*"] = BranchRule("milestone/1.2.*")
    place.stone("1.2.0")
    place.stone("1.3.0")
    done = place.look()[1]
    (trouble,) = done.troubles
    assert all(words in trouble for words in ("create the branch milestone/1.2.0", "origin refused the push"))
    assert "it is protected: let whoever releases push to it" in done.todo
    assert place.tags().keys() == {"v1.2.0-dev.0", "v1.3.0-dev.0"}
    assert place.file("milestone/1.3.0", "VERSION") == "1.3.0-dev.0"
    place.model.guards.branches.clear()
    place.model.lacking.add(Capability.ISSUES)
    place.stone("1.4.0")
    done = place.look()[1]
    assert done.troubles
    assert done.todo
    assert place.file("milestone/1.2.0", "VERSION") == "1.2.0-dev.0"
    place.model.lacking.clear()
    assert place.look()[1].troubles == ()
    assert place.file("milestone/1.4.0", "VERSION") == "1.4.0-dev.0"
