"""A server's copy of a repository, a person's, and a forge on loopback: what comes is released without anybody."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.bootstrap.automations import duties_of, look_at
from shipline.capabilities.automation import (
    DeliveryStatus,
    NewDelivery,
    handle_deliveries,
    keep_deliveries,
    latest_deliveries,
    reconcile,
)
from shipline.capabilities.releases import all_releases
from shipline.domain.release import ReleaseStatus
from shipline.store.log import read_latest
from shipline.testing.fakes.forge.model import ForgeModel, GitRefs
from shipline.testing.fakes.forge.server import ForgeServer
from shipline.testing.histories import History
from tests.capabilities.automation.payloads import github_push
from tests.command import run_shipline
from tests.machine import wait_until
from tests.providers.forge.places import KINDS, TOKEN

# What a job that runs these tests may have itself.
OF_JOBS = ("GITHUB_ACTIONS", "GITEA_ACTIONS", "FORGEJO_ACTIONS", "GITLAB_CI", "GITHUB_EVENT_PATH", "TRIGGER_PAYLOAD")

SETTINGS = """
schema = 1

[release]
branch = "main"
remote = "origin"
mode = "{mode}"

[automation]
release_on_push = true

[forge]
provider = "github"
repository = "acme/quotes"
api_url = "{api_url}"
token_env = "RELEASE_TOKEN"
"""


@dataclass
class Place:
    """`person` commits and pushes, `server` is the application in a copy of its own."""

    person: History
    forge: ForgeServer
    server: Application

    def push(self, message: str, files: dict[str, str]) -> str:
        commit = self.person.commit(message, files)
        self.person.git("push", "--quiet", "origin", "main")
        return commit

    def hook(self, commit: str) -> None:
        """The forge tells of a push."""
        payload = json.dumps(github_push(after=commit)).encode()
        new = NewDelivery("github", commit, "push", payload)
        keep_deliveries(self.server.store, [new], self.server.clock.now_us())

    def work(self, *, until: str) -> None:
        """The engine's rounds, until the log's newest event of the automation says so."""
        engine = self.server.engine

        def has_ended() -> bool:
            handle_deliveries(self.server.store, engine, lambda: duties_of(self.server))
            engine.sweep()
            return until in self.said()

        wait_until(has_ended, until)

    def said(self) -> str:
        """What the automation says that it has done last."""
        told = [each.event for each in read_latest(self.server.store, 100, "automation:release:main")]
        return str(told[-1].body["words"]) if told else ""


def made(folder: Path, mode: str) -> tuple[History, ForgeServer, Path]:
    person, bare, copy = History(folder / "person"), folder / "forge.git", folder / "quotes"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
    model = ForgeModel(GitRefs(bare))
    forge = ForgeServer(model, KINDS["github"][1](model), token=TOKEN)
    settings = SETTINGS.format(mode=mode, api_url=forge.api_url)
    person.commit("feat: say something", {"VERSION": "0.0.0\n", "shipline.toml": settings})
    person.git("remote", "add", "origin", str(bare))
    person.git("push", "--quiet", "--set-upstream", "origin", "main")
    person.git("clone", "--quiet", str(bare), str(copy))
    for name in ("user.name", "user.email"):
        subprocess.run(["git", "-C", str(copy), "config", name, "robot@example.com"], check=True)
    return person, forge, copy


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("RELEASE_TOKEN", TOKEN)
    person, forge, copy = made(tmp_path, request.param)
    server = Application(copy)
    with forge:
        yield Place(person, forge, server)
    server.store.close()


@pytest.mark.parametrize("place", ["pull-request"], indirect=True)
def test_a_push_keeps_the_pull_request_and_a_merge_that_no_hook_told_is_released(place: Place) -> None:
    """The whole way on a server: opened by a hook, merged by a person, found by looking, released, and quiet then."""
    model = place.forge.model
    place.hook(place.push("feat: say more", {"MORE": "more"}))
    place.work(until="pull request 1 opened")
    (pull,) = model.pulls.values()
    place.person.git("fetch", "--quiet", "origin", pull.head)
    merged = place.person.merge("FETCH_HEAD", "Merge it")
    place.person.git("push", "--quiet", "origin", "main")
    model.merge(pull.number, merged)
    looked = look_at(place.server, "origin", "main")
    with place.server.store.begin() as tx:
        assert reconcile(tx, place.server.engine, looked) == 1
    place.work(until="released quotes 0.1.0")
    with place.server.store.begin() as tx:
        (release,) = all_releases(tx)
        assert [each.hook for each in latest_deliveries(tx, limit=10)] == ["reconciliation", "github"]
    assert (release.status, release.commit) == (ReleaseStatus.PUBLISHED, merged)
    assert model.refs.get("refs/tags/v0.1.0") == merged
    assert [(page.tag, page.draft) for page in model.pages.values()] == [("v0.1.0", False)]


@pytest.mark.parametrize("place", ["direct"], indirect=True)
def test_a_push_is_released_and_what_people_left_in_the_copy_is_not_touched(place: Place) -> None:
    """With `mode = "direct"` on the server; what stands in the way is told, and the next event goes on."""
    copy = place.server.root
    (copy / "VERSION").write_text("by hand")
    place.hook(place.push("feat: say more", {"VERSION": "0.0.0\n\n"}))
    place.work(until="the work tree cannot be brought")
    assert (copy / "VERSION").read_text() == "by hand"
    (copy / "VERSION").write_text("0.0.0\n")
    place.hook(place.push("fix: say it well", {"MORE": "well"}))
    place.work(until="released quotes 0.1.0")
    tag = place.forge.model.refs.get("refs/tags/v0.1.0")
    assert place.forge.model.refs.get("refs/heads/main") == tag
    assert (copy / "MORE").read_text() == "well"


@pytest.mark.parametrize("place", ["direct"], indirect=True)
def test_nothing_is_done_by_itself_unless_the_protected_branch_asks_for_it(place: Place) -> None:
    """What lies in the work tree, or is on another branch, gives no duties."""
    assert duties_of(place.server).release_branches == ("main",)
    text = (place.server.root / "shipline.toml").read_text()
    place.push("ci: by hand again", {"shipline.toml": text.replace("release_on_push = true", "")})
    place.server.repository.catch_up("origin", "main")
    (place.server.root / "shipline.toml").write_text(text)
    again = Application(place.server.root)
    assert duties_of(again).release_branches == ()


@pytest.mark.parametrize("place", ["direct"], indirect=True)
def test_a_command_that_runs_the_engine_takes_up_nothing(place: Place) -> None:
    """`shipline deploy` on somebody's machine must not release what comes meanwhile; a server does."""
    place.hook(place.push("feat: say more", {"MORE": "more"}))
    for is_server, status in ((False, DeliveryStatus.WAITING), (True, DeliveryStatus.HANDLED)):
        place.server.is_server = is_server
        for chore in place.server._chores():
            chore()
        with place.server.store.begin() as tx:
            assert [each.status for each in latest_deliveries(tx, limit=1)] == [status]


