"""Asking on the page and over the interface: told first, then exactly that, once."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shipline.apps.server.serve import site_of
from shipline.bootstrap import Application
from shipline.capabilities.releases import all_releases
from shipline.capabilities.rollouts import all_rollouts
from shipline.testing.histories import History
from tests.apps.server.serving import TOKEN, serving
from tests.machine import NO_TLS, wait_until
from tests.test_bootstrap_asked import application

__all__ = ["application"]
BEARER = {"Authorization": f"Bearer {TOKEN}"}
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
RELEASING = 'schema = 1\n[release]\nbranch = "main"\nremote = "origin"\n'


def client(url: str, **given: dict[str, str]) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=60, verify=NO_TLS, **given)  # type: ignore[arg-type] # Its headers.


@pytest.fixture
def url(application: Application) -> Iterator[str]:
    with serving(site_of(application)) as found:
        yield found


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Application, str, History]]:
    """A server's copy of a repository of which something is to be released."""
    person, bare, copy = History(tmp_path / "person"), tmp_path / "origin.git", tmp_path / "quotes"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
    person.commit("feat: say something", {"VERSION": "0.0.0\n", "shipline.toml": RELEASING})
    person.git("remote", "add", "origin", str(bare))
    person.git("push", "--quiet", "--set-upstream", "origin", "main")
    subprocess.run(["git", "clone", "--quiet", str(bare), str(copy)], check=True)
    for name in ("user.name", "user.email"):
        subprocess.run(["git", "-C", str(copy), "config", name, "robot@example.com"], check=True)
    made = Application(copy)
    made.is_server = True
    with serving(site_of(made)) as found:
        yield made, found, person
    made.store.close()


def hidden(text: str) -> dict[str, str]:
    """What the page's last form carries."""
    return dict(HIDDEN.findall(text.rpartition("<form")[2]))


def test_a_promotion_is_told_first_and_is_exactly_that(application: Application, url: str) -> None:
    """Only by a form of the session; the button leads to the rollout."""
    with client(url) as person:
        person.get("/", params={"token": TOKEN})
        page = person.get("/environments/production").text
        assert "What staging serves comes here" in page
        form = {"verb": "promote", "csrf": hidden(page)["csrf"]}
        assert person.post("/ask/environments/production", data=form | {"csrf": "x"}).status_code == 403
        assert person.post("/ask/environments/nowhere", data=form).status_code == 404
        assert person.post("/ask/environments/production", data=form | {"verb": "drop"}).status_code == 400
        told = person.post("/ask/environments/production", data=form)
        assert "production gets quotes 1.1.0, by all-at-once" in told.text
        order = hidden(told.text)
        assert (order["version"], order["package"]) == ("1.1.0", "quotes")
        places = {person.post("/ask/environments/production/order", data=order).headers["location"] for _ in range(2)}
        refused = person.post("/ask/environments/production", data=form | {"verb": "hotfix", "version": "1.1.0"})
        assert (refused.status_code, "is no hotfix" in refused.text) == (409, True)
    with application.store.begin() as tx:
        (rollout,) = (one for one in all_rollouts(tx) if one.environment == "production")
    assert (places, rollout.ordered_by) == ({f"/rollouts/{rollout.id}"}, "web@local")


def test_a_program_promotes_once_for_its_key(url: str) -> None:
    path = "/api/v1/environments/production/promotion"
    with client(url, headers=BEARER | {"Idempotency-Key": "job-7"}) as program:
        answers = [program.post(path, json={}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [202, 202]
        assert len({answer.json()["rollout"]["id"] for answer in answers}) == 1
        assert answers[0].json()["rollout"]["version"] == "1.1.0"
        assert program.post("/api/v1/environments/nowhere/promotion", json={}).status_code == 404
    with client(url) as stranger:
        stranger.get("/", params={"token": TOKEN})
        assert stranger.post(path, json={}).status_code == 403


def test_a_release_is_told_ordered_once_and_followed(server: tuple[Application, str, History]) -> None:
    made, url, person = server
    with client(url) as browser, client(url, headers=BEARER) as program:
        told = program.post("/api/v1/releases", json={"dry_run": "yes"})
        assert (told.status_code, told.json()["schema"]) == (200, "shipline.release-foretold/1")
        assert told.json()["sentences"][0].startswith("quotes 0.1.0: ")
        wrong = program.post("/api/v1/releases", json={"version": "7.0.0"})
        assert (wrong.status_code, "0.1.0 is" in wrong.json()["what"]) == (409, True)
        assert program.post("/api/v1/releases", json={"package": "a b"}).status_code == 400
        browser.get("/", params={"token": TOKEN})
        form = {"csrf": hidden(browser.get("/releases").text)["csrf"]}
        assert browser.post("/ask/release", data={}).status_code == 403
        page = browser.post("/ask/release", data=form).text
        assert "quotes 0.1.0" in page
        # Something comes meanwhile: that was not foretold.
        person.commit("feat!: say it otherwise", {"MORE": "more"})
        person.git("push", "--quiet", "origin", "main")
        late = browser.post("/ask/release/order", data=hidden(page)).headers["location"]
        wait_until(lambda: made.engine.sweep() == 0 and "Ended" in browser.get(late).text, "the order has ended")
        assert "something else is due by now" in browser.get(late).text
        assert browser.get("/asked/run_none").status_code == 404
        key = {"Idempotency-Key": "job-8"}
        orders = {program.post("/api/v1/releases", json={}, headers=key).json()["id"] for _ in range(2)}
        (order,) = orders
        assert program.post("/api/v1/releases", json={"version": "1.0.0"}, headers=key).status_code == 409

        def has_ended() -> bool:
            made.engine.sweep()
            return str(program.get(f"/api/v1/release-orders/{order}").json()["status"]) == "ended"

        wait_until(has_ended, "the release has ended")
        words = program.get(f"/api/v1/release-orders/{order}").json()["words"]
        assert words.startswith("released; quotes "), words
        assert "released; quotes" in browser.get(f"/asked/{order}").text
        again = program.post("/api/v1/releases", json={}, headers=key)
        assert (again.status_code, again.json()["id"]) == (202, order)
    with made.store.begin() as tx:
        assert len(all_releases(tx)) == 1
