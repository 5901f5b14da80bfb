"""Reports over HTTP: with the token, bounded, kept whole or refused in words; and findings as programs read them."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from shipline.apps.server.serve import site_of
from shipline.bootstrap import Application
from shipline.store.log import read_latest
from tests.apps.cli.test_rollouts import CONFIGURATION, published
from tests.apps.server.conftest import Served
from tests.apps.server.serving import TOKEN, serving
from tests.machine import NO_TLS

BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    (tmp_path / "shipline.toml").write_text(CONFIGURATION)
    made = Application(tmp_path)
    published(made, "quotes", "1.0.0", created_us=1)
    yield made
    made.store.close()


@pytest.fixture
def program(application: Application) -> Iterator[httpx.Client]:
    with (
        serving(site_of(application)) as url,
        httpx.Client(base_url=url, timeout=60, verify=NO_TLS, headers=BEARER) as client,
    ):
        yield client


def sarif(*levels: str) -> bytes:
    results = [
        {"ruleId": f"R{number}", "level": word, "message": {"text": "<b>m"}} for number, word in enumerate(levels)
    ]
    return json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}, "results": results}]}).encode()


def give(program: httpx.Client, report: bytes, **asked: str) -> httpx.Response:
    return program.post("/api/v1/evidence", params={"release": "1.0.0"} | asked, content=report)


def test_a_report_is_kept_once_with_a_receipt_and_its_findings_are_listed(
    application: Application, program: httpx.Client
) -> None:
    """The worst first, a page of them; and the page of the release shows them, as text."""
    answered = give(program, sarif("note", "error", "error"), name="scan.sarif")
    assert answered.status_code == 201
    document: dict[str, Any] = answered.json()
    assert (document["schema"], document["files"][0]["findings_new"]) == ("shipline.evidence-receipt/1", 3)
    assert give(program, sarif("note", "error", "error")).status_code == 200
    events = [entry.event for entry in read_latest(application.store, 20)]
    assert [str(event.actor) for event in events if event.kind == "EvidenceRecorded"] == ["api@token"]
    path = f"/api/v1/releases/{document['release_id']}"
    page = program.get(f"{path}/findings", params={"limit": 2, "offset": 1}).json()
    assert (page["summary"]["total"], [one["severity"] for one in page["findings"]]) == (3, ["high", "low"])
    assert program.get(f"{path}/findings", params={"severity": "low"}).json()["findings"][0]["rule"] == "R0"
    (listed,) = program.get(f"{path}/evidence").json()["releases"]
    assert [piece["name"] for piece in listed["evidence"]] == ["scan.sarif"]
    shown = program.get(f"/releases/{document['release_id']}").text
    assert "&lt;b&gt;m" in shown
    assert "<b>m" not in shown


@pytest.mark.parametrize(
    ("report", "asked", "words"),
    [
        (b'{"version": "2.1.0", "runs": [', {}, "cut off"),
        (b"nothing", {}, "no format that is known"),
        (sarif(), {"format": "other"}, "no report format"),
        (sarif(), {"severity": "low"}, "no 'severity' to say"),
        (sarif(), {"name": "two\nlines"}, "one line"),
    ],
)
def test_what_is_refused_is_refused_in_words_and_nothing_is_kept(
    application: Application, program: httpx.Client, report: bytes, asked: dict[str, str], words: str
) -> None:
    answered = give(program, report, **asked)
    assert answered.status_code == 400
    assert words in answered.text
    assert not [entry for entry in read_latest(application.store, 20) if entry.event.kind == "EvidenceRecorded"]


def test_only_the_token_keeps_reports_and_a_length_is_said(program: httpx.Client, served: Served) -> None:
    """A session keeps none, nor does anybody without; what is too large is refused before a byte of it is read."""
    with served.client() as nobody:
        assert nobody.post("/api/v1/evidence?release=1", content=sarif()).status_code == 401
    with served.person() as person:
        assert person.post("/api/v1/evidence?release=1", content=sarif()).status_code == 403
    assert program.post("/api/v1/evidence?release=1.0.0", content=iter([sarif()])).status_code == 413
    address = program.base_url
    huge = http.client.HTTPConnection(address.host, address.port, timeout=60)
    huge.request("POST", "/api/v1/evidence?release=1.0.0", headers=BEARER | {"Content-Length": "999999999"})
    assert huge.getresponse().status == 413
    huge.close()


def test_of_an_unknown_release_nothing_is_known(program: httpx.Client) -> None:
    for what in ("evidence", "findings"):
        assert program.get(f"/api/v1/releases/rel_none/{what}").status_code == 404
