"""The fakes send webhooks as the forges do: signed, once, in no promised order, and again on request."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.ports.forge import Known
from shipline.ports.forge.hooks import HookEvent
from shipline.ports.forge.tracker import IssueDraft
from tests.hook_receiver import Receiver, receiving
from tests.providers.forge.places import KINDS, TOKEN, Place, running

SECRET = "It's a Secret to Everybody"
ALL = frozenset(HookEvent)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture(params=sorted(KINDS))
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    with running(request.param, tmp_path) as made:
        yield made


def test_what_happens_is_sent_and_signed(place: Place, receiver: Receiver) -> None:
    """A comment, a tag and a milestone; Gitea tells of no milestones."""
    forge = place.forge
    forge.ensure_hook(receiver.url, events=ALL, secret=SECRET)
    forge.create_milestone("1.4.0")
    forge.create_tag("v1.4.0", place.commits[0])
    forge.create_issue(IssueDraft("one", "body"), marker="one")
    kind = place.server.dialect.prefix
    titles = [(body.get("milestone") or body.get("object_attributes") or {}).get("title") for body in receiver.bodies()]
    assert ("1.4.0" in titles) == (kind != "/api/v1")
    (push,) = [body for body in receiver.bodies() if body.get("ref")]
    assert (push["ref"], push["after"]) == ("refs/tags/v1.4.0", place.commits[0])
    for headers, body in receiver.came:
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        if kind == "/api/v4":
            assert headers["x-gitlab-token"] == SECRET
        else:
            assert headers["x-hub-signature-256"] == f"sha256={signature}"
        assert ("x-gitea-signature" in headers) == (kind == "/api/v1")
        if kind == "/api/v1":
            assert headers["x-gitea-signature"] == signature


def test_what_waits_can_come_in_another_order_twice_or_never(place: Place, receiver: Receiver) -> None:
    place.forge.ensure_hook(receiver.url, events=frozenset({HookEvent.PUSH}), secret=SECRET)
    courier = place.server.courier
    courier.held = True
    for name in ("v1", "v2", "v3"):
        place.forge.create_tag(name, place.commits[0])
    first, second, _ = courier.pending
    courier.pending.clear()
    courier.pending.extend([second, first, first])
    courier.settle()
    assert [body["ref"][-2:] for body in receiver.bodies()] == ["v2", "v1", "v1"]


def test_what_failed_is_seen_and_sent_again_under_its_own_id(receiver: Receiver, place: Place) -> None:
    hook = place.forge.ensure_hook(receiver.url, events=ALL, secret=SECRET)
    receiver.status = 500
    place.forge.create_tag("v1.4.0", place.commits[0])
    if place.server.dialect.prefix == "/api/v1":
        assert place.forge.deliveries(hook.key) == ()
        return
    (failed,) = place.forge.deliveries(hook.key)
    assert failed.status == 500
    receiver.status = 200
    place.forge.redeliver(hook.key, failed.key)
    assert [one.status for one in place.forge.deliveries(hook.key)] == [200, 500]
    assert [one.identity for one in place.forge.deliveries(hook.key)] == [failed.identity] * 2
    one, two = receiver.came
    assert one[1] == two[1]
    name = "idempotency-key" if place.server.dialect.prefix == "/api/v4" else "x-github-delivery"
    assert one[0][name] == two[0][name] == failed.identity


def test_gitlab_switches_off_what_fails_and_a_test_switches_it_on(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    with running("gitlab", tmp_path) as place:
        hook = place.forge.ensure_hook(receiver.url, events=ALL, secret=SECRET)
        receiver.status = 500
        for number in range(6):
            place.forge.create_tag(f"v{number}", place.commits[0])
        assert len(receiver.came) == 4
        (found,) = place.forge.hooks()
        assert (found.active, found.healthy) == (False, Known.NO)
        receiver.status = 204
        assert place.forge.revive_hook(hook.key).active
        place.forge.create_tag("v9", place.commits[0])
        assert receiver.bodies()[-1]["ref"] == "refs/tags/v9"
