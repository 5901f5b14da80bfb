"""The calendar on its page, as a document, and as a feed that calendar programs can subscribe to."""

from __future__ import annotations

import html
import re

import httpx
import pytest
from icalendar import Calendar

from shipline.apps.server.sessions import Sessions
from shipline.testing.fakes.clock import FakeClock
from tests.apps.server.conftest import Served
from tests.apps.server.serving import TOKEN
from tests.machine import NO_TLS

FEED_TOKEN = Sessions(TOKEN, FakeClock()).feed_token


def test_a_calendar_program_reads_the_feed_by_the_address_that_the_page_shows(served: Served) -> None:
    """It sends nothing but that address: no header, no cookie."""
    with served.person() as person:
        text = person.get("/calendar").text
    found = re.search(r'id="feed-address">([^<]+)<', text)
    assert found is not None
    answer = httpx.get(html.unescape(found[1]), verify=NO_TLS)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    events = Calendar.from_ical(answer.text).walk("VEVENT")
    names = {str(event["summary"]) for event in events}
    assert names == {"freeze: year end", "train: weekly", "window: nights"}


def test_the_page_says_what_is_open_and_what_comes(served: Served) -> None:
    with served.person() as person:
        text = person.get("/calendar").text
        document = person.get("/api/v1/calendar", params={"days": 7}).json()
    for words in ("staging is frozen by &#39;year end&#39;", "coordinator: ann", "nights", "2199-01-04 08:00"):
        assert words in text
    assert document["schema"] == "shipline.calendar/1"
    assert {one["stage"]: one["open"] for one in document["stages"]}["staging"] is False
    assert {one["name"] for one in document["periods"]} == {"year end", "weekly", "nights"}


@pytest.mark.parametrize("token", [TOKEN, "x" * 64, ""])
def test_no_other_token_opens_the_feed(served: Served, token: str) -> None:
    """The page's neither: an address that a program keeps, and may show, must not be one that can roll back."""
    answer = httpx.get(f"{served.url}/calendar.ics", params={"token": token}, verify=NO_TLS)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/calendar", "/log", "/api/v1/calendar", "/api/v1/log"])
def test_the_token_of_the_feed_opens_nothing_else(served: Served, path: str) -> None:
    bearer = {"Authorization": f"Bearer {FEED_TOKEN}"}
    assert httpx.get(f"{served.url}{path}", verify=NO_TLS, params={"token": FEED_TOKEN}).status_code == 401
    assert httpx.get(f"{served.url}{path}", verify=NO_TLS, headers=bearer).status_code == 401
    said = httpx.post(f"{served.url}/calendar.ics", params={"token": FEED_TOKEN}, verify=NO_TLS)
    assert said.status_code == 405


def test_a_person_reads_the_feed_too_and_how_far_it_looks_is_bounded(served: Served) -> None:
    with served.person() as person:
        assert person.get("/calendar.ics", params={"days": 366}).status_code == 200
        assert person.get("/calendar.ics", params={"days": 367}).status_code == 400
