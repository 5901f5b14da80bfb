"""The model of Cloud Run refuses what its reference says that the API refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.cloud_run import NAME, PINNED, SERVICE, TOKEN, CloudRunServer, CloudRunWorld

BY_HAND = f"{SERVICE}-00001-abc"
CONTAINERS = [{"image": "registry.example/a:1"}]


@pytest.fixture
def server() -> Iterator[CloudRunServer]:
    """A service that was deployed by hand."""
    with CloudRunServer(CloudRunWorld(FakeClock())) as server:
        yield server


def patch(server: CloudRunServer, mask: str, body: dict[str, Any], **query: str) -> tuple[int, str]:
    """Status and Google's name for it."""
    url, headers = f"{server.url}/v2/{NAME}", {"Authorization": f"Bearer {TOKEN}"}
    answer = httpx.patch(url, params={"updateMask": mask, **query}, json=body, headers=headers)
    return answer.status_code, answer.json().get("error", {}).get("status", "")


def test_a_new_revision_takes_what_goes_to_the_newest(server: CloudRunServer) -> None:
    """Which is why what serves has to be pinned."""
    assert [each["revision"] for each in server.world.shown()["trafficStatuses"]] == [BY_HAND]
    server.world.clock.sleep(1)
    assert patch(server, "template", {"template": {"containers": CONTAINERS, "revision": f"{SERVICE}-b"}}) == (200, "")
    assert [each["revision"] for each in server.world.shown()["trafficStatuses"]] == [f"{SERVICE}-b"]


@pytest.mark.parametrize(
    ("mask", "body", "answer"),
    [
        ("traffic", {"traffic": [{"type": PINNED, "revision": BY_HAND, "percent": 99}]}, (400, "INVALID_ARGUMENT")),
        (
            "traffic",
            {"traffic": [{"type": PINNED, "revision": "quotes-x", "percent": 100}]},
            (400, "FAILED_PRECONDITION"),
        ),
        ("template", {"template": {"containers": CONTAINERS, "revision": "other-1"}}, (400, "INVALID_ARGUMENT")),
        ("template", {"template": {"containers": CONTAINERS, "revision": BY_HAND}}, (409, "ALREADY_EXISTS")),
        ("annotations", {"annotations": {"run.googleapis.com/a": "b"}}, (400, "INVALID_ARGUMENT")),
        ("annotations", {"annotations": {}, "etag": '"0"'}, (409, "ABORTED")),
        ("uid", {"uid": "x"}, (400, "INVALID_ARGUMENT")),
    ],
)
def test_what_the_api_refuses(server: CloudRunServer, mask: str, body: dict[str, Any], answer: tuple[int, str]) -> None:
    """And nothing has changed then."""
    before = server.world.shown()
    assert patch(server, mask, body) == answer
    assert server.world.shown() == before


def test_what_is_only_validated_is_not_kept(server: CloudRunServer) -> None:
    before = server.world.shown()
    template = {"containers": CONTAINERS, "revision": f"{SERVICE}-b"}
    assert patch(server, "template", {"template": template}, validateOnly="true") == (200, "")
    assert server.world.shown() == before
    assert set(server.world.revisions) == {BY_HAND}


def test_a_revision_that_serves_is_not_deleted(server: CloudRunServer) -> None:
    url = f"{server.url}/v2/{NAME}/revisions/{BY_HAND}"
    assert httpx.delete(url, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 400
    assert httpx.delete(url).status_code == 401
