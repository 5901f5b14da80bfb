"""What programs can say over the interface: the same as the command line, once for each key, refused in words."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from shipline.apps.server.serve import site_of
from shipline.bootstrap import Application
from shipline.capabilities.rollouts import ROLLOUTS
from shipline.domain.rollout import RolloutStatus
from shipline.store.log import read_latest
from tests.apps.cli.test_rollouts import CONFIGURATION, published
from tests.apps.cli.test_rollouts import served as has_served
from tests.apps.server.conftest import Served
from tests.apps.server.serving import TOKEN, serving
from tests.machine import NO_TLS

BEARER = {"Authorization": f"Bearer {TOKEN}"}
FREEZE = """
[[calendar]]
name = "year end"
kind = "freeze"
stages = ["production"]
begins = "2020-01-01 00:00"
ends = "2099-01-01 00:00"
"""


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    """A project that serves 1.1.0 after 1.0.0, and has released 1.2.0."""
    (tmp_path / "shipline.toml").write_text(CONFIGURATION)
    made = Application(tmp_path)
    for number, version in enumerate(("1.0.0", "1.1.0", "1.2.0")):
        published(made, "quotes", version, created_us=number)
    has_served(made, "quotes", "1.0.0", began_us=10, ended_us=20)
    has_served(made, "quotes", "1.1.0", began_us=20, ended_us=None)
    yield made
    made.store.close()


@pytest.fixture
def program(application: Application) -> Iterator[httpx.Client]:
    with serving(site_of(application)) as url:
        yield from _client(url)


@pytest.fixture
def caller(fresh: Served) -> Iterator[httpx.Client]:
    yield from _client(fresh.url)


def _client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=60, verify=NO_TLS, headers=BEARER) as client:
        yield client


def rollouts(application: Application) -> list[str]:
    with application.store.begin() as tx:
        return [one.version for one in ROLLOUTS.where(tx, order="started_us")]


def said(served: Served) -> list[dict[str, Any]]:
    entries = read_latest(served.stage.world.store, 50, f"rollout:{served.ids['live']}")
    return [one.event.body for one in entries if one.event.kind == "RolloutCommanded"]


def test_a_deployment_is_that_of_the_command_line(program: httpx.Client) -> None:
    """The answer says where it can be followed, and the list has it; the actor is the program."""
    answer = program.post("/api/v1/environments/production/deployments", json={"version": "1.2.0"})
    assert answer.status_code == 202, answer.text
    rollout = answer.json()["rollout"]
    assert (answer.json()["schema"], rollout["version"]) == ("shipline.rollout/1", "1.2.0")
    assert rollout["ordered_by"] == "api@token"
    followed = program.get(answer.headers["location"]).json()
    assert followed["rollout"]["id"] == rollout["id"]
    listed = program.get("/api/v1/rollouts", params={"environment": "production", "limit": 1}).json()
    assert (listed["schema"], [one["id"] for one in listed["rollouts"]]) == ("shipline.rollouts/1", [rollout["id"]])


def test_a_way_back_leads_to_any_earlier_version_with_its_reason(
    application: Application, program: httpx.Client
) -> None:
    path = "/api/v1/environments/production/rollback"
    answer = program.post(path, json={"version": "1.0.0", "reason": "prices are wrong"})
    assert answer.status_code == 202, answer.text
    assert (answer.json()["rollout"]["version"], answer.json()["rollout"]["purpose"]) == ("1.0.0", "rollback")
    started = [one.event for one in read_latest(application.store, 5) if one.event.kind == "RolloutStarted"]
    assert [event.body["reason"] for event in started] == ["prices are wrong"]


def test_a_request_that_comes_twice_is_done_once(application: Application, program: httpx.Client) -> None:
    """Also after it has ended; a key that comes with something else is refused."""
    path, key = "/api/v1/environments/production/deployments", {"Idempotency-Key": "job-7"}
    first = program.post(path, json={"version": "1.2.0"}, headers=key).json()["rollout"]["id"]
    with application.store.begin() as tx:
        rollout = ROLLOUTS.find(tx, first)
        assert rollout is not None
        ROLLOUTS.save(tx, replace(rollout, status=RolloutStatus.ROLLED_BACK))
    again = program.post(path, json={"version": "1.2.0"}, headers=key)
    assert (again.status_code, again.json()["rollout"]["id"]) == (202, first)
    assert rollouts(application).count("1.2.0") == 1
    other = program.post(path, json={"version": "1.0.0"}, headers=key)
    assert other.status_code == 409
    assert "another request" in other.json()["what"]


def test_a_freeze_that_came_since_refuses_and_the_way_back_is_exempt(
    application: Application, program: httpx.Client
) -> None:
    """The settings are read again at each order, whether or not this process runs the engine."""
    (application.root / "shipline.toml").write_text(CONFIGURATION + FREEZE)
    refused = program.post("/api/v1/environments/production/deployments", json={"version": "1.2.0"})
    assert refused.status_code == 409
    assert (refused.json()["what"], "year end" in refused.json()["why"]) == (
        "quotes 1.2.0 may not enter production",
        True,
    )
    back = {"version": "1.0.0", "reason": "it burns"}
    assert program.post("/api/v1/environments/production/rollback", json=back).status_code == 202


@pytest.mark.parametrize(
    ("path", "body", "problem"),
    [
        ("environments/nowhere/deployments", {"version": "1.2.0"}, (404, "no such environment")),
        ("environments/nowhere/rollback", {"version": "1.0.0", "reason": "x"}, (404, "no such environment")),
        ("environments/production/deployments", {"version": "9.9.9"}, (400, "no published version")),
        ("environments/production/deployments", {}, (400, "'version' is missing")),
        ("environments/production/deployments", {"version": "1.2.0", "to": "x"}, (400, "unknown field 'to'")),
        ("environments/production/deployments", {"version": 2}, (400, "expected str")),
        ("environments/production/deployments", [], (400, "expected an object")),
        ("environments/production/rollback", {"version": "1.0.0", "reason": " "}, (400, "needs a reason")),
        ("environments/production/rollback", {"version": "1.0.0", "reason": "a\x1b[2J"}, (400, "one line")),
        ("environments/production/rollback", {"version": "0.9.0", "reason": "x"}, (400, "no release")),
        ("rollouts/rol_x/abort", {}, (404, "no such rollout")),
        ("rollouts/rol_1.1.0/explode", {}, (400, "does not know")),
        ("rollouts/rol_1.1.0/pause", {}, (409, "has ended")),
    ],
    ids=str,
)
def test_what_cannot_be_is_a_problem_in_words_and_changes_nothing(
    application: Application, program: httpx.Client, path: str, body: Any, problem: tuple[int, str]
) -> None:
    before = rollouts(application)
    answer = program.post(f"/api/v1/{path}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (problem[0], "application/problem+json")
    assert problem[1] in answer.json()["what"]
    assert rollouts(application) == before


@pytest.mark.parametrize("verb", ["pause", "resume", "promote", "skip", "abort"])
def test_a_word_reaches_a_rollout_once_for_each_key(fresh: Served, caller: httpx.Client, verb: str) -> None:
    path = f"/api/v1/rollouts/{fresh.ids['live']}/{verb}"
    for _ in range(2):
        answer = caller.post(path, json={"reason": "the job says so"}, headers={"Idempotency-Key": f"{verb}-1"})
        assert answer.status_code == 202, answer.text
    assert [(one["verb"], one["reason"]) for one in said(fresh)] == [(verb, "the job says so")]
    assert caller.post(path).status_code == 202  # Without a key, and without a body: said again.
    assert len(said(fresh)) == 2
    address = httpx.URL(fresh.url)
    with socket.create_connection((address.host, address.port or 0)) as raw:  # As curl sends it: no length either.
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
        raw.sendall(head.encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 202")
    bad = caller.post(path, headers={"Idempotency-Key": "with space"})
    assert (bad.status_code, bad.json()["todo"]) == (400, "a random UUID will do")


def test_a_deployment_is_told_with_what_its_analysis_said(caller: httpx.Client) -> None:
    found = caller.get("/api/v1/environments/production/deployments").json()["deployments"]
    by_version = {one["deployment"]["version"]: one["analysis"] for one in found}
    assert (by_version["1.2.0"]["verdict"], by_version["1.2.0"]["evidence_value"] >= 100) == ("rollback", True)
    assert (by_version["1.1.0"]["verdict"], by_version["1.1.0"]["looks"] > 10) == ("promote", True)
    assert by_version["1.0.0"] is None  # The first: there was nothing to compare it with.
