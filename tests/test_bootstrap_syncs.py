"""The wiring: when a server looks at two forges, and which they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.bootstrap.syncs import SYNC_COMMAND, SyncTimer, sync_of
from shipline.capabilities.automation import subject_of
from shipline.domain.errors import ConfigurationError
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
