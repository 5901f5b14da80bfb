"""The wiring: when a server looks at two forges, and which they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.bootstrap.sync_tests import SYNC_TEST_COMMAND, SyncTestTimer
from shipline.bootstrap.syncs import SYNC_COMMAND, SyncHand, SyncTimer, sync_of
from shipline.capabilities.automation import Trip, note_failing, note_pass, note_trip, recall_passes, subject_of
from shipline.domain.errors import ConfigurationError, RefusedError, UnavailableError
from shipline.engine.journal import runs_of
from shipline.testing.histories import History

FORGE = '[forge]\nprovider = "gitea"\nrepository = "acme/quotes"\napi_url = "http://127.0.0.1:1/api/v1"\n'
OTHER = '[sync.forge]\nprovider = "gitea"\nrepository = "{}"\napi_url = "http://127.0.0.1:1/api/v1"\n'


def application_of(folder: Path, settings: str) -> Application:
    history = History(folder / "repository")
    history.commit("feat: begin", {"shipline.toml": f"schema = 1\n{settings}"})
    return Application(history.folder)


@pytest.mark.parametrize(("settings", "runs"), [(FORGE, 0), (FORGE + OTHER.format("acme/mirror"), 1)])
def test_a_server_looks_at_two_forges_by_itself(settings: str, runs: int, tmp_path: Path) -> None:
    """Once in `every_s`."""
    application = application_of(tmp_path, settings)
    timer = SyncTimer(application)
    timer()
    timer()
    with application.store.begin() as tx:
        assert len(runs_of(tx, subject_of(SYNC_COMMAND))) == runs
    application.store.close()


@pytest.mark.parametrize(("tested_ago_s", "runs"), [(7300, 1), (7100, 0)])
def test_a_server_sends_a_label_round_by_itself(tested_ago_s: int, runs: int, tmp_path: Path) -> None:
    """Once in `test_every_s`, and not before a first pass has found both alike."""
    application = application_of(tmp_path, FORGE + "[sync]\ntest_every_s = 7200\n" + OTHER.format("acme/mirror"))
    now_us = application.clock.now_us()
    SyncTestTimer(application)()
    with application.store.begin() as tx:
        assert runs_of(tx, subject_of(SYNC_TEST_COMMAND)) == ()
        note_pass(tx, now_us, full=True)
        note_trip(tx, Trip("x", 1), now_us - tested_ago_s * 1_000_000)
    timer = SyncTestTimer(application)
    timer()
    timer()
    with application.store.begin() as tx:
        assert len(runs_of(tx, subject_of(SYNC_TEST_COMMAND))) == runs
    application.store.close()


def test_a_forge_out_of_reach_is_waited_for_and_told_after_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And then once a day."""
    monkeypatch.setenv("GITEA_TOKEN", "a-token")
    application = application_of(tmp_path, FORGE + OTHER.format("acme/mirror"))
    hand, now_us = SyncHand(application), application.clock.now_us()
    for since_us, error in ((0, UnavailableError), (now_us - 3_700_000_000, RefusedError), (0, UnavailableError)):
        if since_us:
            with application.store.begin() as tx:
                note_failing(tx, since_us, now_us)
        with pytest.raises(error):
            hand(SYNC_COMMAND, {})
    with application.store.begin() as tx:
        assert recall_passes(tx).failing_us > now_us
    application.store.close()


def test_a_forge_is_not_kept_alike_with_itself(tmp_path: Path) -> None:
    application = application_of(tmp_path, FORGE + OTHER.format("acme/quotes"))
    with pytest.raises(ConfigurationError, match="are both gitea acme/quotes"):
        sync_of(application)
    application.store.close()


def test_there_is_nothing_to_keep_alike_with_one_forge(tmp_path: Path) -> None:
    application = application_of(tmp_path, FORGE)
    with pytest.raises(ConfigurationError, match="no two forges"):
        sync_of(application)
    application.store.close()
