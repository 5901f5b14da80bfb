"""Which environments come and go, what runs in them, and when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from shipline.apps.cli.rollouts import order_deployment
from shipline.bootstrap import Application
from shipline.bootstrap.lives import begin_life, due, life_order, new_life
from shipline.capabilities.releases import RELEASES
from shipline.capabilities.rollouts import DEPLOYMENTS, LifeOrder, life_of, open_lives
from shipline.configuration import EnvironmentSettings, EphemeralSettings, parse_settings
from shipline.configuration.check import problems
from shipline.domain.artifact import Artifact
from shipline.domain.deployment import Deployment
from shipline.domain.errors import RefusedError, UnknownName, UsageError
from shipline.domain.release import Release, ReleaseStatus
from shipline.providers.repository.git import GitRepository
from shipline.store.database import Store
from shipline.testing.histories import History
from tests.capabilities.events import bodies
from tests.capabilities.rollouts.rollout_world import PERSON

CONFIGURATION = """
schema = 1
[[environment]]
name = "review"
target.command = ["serve", "{port}"]
traffic.port = 8100
[environment.ephemeral]
branches = "feature/*"
branches_max = 2
lifetime_s = 3600
[[environment]]
name = "nightly"
target.command = ["serve", "{port}"]
traffic.port = 8200
[environment.ephemeral]
up = "* * * * *"
"""
APPROVED = 'strategy = "blue-green"\npreview = { by = "header", approve = true }'
NIGHTS = EnvironmentSettings(
    "nightly", ephemeral=EphemeralSettings(down="0 2 * * *", up="30 2 * * *", timezone="Europe/Berlin")
)


@pytest.fixture
def history(tmp_path: Path) -> History:
    """Two branches of `main`."""
    made = History(tmp_path)
    (tmp_path / "shipline.toml").write_text(CONFIGURATION)
    (tmp_path / ".gitignore").write_text(".shipline/\n")
    made.git("add", ".")
    made.git("commit", "-q", "-m", "chore: begin")
    return made


@pytest.fixture
def application(history: History) -> Iterator[Application]:
    made = Application(history.repository.root())
    yield made
    made.store.close()


class Writing(GitRepository):
    """A repository in whose project somebody writes whenever it is asked for a commit."""

    store: Store

    def find_commit(self, reference: str) -> str | None:
        with self.store.begin() as tx:
            RELEASES.save(tx, Release("rel_0", "other", "1.0.0", "o1.0.0", ReleaseStatus.REFUSED, 1, 0))
        return super().find_commit(reference)


def published(application: Application, version: str, commit: str, *, channel: str = "stable", number: int = 0) -> None:
    with application.store.begin() as tx:
        RELEASES.save(tx, release_of(version, commit, channel=channel, number=number))


def release_of(version: str, commit: str, *, channel: str = "stable", number: int = 0) -> Release:
    return Release(
        id=f"rel_{version}",
        package="quotes",
        version=version,
        tag=f"v{version}",
        status=ReleaseStatus.PUBLISHED,
        attempt=1,
        created_us=number,
        commit=commit,
        channel=channel,
        artifacts=(Artifact("quotes.whl", "wheel", "sha256:" + "5" * 64, 1),),
    )


def commit_on(history: History, branch: str, message: str) -> str:
    """A commit at the end of a branch, which begins at main where it is not there."""
    if branch not in history.git("branch", "--format=%(refname:short)").splitlines():
        history.git("branch", branch)
    history.git("checkout", "-q", branch)
    history.git("commit", "-q", "--allow-empty", "-m", message)
    commit = history.git("rev-parse", "HEAD").strip()
    history.git("checkout", "-q", "main")
    return commit


def version_for(application: Application, branch: str) -> str:
    template = application.environment("review")
    return life_order(application, template, new_life(application, template, branch)).version


def begin(application: Application, branch: str) -> str:
    template = application.environment("review")
    life = new_life(application, template, branch)
    begin_life(application, application.engine, LifeOrder(life, life_order(application, template, life)), PERSON)
    return life.name


def test_a_branch_gets_the_newest_version_that_it_holds(application: Application, history: History) -> None:
    """The last one before it, until a snapshot of its own is published; never another branch's."""
    commit_on(history, "feature/a", "feat: something")
    commit_on(history, "feature/b", "feat: other")
    published(application, "1.0.0", history.git("rev-parse", "main").strip())
    later = commit_on(history, "main", "feat: later")
    published(application, "1.1.0", later, number=1)
    assert version_for(application, "feature/a") == "1.0.0"
    tip, key = history.git("rev-parse", "feature/a").strip(), "release:quotes:1.1.0-snapshot.1"
    beside = history.repository.commit_beside(tip, {"VERSION": b"1.1.0"}, "chore: release", key=key, time_us=1)
    published(application, "1.1.0-snapshot.1", beside, channel="snapshot", number=2)
    assert version_for(application, "feature/a") == "1.1.0-snapshot.1"
    assert version_for(application, "feature/b") == "1.0.0"
    with pytest.raises(UnknownName, match="there is no branch 'feature/none'"):
        version_for(application, "feature/none")


