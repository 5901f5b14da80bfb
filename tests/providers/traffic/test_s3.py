"""A switch by one page in a bucket: moto's server keeps the objects, and their conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from shipline.clients.s3 import Content, ObjectChanged
from shipline.clients.site_bucket import SiteBucket, page
from shipline.domain.errors import ConfigurationError, ConflictError, ShiplineError, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.traffic import Traffic
from shipline.providers.traffic.s3 import S3Traffic
from shipline.testing.conformance.switch import SwitchConformance
from shipline.testing.conformance.traffic import OLD, shares, split
from shipline.testing.fakes.clock import FakeClock
from tests.aws import REGION
from tests.buckets import NAME, Before, BucketWorld


@pytest.fixture(scope="module")
def server(moto_port: int) -> Iterator[Before]:
    with Before(moto_port) as server:
        yield server


@pytest.fixture
def world(server: Before, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> BucketWorld:
    """A bucket with the sites of the groups `old` and `new`."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    server.before = lambda _method, _path: None
    world = BucketWorld(server)
    site = SiteBucket(world.place, NAME, "docs/", FakeClock())
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(name)
        site.upload(f"site {name}", tmp_path / name, ["index.html"], entry="index.html")
        site.set_group(name, f"site {name}")
    return world


@pytest.fixture
def open_traffic(world: BucketWorld, tmp_path: Path) -> Callable[..., S3Traffic]:
    def made(environment: str = "docs") -> S3Traffic:
        settings = S3Traffic.Settings(REGION, NAME, "127.0.0.1:80", prefix="docs/", endpoint_url=world.server.url)
        return S3Traffic(settings, ProviderContext(tmp_path, tmp_path / "state", FakeClock(), environment))

    return made


@pytest.fixture
def traffic(open_traffic: Callable[..., S3Traffic]) -> S3Traffic:
    traffic = open_traffic()
    traffic.open(revision=0)
    return traffic


class TestS3Traffic(SwitchConformance):
    @pytest.fixture
    def open_traffic(self, open_traffic: Callable[..., S3Traffic]) -> Callable[[], Traffic]:
        return open_traffic


def test_the_page_leads_to_the_version_and_says_so(traffic: S3Traffic, world: BucketWorld) -> None:
    """To people and crawlers by a page, to a server in front of the bucket by its metadata. It is one write."""
    writes: list[str] = []
    traffic.apply((OLD,), revision=1)
    world.server.before = lambda method, path: writes.append(path) if method != "GET" else None
    traffic.apply(split(1.0), revision=2)
    assert [path for path in writes if ".shipline" not in path] == [f"/{NAME}/docs/index.html"]
    shown = world.bucket.get("docs/index.html")
    assert shown is not None
    assert b'content="0; url=sites/site%20new/index.html"' in shown.content
    own = {"shipline-group": "new", "shipline-site": "sites/site new/"}
    assert dict(shown.metadata) == {**own, "shipline-revision": "2", "shipline-write": "2"}


def test_what_is_in_the_page_is_text() -> None:
    assert '"><script>' not in page('sites/x"><script>/index.html', revision=1, write=1)


def test_a_switch_that_was_overtaken_takes_no_effect(
    traffic: S3Traffic, open_traffic: Callable[..., S3Traffic], world: BucketWorld
) -> None:
    """An engine that was paused before its write, whichever that is, and goes on when a newer one has decided: that the
    same version is shown again does not make the page the one that it has read."""
    traffic.apply((OLD,), revision=1)
    for revision, name in ((2, "traffic.json"), (4, "docs/index.html")):

        def overtakes(method: str, path: str, *, revision: int = revision, name: str = name) -> None:
            if method == "PUT" and path.endswith(name):
                world.server.before = lambda _method, _path: None
                open_traffic().apply(split(1.0), revision=revision + 1)
                open_traffic().apply((OLD,), revision=revision + 1)

        world.server.before = overtakes
        with pytest.raises(ObjectChanged):
            traffic.apply(split(1.0), revision=revision)
        assert shares(traffic) == {"old": 1.0, "new": 0.0}


@pytest.mark.parametrize("newer", ["apply", "forget", "close", "open"])
def test_a_newer_decision_that_shows_the_same_overtakes_too(
    traffic: S3Traffic, open_traffic: Callable[..., S3Traffic], world: BucketWorld, newer: str
) -> None:
    """An engine is paused when it has noted its decision and not yet replaced the page: that the newer one had nothing
    else to show does not leave the page to it."""
    late, calls = decisions(traffic, open_traffic(), newer)
    writes: list[str] = []

    def overtakes(method: str, path: str) -> None:
        if method == "PUT" and path.endswith("docs/index.html"):
            world.server.before = lambda _method, _path: None
            for call in calls:
                call()
            writes.append(path)

    world.server.before = overtakes
    with pytest.raises(ObjectChanged):
        late()
    assert writes != []
    pointer = SiteBucket(world.place, NAME, "docs/", FakeClock()).pointer()
    assert pointer.group_id == (None if newer == "close" else "old")


