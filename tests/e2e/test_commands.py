"""Commands in comments on each forge, over HTTP and real git: what the forge shows before, on the way and after."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shipline.apps.cli.checks.check import Check, State
from shipline.apps.cli.checks.forge import speakers
from shipline.bootstrap import Application
from shipline.bootstrap.automations import duties_of
from shipline.capabilities.automation import NewDelivery, handle_deliveries, keep_deliveries
from shipline.capabilities.releases import all_releases
from shipline.domain.release import ReleaseStatus
from shipline.ports.forge.answers import Thread
from shipline.testing.fakes.forge.model import ForgeModel, GitRefs
from shipline.testing.fakes.forge.server import ForgeServer
from shipline.testing.histories import History
from tests.command import run_shipline
from tests.machine import wait_until
from tests.providers.forge.places import KINDS, TOKEN

SETTINGS = """
schema = 1

[release]
branch = "main"
remote = "origin"

[automation.commands]
release = "{role}"
promote = "write"

[forge]
provider = "{kind}"
repository = "acme/quotes"
api_url = "{api_url}"
token_env = "RELEASE_TOKEN"
"""
ROLES = {"github": "maintain", "gitlab": "maintain", "gitea": "admin"}
# A job that runs these tests has variables of its own.
OF_JOBS = ("GITHUB_ACTIONS", "GITEA_ACTIONS", "FORGEJO_ACTIONS", "GITLAB_CI", "GITHUB_EVENT_PATH", "TRIGGER_PAYLOAD")


@dataclass
class Place:
    """A forge of a kind, a person's repository, and a copy that a server or a job has."""

    kind: str
    person: History
    forge: ForgeServer
    copy: Path
    issue: int

    @property
    def model(self) -> ForgeModel:
        """What the forge knows."""
        return self.forge.model

    def say(self, text: str, author: str, now_us: int) -> tuple[str, bytes]:
        """A comment of this moment: its key, and what its hook says."""
        key = self.model.speak(Thread.issue(self.issue), author, text)
        self.model.note(int(key)).created_us = now_us
        if self.kind == "gitlab":
            about = {"id": int(key), "note": text, "noteable_type": "Issue", "action": "create"}
            told = {"object_kind": "note", "object_attributes": about, "issue": {"iid": self.issue}}
            return key, json.dumps(told | {"user": {"username": author}}).encode()
        said = {"id": int(key), "body": text, "user": {"login": author}}
        return key, json.dumps({"action": "created", "issue": {"number": self.issue}, "comment": said}).encode()

    def answers(self) -> list[str]:
        """What Shipline has written, as the forge has it."""
        return [note.body for note in self.model.notes.values() if note.author == "robot"]

    def tags(self) -> list[str]:
        """All that the forge has."""
        assert isinstance(self.model.refs, GitRefs)
        return [name for name in self.model.refs.all() if name.startswith("refs/tags/")]


@pytest.fixture(params=sorted(KINDS))
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("RELEASE_TOKEN", TOKEN)
    kind, person, bare, copy = request.param, History(tmp_path / "person"), tmp_path / "forge.git", tmp_path / "quotes"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
    model = ForgeModel(GitRefs(bare))
    forge = ForgeServer(model, KINDS[kind][1](model), token=TOKEN)
    settings = SETTINGS.format(kind=kind, role=ROLES[kind], api_url=forge.api_url)
    person.commit("feat: say something", {"VERSION": "0.0.0\n", "shipline.toml": settings})
    person.git("remote", "add", "origin", str(bare))
    person.git("push", "--quiet", "--set-upstream", "origin", "main")
    subprocess.run(["git", "clone", "--quiet", str(bare), str(copy)], check=True)
    for name in ("user.name", "user.email"):
        subprocess.run(["git", "-C", str(copy), "config", name, "robot@example.com"], check=True)
    model.allow("ada", ROLES[kind])
    model.allow("grace", "write")
    with forge:
        yield Place(kind, person, forge, copy, model.open_issue())