def test_a_snapshot_without_a_commit_of_its_own_is_its_branchs_alone(
    application: Application, history: History
) -> None:
    """Where no file states the version it is of the branch's commit itself, which stands on one that all have."""
    published(application, "1.0.0", history.git("rev-parse", "main").strip())
    commit_on(history, "feature/a", "feat: something")
    other = commit_on(history, "feature/b", "feat: other\n\nShipline-Key: release:quotes:0.9.0")
    published(application, "1.1.0-snapshot.1", other, channel="snapshot", number=1)
    assert [version_for(application, f"feature/{one}") for one in "ab"] == ["1.0.0", "1.1.0-snapshot.1"]


def test_two_that_are_ordered_at_once_get_a_port_each(application: Application, history: History) -> None:
    published(application, "1.0.0", history.git("rev-parse", "main").strip())
    template, orders = application.environment("review"), []
    for branch in ("feature/a", "feature/b"):
        commit_on(history, branch, "feat: something")
        life = new_life(application, template, branch)
        orders.append(LifeOrder(life, life_order(application, template, life)))
    for order in orders:
        begin_life(application, application.engine, order, PERSON)
    with application.store.begin() as tx:
        assert [life_of(run).port for run in open_lives(tx, "review")] == [8101, 8102]


def test_a_branch_holds_a_version_behind_many_others(application: Application, history: History) -> None:
    """As far back as the last 1000; beyond that it is told so."""
    published(application, "1.0.0", history.git("rev-parse", "main").strip())
    commit_on(history, "feature/a", "feat: something")
    other = commit_on(history, "feature/b", "feat: other")
    with application.store.begin() as tx:
        for number in range(1, 101):
            RELEASES.save(tx, release_of(f"1.{number}.0", other, number=number))
    assert version_for(application, "feature/a") == "1.0.0"
    with application.store.begin() as tx:
        for number in range(101, 1001):
            RELEASES.save(tx, release_of(f"1.{number}.0", other, number=number))
    with pytest.raises(UnknownName) as told:
        version_for(application, "feature/a")
    assert "it holds none of the last 1000" in told.value.diagnosis()


def test_nobody_waits_while_git_is_asked(application: Application, history: History) -> None:
    """Another process, and this one, may write meanwhile."""
    published(application, "1.0.0", history.git("rev-parse", "main").strip())
    commit_on(history, "feature/a", "feat: something")
    writing = Writing(Writing.Settings(), application.context("repository"))
    writing.store = application.store
    application.repository = writing
    assert version_for(application, "feature/a") == "1.0.0"


def test_branches_have_environments_of_their_own(application: Application, history: History) -> None:
    """As many as are allowed, each with its port; who is not for it has none."""
    published(application, "1.0.0", history.git("rev-parse", "main").strip())
    for branch in ("feature/a", "feature/b", "feature/c"):
        commit_on(history, branch, "feat: something")
    names = [begin(application, branch) for branch in ("feature/a", "feature/b")]
    assert begin(application, "feature/a") == names[0]
    again = Application(application.root)
    ports = {one.name: one.traffic["port"] for one in again.environments}
    assert ports == {"review": 8100, "nightly": 8200, names[0]: 8101, names[1]: 8102}
    assert f"rollout:{names[0]}" in again.engine.catalogue.workflows
    assert [again.stage_of(name) for name in (names[0], "nightly")] == ["review", "nightly"]
    again.store.close()
    with pytest.raises(RefusedError, match="2 branches have an environment already"):
        begin(application, "feature/c")
    with pytest.raises(UsageError, match="review has no environments for main"):
        begin(application, "main")
    (first, _) = bodies(application.store, "EnvironmentOrdered")
    assert (first["branch"], first["version"], first["scheduled"]) == ("feature/a", "1.0.0", False)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-12-01T00:59:00Z", None),
        ("2026-12-01T01:00:00Z", ("down", "2026-12-01T01:00:00Z")),
        ("2026-12-01T01:31:00Z", ("up", "2026-12-01T01:30:00Z")),
        ("2026-07-01T00:31:00Z", ("up", "2026-07-01T00:30:00Z")),
        ("2026-12-01T02:31:00Z", None),
    ],
)
def test_of_both_times_the_later_holds(now: str, expected: tuple[str, str] | None) -> None:
    """In the time of its zone, for an hour."""
    found = due(NIGHTS, int(datetime.fromisoformat(now).timestamp()) * 1_000_000)
    wanted = expected and (expected[0], int(datetime.fromisoformat(expected[1]).timestamp()) * 1_000_000)
    assert found == wanted