def decisions(traffic: S3Traffic, other: S3Traffic, newer: str) -> tuple[Callable[[], None], list[Callable[[], None]]]:
    """What an engine was about to do, and what another one has done since."""
    if newer == "close":
        traffic.apply((OLD,), revision=1)
        traffic.close(revision=2)
        return partial(traffic.open, revision=3), [partial(other.close, revision=4)]
    traffic.apply((OLD,), revision=1)
    if newer == "open":
        return partial(traffic.close, revision=2), [partial(other.open, revision=3)]
    late = partial(traffic.apply, split(1.0), revision=2)
    if newer == "apply":
        return late, [partial(other.apply, (OLD,), revision=3)]
    return late, [partial(other.forget, "new", revision=3)]


def test_a_switch_by_hand_is_seen(traffic: S3Traffic, world: BucketWorld) -> None:
    """The page says what is served, not what was remembered; opening leaves it."""
    traffic.apply(split(1.0), revision=1)
    stored = world.bucket.get("docs/index.html")
    assert stored is not None
    own = {"shipline-group": "old", "shipline-site": "sites/site old/"}
    world.bucket.put("docs/index.html", Content(stored.content, "text/html", metadata=own))
    assert shares(traffic) == {"old": 1.0, "new": 0.0}
    traffic.open(revision=1)
    assert shares(traffic) == {"old": 1.0, "new": 0.0}


def test_somebody_else_s_page_is_left_alone(open_traffic: Callable[..., S3Traffic], world: BucketWorld) -> None:
    world.bucket.put("docs/index.html", Content(b"mine", "text/html"))
    with pytest.raises(ConflictError, match="not Shipline's"):
        open_traffic().open(revision=0)
    stored = world.bucket.get("docs/index.html")
    assert stored is not None
    assert stored.content == b"mine"


def test_what_is_not_in_the_bucket_is_not_shown(traffic: S3Traffic, world: BucketWorld) -> None:
    """Nothing changes then; a target that was given another prefix is the likely cause."""
    traffic.apply((OLD,), revision=1)
    world.bucket.delete(["docs/.shipline/sites/site new"])
    with pytest.raises(ShiplineError, match="has no site in"):
        traffic.apply(split(1.0), revision=2)
    assert traffic.routes() == (OLD,)


@pytest.mark.usefixtures("traffic")
def test_a_part_of_a_bucket_belongs_to_one_environment(open_traffic: Callable[..., S3Traffic]) -> None:
    with pytest.raises(ConflictError, match="belongs to the environment docs"):
        open_traffic("other").open(revision=0)


def test_a_site_that_was_not_opened_has_no_routes_to_tell(open_traffic: Callable[..., S3Traffic]) -> None:
    """It is unavailable, not empty."""
    with pytest.raises(UnavailableError):
        open_traffic().apply((OLD,), revision=1)


@pytest.mark.parametrize("wrong", [{"address": "x"}, {"bucket": "_"}, {"prefix": "/"}, {"region": ""}], ids=str)
def test_settings_that_can_only_be_a_mistake_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        S3Traffic.Settings(**{"region": REGION, "bucket": NAME, "address": "127.0.0.1:80", **wrong})


def test_a_preview_has_a_page_of_its_own_until_it_is_none(traffic: S3Traffic, world: BucketWorld) -> None:
    """What users see stays as it is meanwhile."""
    bucket = SiteBucket(world.place, NAME, "docs/", FakeClock())
    old, new = split(0.0)
    traffic.apply((old, replace(new, preview=True)), revision=1)
    assert (bucket.pointer().group_id, bucket.previewed().group_id) == ("old", "new")
    found = bucket.bucket.get("docs/preview.html")
    assert found is not None
    assert b"sites/site%20new/index.html" in found.content
    traffic.apply(split(1.0), revision=2)
    assert (bucket.pointer().group_id, bucket.previewed().group_id) == ("new", None)
    gone, all_of_it = split(1.0)
    traffic.apply((replace(gone, preview=True), all_of_it), revision=3)
    traffic.close(revision=4)
    assert (bucket.pointer().group_id, bucket.previewed().group_id) == (None, None)
