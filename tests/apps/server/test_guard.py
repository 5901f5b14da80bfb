"""Who is let in, who may change something, and what every answer carries."""

from __future__ import annotations

import socket

import httpx
import pytest
from fastapi.routing import APIRoute

from shipline.apps.server.api import API
from shipline.apps.server.live import Hub
from shipline.apps.server.pages import Pages
from shipline.apps.server.rendering import templates
from shipline.apps.server.sessions import SESSION_S_MAX, Sessions
from shipline.testing.fakes.clock import FakeClock
from tests.apps.server.conftest import Served
from tests.apps.server.serving import TOKEN

PAGES = ("/", "/releases", "/incidents", "/log", "/live", "/api/v1/releases", "/api/v1/log", "/nothing")


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_shown_without_the_token(served: Served, path: str) -> None:
    """Neither pages nor documents, nor whether there is anything at a path; the answer says where the token is."""
    with served.client() as stranger:
        answer = stranger.get(path)
        assert answer.status_code == 401
        assert "shipline up" in answer.text
        assert "quotes 1.1.0" not in answer.text
        assert stranger.get(path, headers={"Authorization": "Bearer " + "x" * 43}).status_code == 401
        assert stranger.get(path, params={"token": "x" * 43}).status_code == 401


def test_the_token_in_the_address_becomes_a_cookie_and_leaves_the_address(served: Served) -> None:
    with served.client() as client:
        answer = client.get("/log", params={"stream": "release:x", "token": TOKEN})
        assert answer.status_code == 303
        assert answer.headers["location"] == "/log?stream=release%3Ax"
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert TOKEN not in cookie
        assert client.get("/log").status_code == 200


def test_a_path_that_looks_like_a_host_redirects_to_ourselves(served: Served) -> None:
    with served.client() as client:
        answer = client.get(f"{served.url}//elsewhere.example/", params={"token": TOKEN})
        assert answer.headers["location"].startswith("/elsewhere.example")


def test_programs_come_with_a_bearer_token(served: Served) -> None:
    with served.client() as program:
        assert program.get("/api/v1/releases", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "[::2]"])
def test_a_name_that_is_not_of_loopback_is_refused(served: Served, host: str) -> None:
    """A page elsewhere may point its own name at this machine (DNS rebinding)."""
    with served.person() as person:
        assert person.get("/", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8484", "[::1]:8484", "LOCALHOST"])
def test_the_names_of_loopback_are_served(served: Served, host: str) -> None:
    with served.person() as person:
        assert person.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/healthz", "/static/shipline.css", "/api/v1/releases", "/missing"])
def test_every_answer_carries_the_security_headers(served: Served, path: str) -> None:
    with served.person() as person:
        headers = person.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


def test_pages_have_nothing_inline_that_the_policy_forbids(served: Served) -> None:
    """No script text, no style attribute, no handler attribute, no address elsewhere."""
    with served.person() as person:
        for name in ("live", "rolled_back"):
            text = person.get(f"/rollouts/{served.ids[name]}").text
            assert "<script>" not in text
            assert " style=" not in text
            assert " on" + "click" not in text
            assert "https://" not in text


def test_a_form_without_its_csrf_token_changes_nothing(served: Served) -> None:
    path = f"/rollouts/{served.ids['live']}"
    with served.person() as person, served.person() as other:
        before = served.csrf(person, path)
        for csrf in ("", "x" * 64, served.csrf(other, path)):
            answer = person.post(f"{path}/commands", data={"verb": "abort", "csrf": csrf})
            assert answer.status_code == 403, answer.text
        assert len(before) == 64
        assert "RolloutCommanded" not in person.get("/api/v1/log", params={"stream": f"rollout:{path[10:]}"}).text


def test_a_bearer_token_alone_changes_nothing(served: Served) -> None:
    """It has no session, so no form can be its own."""
    with served.client() as program:
        path = f"/rollouts/{served.ids['live']}/commands"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        csrf = Sessions(TOKEN, FakeClock()).csrf("")
        assert program.post(path, data={"verb": "abort", "csrf": csrf}, headers=headers).status_code == 403


def test_every_route_that_changes_something_checks_the_form(served: Served) -> None:
    sessions = Sessions(TOKEN, FakeClock())
    pages = Pages(served.stage.site, sessions, templates(FakeClock(), project="quotes"), Hub())
    routes = [route for route in pages.router().routes if isinstance(route, APIRoute)]
    changing = [route for route in routes if not (route.methods or set()) <= {"GET", "HEAD"}]
    assert changing
    for route in changing:
        assert pages.check_form in [dependency.dependency for dependency in route.dependencies]


def test_every_route_of_the_interface_that_changes_something_wants_the_token_itself(served: Served) -> None:
    """A session alone, which a browser sends along wherever a request comes from, changes nothing there."""
    routes = [route for route in API(served.stage.site).router().routes if isinstance(route, APIRoute)]
    changing = [route.path for route in routes if not (route.methods or set()) <= {"GET", "HEAD"}]
    assert changing
    with served.person() as person:
        assert {person.post(path, json={}).status_code for path in changing} == {403}


def test_a_form_that_is_too_large_or_of_unknown_length_is_refused(served: Served) -> None:
    with served.person() as person:
        path = f"/rollouts/{served.ids['live']}/commands"
        assert person.post(path, data={"verb": "x" * 70_000}).status_code == 413

        def endless() -> list[bytes]:
            return [b"verb=abort"]

        assert person.post(path, content=iter(endless())).status_code == 413


def test_a_session_ends_after_a_week_and_is_bound_to_its_token() -> None:
    clock = FakeClock()
    sessions = Sessions(TOKEN, clock)
    session = sessions.open()
    assert sessions.is_open(session)
    assert Sessions(TOKEN, clock).is_open(session), "a restart keeps it"
    assert not Sessions("u" * 43, clock).is_open(session)
    assert not sessions.is_open("9" + session)
    clock.sleep(SESSION_S_MAX + 2)
    assert not sessions.is_open(session)


def test_rubbish_is_answered_and_never_a_trace(served: Served) -> None:
    """Cookies, queries and paths of any bytes."""
    with served.person() as person:
        for path in (
            "/log?before=x",
            "/log?before=-1",
            "/log?stream=" + "y" * 300,
            "/releases/%00",
            "/rollouts/" + "z" * 99,
        ):
            answer = person.get(path)
            assert answer.status_code in {200, 400, 404}, path
            assert "Traceback" not in answer.text
    address = httpx.URL(served.url)
    with socket.create_connection((address.host, address.port or 0)) as raw:
        raw.sendall(b"GET /?token=%ff HTTP/1.1\r\nHost: localhost\r\nCookie: \xff\xfe=;\r\nConnection: close\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 401")