def test_the_engine_brings_it_up_when_it_is_due(application: Application, history: History) -> None:
    """What keeps it from that is told once."""
    for _ in range(2):
        application._schedules.next_us = 0
        application._schedules()
    told = bodies(application.store, "EnvironmentSkipped")
    assert {"nothing has been published yet" in body["reason"] for body in told} == {True}
    assert len(told) == len({body["due_us"] for body in told})
    published(application, "1.0.0", history.git("rev-parse", "main").strip())
    application._schedules._refused["lives"].clear()
    for _ in range(2):
        application._schedules.next_us = 0
        application._schedules()
    with application.store.begin() as tx:
        assert [life_of(run).name for run in open_lives(tx, "nightly")] == ["nightly"]
    (ordered,) = bodies(application.store, "EnvironmentOrdered")
    assert ordered["scheduled"]


def test_the_schedule_passes_over_what_a_deployment_has_brought(application: Application, history: History) -> None:
    """It says so, and the deployment goes on."""
    published(application, "1.0.0", history.git("rev-parse", "main").strip())
    served = Deployment("dep_1", "nightly", "quotes", "1.0.0", "rol_1", 1, finished_us=2)
    with application.store.begin() as tx:
        DEPLOYMENTS.save(tx, served)
    application._schedules()
    (told, *_) = bodies(application.store, "EnvironmentSkipped")
    assert "nightly serves quotes 1.0.0 already" in told["reason"]
    with application.store.begin() as tx:
        assert (open_lives(tx, "nightly"), DEPLOYMENTS.find(tx, "dep_1")) == ((), served)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('name = "review"', 'name = "review"\nproduction = true', "production does not come and go"),
        ('name = "review"', f'name = "review"\n{APPROVED}', "nobody approves what comes up"),
        ('up = "* * * * *"', 'up = "often"', "has a `cron` that cannot be read"),
        ("traffic.port = 8200", "traffic.port = 8102", "its branches would be served on the ports 8101 to 8102"),
        ("traffic.port = 8100", 'traffic.provider = "static"', "need the traffic provider haproxy"),
    ],
)
def test_what_cannot_be_is_refused(before: str, after: str, words: str) -> None:
    text = CONFIGURATION.replace(before, after)
    assert any(words in problem.what for problem in problems(parse_settings(text.encode())))


def test_what_does_not_come_and_go_is_refused(application: Application) -> None:
    with pytest.raises(RefusedError, match="staging does not come and go"):
        new_life(application, EnvironmentSettings("staging"), "")


def test_the_gates_of_the_one_that_it_is_made_after_are_its_own(history: History) -> None:
    """Also for what is deployed to it later."""
    top = history.repository.root()
    gate = '[[gate]]\nname = "never"\nstage = "review"\nrule = "false"\n'
    (top / "shipline.toml").write_text(CONFIGURATION)
    open_one = Application(top)
    published(open_one, "1.0.0", history.git("rev-parse", "main").strip())
    commit_on(history, "feature/a", "feat: something")
    name = begin(open_one, "feature/a")
    open_one.store.close()
    (top / "shipline.toml").write_text(CONFIGURATION + gate)
    gated = Application(top)
    with pytest.raises(RefusedError, match=r"quotes 1\.0\.0 may not enter review"):
        order_deployment(gated, "1.0.0", name, None)
    with pytest.raises(RefusedError, match=r"quotes 1\.0\.0 may not enter review"):
        version_for(gated, "feature/a")
    gated.store.close()
