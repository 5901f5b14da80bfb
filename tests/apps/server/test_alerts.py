"""Alertmanager turns a rollout back: the real one where it is installed, and who is not let in."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.apps.server.conftest import Served
from tests.apps.server.serving import TOKEN
from tests.children import await_that
from tests.machine import NO_TLS, free_port

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
BEARER = {"Authorization": f"Bearer {TOKEN}"}
CONFIGURATION = """
route:
  receiver: shipline
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
receivers:
  - name: shipline
    webhook_configs:
      - url: {url}/api/v1/alerts
        max_alerts: 20
        http_config:
          authorization:
            credentials: {token}
"""


@contextmanager
def alertmanager(folder: Path, url: str) -> Iterator[str]:
    """A running Alertmanager that tells `url`; gives its own address."""
    assert PROGRAM is not None
    (folder / "alertmanager.yml").write_text(CONFIGURATION.format(url=url, token=TOKEN))
    address = f"127.0.0.1:{free_port()}"
    options = ("--config.file=alertmanager.yml", "--storage.path=data", "--cluster.listen-address=")
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [PROGRAM, *options, f"--web.listen-address={address}"], cwd=folder, stdout=output, stderr=output
        )
    try:
        await_that("Alertmanager ready", lambda: is_ready(f"http://{address}"))
        yield f"http://{address}"
    finally:
        process.kill()
        process.wait()


def is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/-/ready", verify=NO_TLS).status_code == 200
    except httpx.HTTPError:
        return False


def alert(served: Served) -> dict[str, Any]:
    """One that began now, by the stage's clock."""
    now = datetime.fromtimestamp(served.stage.clock.now_us() / 1_000_000, UTC).isoformat()
    labels = {"alertname": "ManyErrors", "environment": "production"}
    return {"labels": labels, "annotations": {"summary": "it burns"}, "startsAt": now, "endsAt": "2099-01-01T00:00:00Z"}


def reasons(served: Served) -> list[str]:
    with served.person() as person:
        entries = person.get("/api/v1/log", params={"limit": 50}).json()["events"]
    return [entry["body"]["reason"] for entry in entries if entry["kind"] == "RolloutCommanded"]


@pytest.mark.skipif(PROGRAM is None, reason="Alertmanager is not installed")
def test_the_real_alertmanager_turns_a_rollout_back(fresh: Served, tmp_path: Path) -> None:
    (tmp_path / "am").mkdir()
    with alertmanager(tmp_path / "am", fresh.url) as address:
        assert httpx.post(f"{address}/api/v2/alerts", json=[alert(fresh)], verify=NO_TLS).status_code == 200
        await_that("the rollout told", lambda: reasons(fresh))
    assert reasons(fresh)[-1] == "the alert ManyErrors fires: it burns"


def test_who_has_no_token_and_who_has_only_a_session_is_refused(fresh: Served) -> None:
    webhook = {"version": "4", "alerts": [alert(fresh) | {"status": "firing"}]}
    with fresh.client() as stranger:
        assert stranger.post("/api/v1/alerts", json=webhook).status_code == 401
    with fresh.person() as person:
        assert person.post("/api/v1/alerts", json=webhook).status_code == 403
    assert reasons(fresh) == []
    with fresh.client() as program:
        answer = program.post("/api/v1/alerts", json=webhook, headers=BEARER)
    assert answer.json() == {
        "schema": "shipline.alerts/1",
        "turned_back": [fresh.ids["live"]],
        "rolled_back": [],
        "told": [],
    }


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"version":"4","alerts":[{}]}', b"\xff"])
def test_rubbish_is_a_problem_document_and_changes_nothing(served: Served, body: bytes) -> None:
    with served.client() as program:
        answer = program.post("/api/v1/alerts", content=body, headers=BEARER)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
