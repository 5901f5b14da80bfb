"""What forges send to `/hooks/`: who is believed, what is kept before the answer, and what is refused."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import httpx
import pytest

from shipline.apps.server import hooks
from shipline.capabilities.automation import Delivery, Wanted, latest_deliveries, tell_health
from shipline.capabilities.automation.watching import Ail, Finding
from shipline.domain.errors import UnknownName
from shipline.store.database import Store
from shipline.store.event_writer import EventWriter
from tests.apps.server.conftest import Served
from tests.apps.server.serving import TOKEN, serving
from tests.capabilities.automation.payloads import gitea_push, github_push, gitlab_push
from tests.machine import NO_TLS

SECRET = "a secret of the hook"


def secrets_of(forge: str) -> tuple[str, ...]:
    if forge == "gitea":
        raise UnknownName("no hooks of gitea are taken here")
    return ("the one before", SECRET)


@dataclass(frozen=True, slots=True)
class Forge:
    """Sends hooks as forges do."""

    url: str
    store: Store

    def github(self, body: bytes, *, name: str = "guid-1", key: str = SECRET, **headers: str) -> httpx.Response:
        digest = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
        own = {"X-GitHub-Event": "push", "X-GitHub-Delivery": name, "X-Hub-Signature-256": f"sha256={digest}"}
        return self.send("github", body, own | headers)

    def send(self, forge: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        kind = {"Content-Type": "application/json"}
        return httpx.post(f"{self.url}/hooks/{forge}", content=body, headers=kind | headers, verify=NO_TLS, timeout=60)

    def kept(self) -> tuple[Delivery, ...]:
        with self.store.begin() as tx:
            return latest_deliveries(tx, limit=100)


@pytest.fixture
def forge(fresh: Served) -> Iterator[Forge]:
    with serving(replace(fresh.stage.site, hook_secrets=secrets_of)) as url:
        yield Forge(url, fresh.stage.site.store)


def body_of(**more: object) -> bytes:
    return json.dumps(github_push() | more).encode()


def test_a_signed_delivery_is_on_the_disk_when_it_is_answered(forge: Forge) -> None:
    """Under whatever name a proxy passes it on, and once, however often it comes."""
    answers = [forge.github(body_of(), Host="hooks.example") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {202}
    (kept,) = forge.kept()
    assert (kept.hook, kept.identity, kept.event, kept.repeats) == ("github", "guid-1", "push", 2)


def test_the_page_says_how_the_hook_stands_that_is_watched(fresh: Served) -> None:
    """What was told last; words of the forge's are text."""
    site = replace(fresh.stage.site, watched_forge=lambda: "gitlab")
    url, said = "https://hooks.example/hooks/gitlab", Finding(Ail.OFF, "the hook is off (<b>)", "switch it on")
    person = httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}, verify=NO_TLS)
    with serving(site) as served, person:
        assert "was not looked at yet" in person.get(f"{served}/deliveries").text
        bad, good = "<li>the hook is off (&lt;b&gt;): switch it on</li>", "works</span> since"
        for findings, words in ((said,), bad), ((), good):
            with site.store.begin() as tx:
                tell_health(tx, EventWriter(site.engine.ids, site.clock), Wanted("gitlab", url, frozenset()), findings)
            text = person.get(f"{served}/deliveries").text
            assert words in text
            assert url in text


def test_gitlab_names_its_deliveries_by_a_key_that_stays(forge: Forge) -> None:
    headers = {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": SECRET, "Idempotency-Key": "key-1"}
    body = json.dumps(gitlab_push()).encode()
    assert [forge.send("gitlab", body, headers).status_code for _ in range(2)] == [202, 202]
    (kept,) = forge.kept()
    assert (kept.identity, kept.event, kept.repeats) == ("key-1", "push", 1)


@pytest.mark.parametrize("key", ["", "another secret"])
def test_what_is_forged_leaves_nothing(forge: Forge, key: str) -> None:
    """And says to nobody why."""
    assert forge.github(body_of(), key=key).status_code == 401
    assert forge.send("github", body_of(), {"X-GitHub-Event": "push"}).status_code == 401
    assert forge.kept() == ()
    person = httpx.get(f"{forge.url}/deliveries", headers={"Authorization": f"Bearer {TOKEN}"}, verify=NO_TLS)
    assert "2 forged" in person.text


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"no json", {}, 400),
        (b"[" * 200_000, {}, 400),
        (b"[]", {}, 400),
        (b'{"ref": "a", "ref": "b"}', {}, 400),
        (body_of(), {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (body_of(), {"X-Gitea-Event": "push"}, 400),
    ],
)
def test_what_is_no_delivery_is_refused_in_words(
    forge: Forge, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = forge.github(body, **headers)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert forge.kept() == ()


def test_what_is_too_large_is_refused(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the length that it says, and while it comes where it says none; a whole one may be refused for others."""
    monkeypatch.setattr(hooks, "BODY_BYTES_MAX", 1000)
    assert forge.github(body_of(note="x" * 1000)).status_code == 413
    pieces = iter([b"x" * 600, b"x" * 600])
    headers = {"X-GitHub-Event": "push", "Content-Type": "application/json"}
    answer = httpx.post(f"{forge.url}/hooks/github", content=pieces, headers=headers, verify=NO_TLS)
    assert answer.status_code == 413
    monkeypatch.setattr(hooks, "HELD_BYTES_MAX", 100)
    busy = forge.github(body_of(note="x" * 200))
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "5")
    assert forge.kept() == ()


def test_hooks_that_nobody_has_set_up_are_refused(forge: Forge) -> None:
    body = json.dumps(gitea_push()).encode()
    assert forge.send("gitea", body, {"X-Gitea-Event": "push", "X-GitHub-Event": "push"}).status_code == 404
    assert forge.send("elsewhere", body, {}).status_code == 404
    assert httpx.get(f"{forge.url}/hooks/github", verify=NO_TLS).status_code == 405


def test_many_at_once_are_all_kept(forge: Forge) -> None:
    """They wait for the disk together."""
    with ThreadPoolExecutor(16) as pool:
        answers = pool.map(lambda number: forge.github(body_of(), name=f"guid-{number % 40}"), range(60))
        assert {answer.status_code for answer in answers} == {202}
    kept = forge.kept()
    assert (len(kept), sum(each.repeats for each in kept)) == (40, 20)


def test_the_pages_show_what_came_and_take_it_up_once_more(forge: Forge) -> None:
    """Nothing of it is taken for the page's own."""
    assert forge.github(body_of(note="<script>alert(1)</script>")).status_code == 202
    (kept,) = forge.kept()
    with httpx.Client(base_url=forge.url, verify=NO_TLS, timeout=60) as person:
        assert person.get("/deliveries").status_code == 401
        person.get("/", params={"token": TOKEN})
        assert f"/deliveries/{kept.number}" in person.get("/deliveries").text
        text = person.get(f"/deliveries/{kept.number}").text
        assert "<script>alert" not in text
        csrf = text.partition('name="csrf" value="')[2].partition('"')[0]
        assert person.post(f"/deliveries/{kept.number}/replay", data={"csrf": "no"}).status_code == 403
        answer = person.post(f"/deliveries/{kept.number}/replay", data={"csrf": csrf})
        assert answer.headers["location"] == f"/deliveries/{kept.number}?said=replay"
        assert person.get(f"/deliveries/{kept.number + 1}").status_code == 404
        assert "Nothing here" in person.get("/deliveries", params={"before": 1}).text