@pytest.mark.parametrize("place", ["direct"], indirect=True)
def test_a_ci_job_does_the_same_without_a_server(place: Place, tmp_path: Path) -> None:
    """By a file, or by what the job's variables say; a push elsewhere leads to nothing."""
    folder = place.person.folder
    extra: dict[str, str | None] = {"RELEASE_TOKEN": TOKEN} | dict.fromkeys(OF_JOBS)
    event = tmp_path / "event.json"
    event.write_text(json.dumps(github_push("refs/heads/topic")))
    asked = ("automate", "--event", str(event), "--forge", "github", "--name", "push")
    assert run_shipline(folder, *asked, extra=extra).code == 4
    assert run_shipline(folder, "automate", extra=extra).code == 2
    head = place.person.git("rev-parse", "HEAD")
    job = extra | {"GITLAB_CI": "true", "CI_COMMIT_BRANCH": "main", "CI_COMMIT_SHA": head}
    said = run_shipline(folder, "automate", "--dry-run", extra=job)
    assert (said.code, place.forge.model.refs.get("refs/tags/v0.1.0")) == (0, None), said
    event.write_text(json.dumps(github_push(after=head)))
    job = extra | {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(event), "GITHUB_EVENT_NAME": "push"}
    said = run_shipline(folder, "automate", extra=job)
    assert said.code == 0, said
    assert place.forge.model.refs.get("refs/tags/v0.1.0") is not None
    assert run_shipline(folder, "automate", extra=job).code == 4