def test_a_comment_releases_on_a_server(place: Place) -> None:
    """Refused for another version and another person, then done once, with the forge's view of each."""
    server = Application(place.copy)
    server.is_server = True
    event = "note" if place.kind == "gitlab" else "issue_comment"

    def told(text: str, author: str, *, until: str) -> tuple[str, ...]:
        key, payload = place.say(text, author, server.clock.now_us())
        for attempt in ("first", "again"):  # The same comment comes twice, by two names.
            new = NewDelivery(place.kind, f"{key}-{attempt}", event, payload)
            keep_deliveries(server.store, [new], server.clock.now_us())

        def has_ended() -> bool:
            handle_deliveries(server.store, server.engine, lambda: duties_of(server))
            server.engine.sweep()
            return any(f"-{key} -->" in one and until in one for one in place.answers())

        wait_until(has_ended, until)
        return place.model.signs(key)

    first = place.person.git("rev-parse", "HEAD")
    place.person.commit("feat: say more", {"MORE": "more"})
    place.person.git("push", "--quiet", "origin", "main")
    assert told("/release 7.0.0", "ada", until="7.0.0 is not what would be released: quotes 0.1.0 is")
    assert told("/release", "grace", until=f"takes the role {ROLES[place.kind]} here, and grace has write")
    assert told("/release --dry-run", "ada", until="a dry run: nothing was done")
    assert (place.tags(), place.model.pages) == ([], {})
    told("/release v0.1.0", "ada", until="**released**")
    server.engine.sweep()
    assert place.tags() == ["refs/tags/v0.1.0"]
    assert place.model.refs.get("refs/heads/main") != first
    assert [(page.tag, page.draft) for page in place.model.pages.values()] == [("v0.1.0", False)]
    assert len(place.answers()) == 4
    assert "`/release 0.1.0` by `ada`" in place.answers()[-1]
    yes = {"gitlab": "thumbsup"}.get(place.kind, "+1")
    key = max(note.key for note in place.model.notes.values() if note.author == "ada")
    assert place.model.signs(str(key)) == ("eyes", yes)
    with server.store.begin() as tx:
        (release,) = all_releases(tx)
    assert (release.version, release.status) == ("0.1.0", ReleaseStatus.PUBLISHED)
    server.store.close()


@pytest.mark.parametrize("place", ["gitlab"], indirect=True)
def test_a_comment_releases_in_a_job(place: Place, tmp_path: Path) -> None:
    """Without a server and with a new record each time, the answer on the forge says that it was taken up."""
    key, payload = place.say("/release", "ada", Application(place.copy).clock.now_us())
    (tmp_path / "event.json").write_bytes(payload)
    name = () if place.kind == "gitlab" else ("--name", "issue_comment")
    asked = ("automate", "--event", str(tmp_path / "event.json"), "--forge", place.kind, *name)
    extra: dict[str, str | None] = {"RELEASE_TOKEN": TOKEN} | dict.fromkeys(OF_JOBS)
    done = run_shipline(place.copy, *asked, extra=extra)
    assert done.code == 0, done
    assert place.tags() == ["refs/tags/v0.1.0"]
    (answer,) = place.answers()
    assert "**released**" in answer
    place.person.git("pull", "--quiet", "origin", "main")
    place.person.commit("feat: say more", {"MORE": "more"})
    place.person.git("push", "--quiet", "origin", "main")
    subprocess.run(["git", "-C", str(place.copy), "pull", "--quiet"], check=True)
    subprocess.run(["rm", "-rf", str(place.copy / ".shipline")], check=True)
    again = run_shipline(place.copy, *asked, extra=extra)
    assert again.code == 4, again
    assert "answered already" in again.err
    assert (place.tags(), place.answers()) == (["refs/tags/v0.1.0"], [answer])
    signs = place.model.signs(key)
    assert len(signs) == len(set(signs)) == 2


def test_the_doctor_says_whether_comments_can_be_obeyed(place: Place) -> None:
    def told() -> Check:
        application = Application(place.copy)
        forge = application.forge
        assert forge is not None
        return speakers(forge, application.settings.forge)

    assert told().state is State.OK
    place.model.hide_roles()
    assert "may not ask what accounts may do" in told().words
