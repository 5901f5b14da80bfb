"""What `shipline deploy`, `rollback` and `yank` take a version to mean, before anything is done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from shipline.apps.cli import yank
from shipline.apps.cli.rollouts import order_deployment, order_rollback
from shipline.bootstrap import Application
from shipline.capabilities.releases import RELEASES
from shipline.capabilities.rollouts import DEPLOYMENTS, ROLLOUTS
from shipline.domain.deployment import Deployment
from shipline.domain.errors import UsageError
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.rollout import Rollout, RolloutStatus

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
        f"rel_{package}_{version}", package, version, f"v{version}", ReleaseStatus.PUBLISHED, 1, created_us
    )
    with application.store.begin() as tx:
        RELEASES.save(tx, release)


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


def test_there_is_no_way_back_to_a_version_that_nobody_knows(application: Application) -> None:
    """Nothing is begun: neither in an environment that served nothing, nor with a version that was not released."""
    with pytest.raises(UsageError, match="served no other version"):
        order_rollback(application, None, "1.0.0")
    served(application, "quotes", "1.1.0", began_us=20, ended_us=None)
    with pytest.raises(UsageError, match="there is no release quotes"):
        order_rollback(application, None, "0.9.0")
    with application.store.begin() as tx:
        assert len(ROLLOUTS.where(tx)) == 1
