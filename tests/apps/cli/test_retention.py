"""`shipline retention`, and a server that does the same by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from shipline.apps.cli import retention
from shipline.bootstrap import Application
from shipline.bootstrap.retention import Tidying, keep_of
from shipline.capabilities.releases import RELEASES
from shipline.domain.release import Release, ReleaseStatus
from shipline.store.log import read_latest
from shipline.testing.histories import History

SETTINGS = "[retention]\nreports_days = 30\n"


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    """A release of long ago, with a report and a bundle."""
    (tmp_path / "shipline.toml").write_text(SETTINGS)
    made = Application(tmp_path)
    release = Release("rel_1", "quotes", "1.0.0", "v1.0.0", ReleaseStatus.PUBLISHED, 1, 1, published_us=1)
    with made.store.begin() as tx:
        RELEASES.save(tx, release)
    folder = made.release_ground.folder_of(release)
    (folder / "reports/unit").mkdir(parents=True)
    (folder / "reports/unit/junit.xml").write_bytes(b"<testsuite/>")
    (folder / "bundle.tar").write_bytes(b"bundle")
    yield made
    made.store.close()


def test_what_would_go_is_shown_and_then_goes(application: Application) -> None:
    runner = CliRunner()
    shown = runner.invoke(retention.command, ["plan"], obj=application).stdout
    assert shown == "quotes 1.0.0: reports, 12 bytes\n"
    document = json.loads(runner.invoke(retention.command, ["plan", "--json"], obj=application).stdout)
    assert (document["schema"], document["removals"][0]["kind"]) == ("shipline.retention/1", "reports")
    assert runner.invoke(retention.command, ["apply"], obj=application).exit_code == 0
    assert runner.invoke(retention.command, ["plan"], obj=application).stdout == "nothing is due\n"
    assert "kept for longer" in str(runner.invoke(retention.command, ["apply"], obj=application).exception)


def test_a_server_looks_once_an_hour(application: Application) -> None:
    tidying = Tidying(application)
    tidying()
    assert [entry.event.kind for entry in read_latest(application.store, 9)] == ["ReportsRemoved"]
    assert tidying.next_us > application.clock.now_us()


def test_a_commit_cannot_shorten_what_the_protected_branch_keeps(tmp_path: Path) -> None:
    history = History(tmp_path / "project")
    history.commit("feat: keep", {"shipline.toml": "[release]\nbranch = 'main'\n[retention]\nreports_days = 30\n"})
    history.git("switch", "-q", "-c", "work")
    (history.folder / "shipline.toml").write_text("[release]\nbranch = 'main'\n[retention]\nreports_days = 1\n")
    assert keep_of(Application(history.folder)).reports_us == 30 * 86_400_000_000
