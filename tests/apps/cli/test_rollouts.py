"""What `shipline deploy`, `rollback` and `yank` take a version to mean, before anything is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from shipline.apps.cli import deploy, promote, rollback, rollout, yank
from shipline.apps.cli.rollouts import order_deployment, order_rollback
from shipline.bootstrap import Application
from shipline.capabilities.releases import RELEASES
from shipline.capabilities.rollouts import DEPLOYMENTS, ROLLOUTS
from shipline.domain.artifact import Artifact
from shipline.domain.deployment import Deployment
from shipline.domain.errors import ConfigurationError, RefusedError, UnknownName, UsageError
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.engine.journal import pending_signals, runs_of
from shipline.store.database import Store
from shipline.testing.histories import History
from tests.capabilities.events import bodies

CONFIGURATION = """
schema = 1
[[environment]]
name = "production"
target.command = ["serve", "{port}"]
traffic.port = 8002
"""


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    (tmp_path / "shipline.toml").write_text(CONFIGURATION)
    made = Application(tmp_path)
    yield made
    made.store.close()


def published(application: Application, package: str, version: str, *, created_us: int) -> None:
    release = Release(
        id=f"rel_{package}_{version}",
        package=package,
        version=version,
        tag=f"v{version}",
        status=ReleaseStatus.PUBLISHED,
        attempt=1,
        created_us=created_us,
        artifacts=(Artifact(f"{package}-{version}.tar.gz", "sdist", "sha256:" + "5" * 64, 1),),
    )
    with application.store.begin() as tx:
        RELEASES.save(tx, release)


def test_a_dry_run_says_what_would_be_ordered_and_writes_nothing(application: Application) -> None:
    """And is refused by what would refuse the order."""
    published(application, "quotes", "1.0.0", created_us=1)
    runner = CliRunner()
    said = runner.invoke(deploy.command, ["--dry-run"], obj=application)
    assert said.exit_code == 0
    assert "production would get quotes 1.0.0, by" in said.output
    with pytest.raises(UnknownName, match="no published version"):
        runner.invoke(deploy.command, ["2.0.0", "--dry-run"], obj=application, catch_exceptions=False)
    with pytest.raises(UnknownName, match="has served no other version"):
        runner.invoke(rollback.command, ["--dry-run"], obj=application, catch_exceptions=False)
    with pytest.raises(RefusedError, match="there is nothing to promote"):
        runner.invoke(promote.command, ["production", "--dry-run"], obj=application, catch_exceptions=False)
    with application.store.begin() as tx:
        assert ROLLOUTS.where(tx) == ()


def served(application: Application, package: str, version: str, *, began_us: int, ended_us: int | None) -> None:
    name = f"rol_{version}"
    with application.store.begin() as tx:
        ROLLOUTS.save(
            tx, Rollout(name, package, version, "production", "canary", RolloutStatus.PROMOTED, started_us=began_us)
        )
        DEPLOYMENTS.save(
            tx,
            Deployment(
                f"dep_{version}",
                "production",
                package,
                version,
                name,
                began_us,
                finished_us=began_us,
                ended_us=ended_us,
            ),
        )


def test_a_version_is_deployed_however_many_releases_came_after_it(application: Application) -> None:
    """In a repository of many packages a page of the newest releases is soon full of others."""
    published(application, "quotes", "1.0.0", created_us=1)
    for number in range(150):
        published(application, "other", f"2.{number}.0", created_us=2 + number)
    rollout = order_deployment(application, "1.0.0", None, None)
    assert (rollout.package, rollout.version) == ("quotes", "1.0.0")


def test_a_version_that_two_packages_have_is_not_guessed(application: Application) -> None:
    published(application, "quotes", "1.0.0", created_us=1)
    published(application, "other", "1.0.0", created_us=2)
    with pytest.raises(UsageError, match="say which package"):
        order_deployment(application, "1.0.0", None, None)
    with pytest.raises(UsageError, match="more than one package"):
        CliRunner().invoke(yank.command, ["1.0.0", "--reason", "broken"], obj=application, catch_exceptions=False)


def test_the_way_back_leads_to_what_was_served_before(application: Application) -> None:
    for number, version in enumerate(("1.0.0", "1.1.0")):
        published(application, "quotes", version, created_us=number)
    served(application, "quotes", "1.0.0", began_us=10, ended_us=20)
    served(application, "quotes", "1.1.0", began_us=20, ended_us=None)
    rollout = order_rollback(application, None, None)
    assert (rollout.package, rollout.version, rollout.strategy) == ("quotes", "1.0.0", "all-at-once")


def migrated(application: Application, folder: Path, footer: str) -> None:
    """Two versions are served one after the other; the second comes with this footer."""
    history = History(folder)
    history.commit("feat: begin", {"shipline.toml": CONFIGURATION})
    commits = (history.repository.head(), history.commit(f"feat: more\n\n{footer}", {"a": "1"}))
    for number, (version, commit) in enumerate(zip(("1.0.0", "1.1.0"), commits, strict=True)):
        published(application, "quotes", version, created_us=number)
        served(application, "quotes", version, began_us=10 + number, ended_us=None if number else 11)
        with application.store.begin() as tx:
            release, deployment = RELEASES.where(tx, version=version)[0], DEPLOYMENTS.where(tx, version=version)[0]
            RELEASES.save(tx, replace(release, commit=commit))
            DEPLOYMENTS.save(tx, replace(deployment, commit=commit))


def test_no_way_back_leads_past_a_migration_that_cannot_be_undone(application: Application, tmp_path: Path) -> None:
    """Unless a person says why it does; the reason is on record."""
    migrated(application, tmp_path, "Migration: irreversible drops the table `drafts`")
    with pytest.raises(RefusedError, match=r"1\.0\.0 cannot serve again") as refused:
        order_rollback(application, None, None)
    assert "drops the table `drafts`" in refused.value.why
    assert "--past-migrations" in refused.value.todo
    rollout = order_rollback(application, None, None, "restored it")
    assert rollout.version == "1.0.0"
    assert [body["past_migrations"] for body in bodies(application.store, "RolloutStarted")] == ["restored it"]


def test_a_migration_that_can_be_undone_is_not_in_the_way(application: Application, tmp_path: Path) -> None:
    migrated(application, tmp_path, "Migration: reversible adds a column")
    assert order_rollback(application, None, None).version == "1.0.0"


def test_where_git_cannot_tell_the_way_back_is_refused_with_a_way_out(application: Application, tmp_path: Path) -> None:
    migrated(application, tmp_path, "Refs: #1")
    with application.store.begin() as tx:
        release = RELEASES.where(tx, version="1.0.0")[0]
        RELEASES.save(tx, replace(release, commit="ab" * 20))
    with pytest.raises(RefusedError, match="nobody can tell") as refused:
        order_rollback(application, None, None)
    assert "--past-migrations" in refused.value.todo


def test_there_is_no_way_back_to_a_version_that_nobody_knows(application: Application) -> None:
    """Nothing is begun: neither in an environment that served nothing, nor with a version that was not released."""
    with pytest.raises(UnknownName, match="served no other version"):
        order_rollback(application, None, "1.0.0")
    served(application, "quotes", "1.1.0", began_us=20, ended_us=None)
    with pytest.raises(UnknownName, match="there is no release quotes"):
        order_rollback(application, None, "0.9.0")
    with application.store.begin() as tx:
        assert len(ROLLOUTS.where(tx)) == 1


def under_way(application: Application) -> Rollout:
    """A rollout that some process has begun."""
    published(application, "quotes", "1.0.0", created_us=1)
    return order_deployment(application, "1.0.0", None, None)


def said(folder: Path, *arguments: str) -> str:
    """What a new process tells whoever speaks to a rollout."""
    result = CliRunner().invoke(rollout.command, list(arguments), obj=Application(folder), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def heard(store: Store, rollout_id: str) -> list[str]:
    """What waits for the engine that obeys it."""
    with store.begin() as tx:
        return [each.kind for run in runs_of(tx, f"rollout:{rollout_id}") for each in pending_signals(tx, run.id)]


BROKEN = {
    "not TOML": "[[environment\n",
    "a wrong key": CONFIGURATION + "\n[relese]\n",
    "a wrong rule": CONFIGURATION + '\n[[gate]]\nname = "g"\nrule = "tests.faild == 0"\n',
}


@pytest.mark.parametrize("verb", ["pause", "resume", "promote", "abort"])
@pytest.mark.parametrize("trouble", list(BROKEN))
def test_a_word_reaches_a_rollout_whatever_is_wrong_with_the_settings(
    application: Application, tmp_path: Path, verb: str, trouble: str
) -> None:
    """A canary that harms users does not wait until somebody has found a typo."""
    rollout_id = under_way(application).id
    (tmp_path / "shipline.toml").write_text(BROKEN[trouble])
    told = said(tmp_path, verb, "--reason", "users complain")
    assert f"{verb}: said to the rollout of quotes 1.0.0" in told
    assert "on record" in told
    assert "shipline.toml" in told
    assert heard(application.store, rollout_id) == [verb]


def test_a_word_reaches_a_rollout_whose_policy_cannot_be_read(
    application: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout_id = under_way(application).id
    monkeypatch.setenv("SHIPLINE_POLICY", str(tmp_path / "gone.toml"))
    assert "gone.toml" in said(tmp_path, "abort")
    assert heard(application.store, rollout_id) == ["abort"]


def test_a_word_reaches_a_rollout_whose_environment_was_renamed(application: Application, tmp_path: Path) -> None:
    rollout_id = under_way(application).id
    (tmp_path / "shipline.toml").write_text(CONFIGURATION.replace("production", "producton"))
    assert "there is no environment 'production'" in said(tmp_path, "abort", "production")
    assert heard(application.store, rollout_id) == ["abort"]


@pytest.mark.parametrize("rest", ["[[environment\n", "registri = 1\n"])
def test_the_store_that_broken_settings_name_is_the_one_that_is_spoken_to(tmp_path: Path, rest: str) -> None:
    """The default one beside it may hold an older record."""
    store = f"store = 'sqlite:///{tmp_path}/elsewhere.db'\n"
    (tmp_path / "shipline.toml").write_text(store + CONFIGURATION)
    application = Application(tmp_path)
    rollout_id = under_way(application).id
    (tmp_path / "shipline.toml").write_text(store + rest)
    said(tmp_path, "abort")
    assert heard(application.store, rollout_id) == ["abort"]
    application.store.close()
    assert not (tmp_path / ".shipline" / "store.db").exists()


def test_where_nothing_is_under_way_the_trouble_itself_is_told(application: Application, tmp_path: Path) -> None:
    assert application.store.path is not None  # It is open, and empty.
    (tmp_path / "shipline.toml").write_text("registri = 1")
    with pytest.raises(ConfigurationError, match="registri"):
        said(tmp_path, "abort")
