"""Releases and the doctor as a user types them, with a forge on loopback that has the real remote repository."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shipline.testing.fakes.forge.model import ForgeModel, GitRefs
from shipline.testing.fakes.forge.server import ForgeServer
from shipline.testing.histories import History
from tests.command import run_shipline
from tests.providers.forge.places import KINDS, TOKEN

SETTINGS = """
schema = 1

[release]
branch = "main"
remote = "origin"

[forge]
provider = "{kind}"
repository = "acme/quotes"
api_url = "{api_url}"
token_env = "RELEASE_TOKEN"
"""


# For what does not differ: the suite of the port asks each kind the rest.
ON_ONE = pytest.mark.parametrize("project", ["github"], indirect=True)


@dataclass
class Project:
    """A clone, and the forge that it came from."""

    history: History
    server: ForgeServer


@pytest.fixture(params=sorted(KINDS))
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Project]:
    """A project of one feature on a forge of each kind."""
    history = History(tmp_path / "work")
    bare = tmp_path / "forge.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
    model = ForgeModel(GitRefs(bare))
    with ForgeServer(model, KINDS[request.param][1](model), token=TOKEN) as server:
        settings = SETTINGS.format(kind=request.param, api_url=server.api_url)
        history.commit("feat: say something", {"VERSION": "0.0.0\n", "shipline.toml": settings})
        history.git("remote", "add", "origin", str(bare))
        history.git("push", "--quiet", "--set-upstream", "origin", "main")
        yield Project(history, server)


@ON_ONE
def test_a_release_is_on_the_forge_and_a_second_one_does_nothing(project: Project) -> None:
    extra: dict[str, str | None] = {"RELEASE_TOKEN": TOKEN}
    said = run_shipline(project.history.folder, "release", extra=extra)
    assert said.code == 0, said
    (page,) = project.server.model.pages.values()
    assert (page.tag, page.title, page.draft) == ("v0.1.0", "work 0.1.0", False)
    assert "say something" in page.notes
    assert TOKEN not in said.out + said.err
    before = len(project.server.changes())
    assert run_shipline(project.history.folder, "release", extra=extra).code == 4
    assert len(project.server.changes()) == before


def test_a_release_by_pull_request_from_the_first_push_to_the_page(project: Project) -> None:
    """Opened, updated, merged, released; each by the one command that CI runs after a push."""
    history, model, extra = project.history, project.server.model, {"RELEASE_TOKEN": TOKEN}
    settings = (history.folder / "shipline.toml").read_text()
    settings = settings.replace('remote = "origin"', 'remote = "origin"\nmode = "pull-request"')
    history.commit("ci: release by pull request", {"shipline.toml": settings})
    history.git("push", "--quiet", "origin", "main")
    said = run_shipline(history.folder, "release", "--json", extra=extra)
    assert said.code == 0, said
    document = json.loads(said.out)
    assert (document["releases"], document["pull_request"]["change"]) == ([], "opened")
    assert run_shipline(history.folder, "release", "--pr", extra=extra).code == 4
    history.git("fetch", "--quiet", "origin", "shipline/release-main")
    merged = history.merge("FETCH_HEAD", "Merge it")
    history.git("push", "--quiet", "origin", "main")
    model.merge(document["pull_request"]["number"], merged)
    said = run_shipline(history.folder, "release", "--json", extra=extra)
    assert said.code == 0, said
    (release,) = json.loads(said.out)["releases"]
    assert (release["version"], release["commit"]) == ("0.1.0", merged)
    assert [(page.tag, page.draft) for page in model.pages.values()] == [("v0.1.0", False)]
    assert model.refs.get("refs/tags/v0.1.0") == merged
    assert run_shipline(history.folder, "release", extra=extra).code == 4
    assert history.git("status", "--porcelain") == ""


def test_a_version_is_yanked_from_a_fresh_clone(project: Project, tmp_path: Path) -> None:
    """As on a runner in CI: no store, only what git and the forge know."""
    history, model, extra = project.history, project.server.model, {"RELEASE_TOKEN": TOKEN}
    settings = (history.folder / "shipline.toml").read_text()
    settings = settings.replace('remote = "origin"', 'remote = "origin"\nmoving_tags = ["latest"]')
    for message, files in (("chore: tags", {"shipline.toml": settings}), ("feat: say more", {"MORE": "more"})):
        history.commit(message, files)
        assert run_shipline(history.folder, "release", extra=extra).code == 0
    good, bad = history.git("rev-parse", "v0.1.0^{commit}"), history.git("rev-parse", "v0.2.0^{commit}")
    assert model.refs.get("refs/tags/latest") == bad
    clone = tmp_path / "clone"
    history.git("clone", "--quiet", history.git("remote", "get-url", "origin"), str(clone))
    for name in ("user.name", "user.email"):
        subprocess.run(["git", "-C", str(clone), "config", name, "robot@example.com"], check=True)
    said = run_shipline(clone, "yank", "0.2.0", "--reason", "it loses quotes", "--revert", extra=extra)
    assert said.code == 0, said
    assert model.refs.get("refs/tags/latest") == good
    (page,) = (page for page in model.pages.values() if page.tag == "v0.2.0")
    assert page.title.startswith("[yanked] ")
    assert "it loses quotes" in page.notes
    is_marked = "gitlab" not in settings
    assert page.prerelease == is_marked
    assert ("no mark for pre-releases" in said.out) != is_marked
    (pull,) = model.pulls.values()
    assert (pull.head, pull.base) == ("shipline/revert-v0.2.0", "main")
    history.git("fetch", "--quiet", "origin", pull.head)
    assert "MORE" not in history.git("ls-tree", "--name-only", "FETCH_HEAD").splitlines()
    assert model.refs.get("refs/heads/main") == bad
    assert run_shipline(clone, "yank", "0.2.0", "--reason", "again", extra=extra).code == 4


@ON_ONE
def test_a_released_hotfix_is_proposed_to_the_development_branch(project: Project) -> None:
    """Which nobody has to have checked out; and once."""
    history, model, extra = project.history, project.server.model, {"RELEASE_TOKEN": TOKEN}
    settings = (history.folder / "shipline.toml").read_text().replace('branch = "main"\n', "")
    history.commit("feat: say more", {"shipline.toml": settings, "MORE": "more\n"})
    assert run_shipline(history.folder, "release", extra=extra).code == 0
    history.git("switch", "--quiet", "--create", "hotfix/quick")
    history.commit("fix: say it loud", {"MORE": "MORE\n"})
    assert run_shipline(history.folder, "release", extra=extra).code == 0
    status = history.git("status", "--porcelain", "--branch")
    command = ("backport", "0.1.1", "--to", "main", "--push")
    said = run_shipline(history.folder, *command, extra=extra)
    assert said.code == 0, said
    (pull,) = model.pulls.values()
    assert (pull.title, pull.head, pull.base) == ("fix: say it loud", "shipline/backport-v0.1.1-to-main", "main")
    assert said.out.strip().endswith(f"/{pull.number}")
    assert "left out, as a release made it for itself" in said.err
    assert run_shipline(history.folder, *command, extra=extra).code == 4
    assert history.git("status", "--porcelain", "--branch") == status
    assert TOKEN not in said.out + said.err


@ON_ONE
def test_without_a_token_it_stops_and_goes_on_with_one(project: Project) -> None:
    said = run_shipline(project.history.folder, "release", extra={"RELEASE_TOKEN": None})
    assert said.code == 1, said
    assert "RELEASE_TOKEN is not set" in said.err
    assert project.server.model.pages == {}
    said = run_shipline(project.history.folder, "release", extra={"RELEASE_TOKEN": TOKEN})
    assert said.code == 0, said
    assert [page.draft for page in project.server.model.pages.values()] == [False]


@ON_ONE
def test_the_doctor_says_what_the_token_may_and_what_it_lacks(project: Project) -> None:
    def checks(code: int, token: str) -> dict[str, dict[str, str]]:
        said = run_shipline(project.history.folder, "doctor", "--json", extra={"RELEASE_TOKEN": token})
        assert said.code == code, said
        return {one["name"]: one for one in json.loads(said.out)["checks"] if one["name"].startswith("forge")}

    def states(code: int, token: str) -> dict[str, str]:
        return {name: one["state"] for name, one in checks(code, token).items()}

    good = states(0, TOKEN)
    assert good["forge"] == "ok"
    assert "wrong" not in good.values()
    project.server.model.may_write = False
    refused = checks(1, TOKEN)
    assert refused["forge: branches, tags and releases"]["state"] == "wrong"
    # What is on says what to do; what is off, what it would take.
    assert refused["forge: for releases"]["state"] == "warning"
    assert refused["forge: for releases"]["todo"]
    off = refused["forge: for a watched hook"]
    assert (off["state"], off["todo"], off["words"].startswith("off; it takes webhooks")) == ("ok", "", True)
    assert states(1, "another-token-that-is-wrong") == {"forge": "wrong"}
