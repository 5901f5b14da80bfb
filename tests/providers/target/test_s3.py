"""Sites in a bucket, from the files of a release: moto's server keeps the objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.clients.s3 import Content
from shipline.domain.errors import ConfigurationError, ConflictError, RefusedError, ShiplineError, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import Group, GroupSpec, Role, Target
from shipline.providers.target.s3 import S3Target
from shipline.providers.target.site_source import VERSIONS_KEPT
from shipline.testing.conformance.target import BETTER, BROKEN, GOOD, PACKAGE, TargetConformance, found
from shipline.testing.fakes.clock import FakeClock
from tests.aws import REGION
from tests.buckets import NAME, Before, BucketWorld
from tests.sites import release_site


@pytest.fixture(scope="module")
def server(moto_port: int) -> Iterator[Before]:
    with Before(moto_port) as server:
        yield server


@pytest.fixture
def world(server: Before, monkeypatch: pytest.MonkeyPatch) -> BucketWorld:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    server.before = lambda _method, _path: None
    return BucketWorld(server)


@pytest.fixture
def digests(tmp_path: Path) -> dict[str, tuple[str, ...]]:
    """The digests of the released sites by version; the broken one lacks its first page."""
    pages = {version: {"index.html": version, "deep/päge 1+1.css": "page"} for version in (GOOD, BETTER)}
    pages[BROKEN] = {"it is broken": "really"}
    return {version: (release_site(tmp_path, PACKAGE, version, files),) for version, files in pages.items()}


@pytest.fixture
def open_target(world: BucketWorld, tmp_path: Path) -> Callable[..., S3Target]:
    """A provider of its own, as another engine would have it."""

    def made(environment: str = "docs", **changes: Any) -> S3Target:
        given = {"region": REGION, "bucket": NAME, "prefix": "docs/", "endpoint_url": world.server.url, **changes}
        context = ProviderContext(tmp_path, tmp_path / "state", FakeClock(), environment)
        return S3Target(S3Target.Settings(**given), context)

    return made


@pytest.fixture
def target(open_target: Callable[..., S3Target], digests: dict[str, tuple[str, ...]]) -> S3Target:
    """A target where the good version is prepared."""
    target = open_target()
    target.prepare(PACKAGE, GOOD, digests[GOOD])
    return target


@pytest.fixture
def one(digests: dict[str, tuple[str, ...]]) -> GroupSpec:
    return GroupSpec("one", Role.STABLE, PACKAGE, GOOD, 2, digests[GOOD])


class TestS3Target(TargetConformance):
    @pytest.fixture
    def digests_of(self, digests: dict[str, tuple[str, ...]]) -> Callable[[str], tuple[str, ...]]:
        return digests.__getitem__

    @pytest.fixture
    def open_target(self, open_target: Callable[..., S3Target]) -> Callable[[], Target]:
        return open_target

    @pytest.fixture
    def kill_copy(self, world: BucketWorld) -> Callable[[Target, str], None]:
        def kill_copy(target: Target, group_id: str) -> None:
            assert not found(target, group_id).trouble
            world.bucket.delete([key for key in world.keys("docs/sites/") if key.endswith("/index.html")])

        return kill_copy

    def test_a_copy_that_died_is_missed_and_run_again(
        self,
        target: Target,
        until_whole: Callable[[Target, str], Group],
        kill_copy: Callable[[Target, str], None],
        one: GroupSpec,
    ) -> None:
        """All copies are one prefix: what damages it takes them all, and `run` puts it back."""
        target.run(one, revision=1)
        whole = until_whole(target, "one")
        kill_copy(target, "one")
        hurt = found(target, "one")
        assert (hurt.spec, hurt.ready, hurt.lives) == (one, 0, False)
        assert "has no index.html; it has deep/päge 1+1.css" in hurt.trouble
        assert target.run(hurt.spec, revision=2) == whole


@pytest.mark.usefixtures("target")
def test_files_are_put_below_a_prefix_of_the_version(world: BucketWorld) -> None:
    """What is known of the site comes last. Users are led nowhere by that."""
    (noted,) = world.keys("docs/.shipline/")
    name = noted.removeprefix("docs/.shipline/sites/")
    files = {key: world.bucket.get(key) for key in world.keys("docs/sites/")}
    assert list(files) == [f"docs/sites/{name}/deep/päge 1+1.css", f"docs/sites/{name}/index.html"]
    assert [stored.content for stored in files.values() if stored is not None] == [b"page", GOOD.encode()]
    assert not world.bucket.has("docs/index.html")


def test_half_an_upload_is_done_over(
    world: BucketWorld, open_target: Callable[..., S3Target], digests: dict[str, tuple[str, ...]], one: GroupSpec
) -> None:
    """The engine ended after some of the files; what else lies there goes."""

    def dies(method: str, path: str) -> None:
        if method == "PUT" and path.endswith(".css"):
            raise ConnectionError

    world.server.before = dies
    with pytest.raises(UnavailableError):
        open_target().prepare(PACKAGE, GOOD, digests[GOOD])
    with pytest.raises(ShiplineError, match="not prepared"):
        open_target().run(one, revision=1)
    world.server.before = lambda _method, _path: None
    (half,) = world.keys("docs/sites/")
    world.bucket.put(half.replace("index", "strange"), Content(b"x", "text/plain"))
    open_target().prepare(PACKAGE, GOOD, digests[GOOD])
    assert open_target().run(one, revision=1).is_whole
    assert len(world.keys("docs/sites/")) == 2


def test_other_bytes_under_the_same_version_are_not_put_there(
    world: BucketWorld, open_target: Callable[..., S3Target], digests: dict[str, tuple[str, ...]], tmp_path: Path
) -> None:
    with pytest.raises(ShiplineError, match="other bytes"):
        open_target().prepare(PACKAGE, GOOD, digests[BETTER])
    assert world.keys() == []
    assert list((tmp_path / "state" / "work").glob("*.tar")) == []


def test_a_decision_that_was_overtaken_is_refused(world: BucketWorld, target: S3Target, one: GroupSpec) -> None:
    """An engine that was paused between its look and its write finds that somebody else has written since."""
    target.run(one, revision=1)
    (tar_key,) = world.keys("docs/.shipline/target")

    def overtakes(method: str, path: str) -> None:
        if method == "PUT" and path.endswith("target.json"):
            world.server.before = lambda _method, _path: None
            stored = world.bucket.get(tar_key)
            assert stored is not None
            newer = stored.content.replace(b'"revision": 1', b'"revision": 3')
            world.bucket.put(tar_key, Content(newer, "application/json"))

    world.server.before = overtakes
    with pytest.raises(UnavailableError, match="changed by somebody else"):
        target.run(replace(one, size=1), revision=2)
    assert found(target, "one").size == 2
    with pytest.raises(RefusedError):
        target.run(replace(one, size=1), revision=2)


def test_what_users_see_is_not_stopped_and_the_newest_sites_stay(
    world: BucketWorld, target: S3Target, one: GroupSpec, tmp_path: Path
) -> None:
    """Those that groups need, and a few more."""
    target.run(one, revision=1)
    page = Content(b"", "text/html", metadata={"shipline-group": "one"})
    world.bucket.put("docs/index.html", page)
    with pytest.raises(RefusedError, match="what users see"):
        target.stop("one", revision=2)
    for number in range(VERSIONS_KEPT + 2):
        version = f"2.{number}.0"
        digest = release_site(tmp_path, PACKAGE, version, {"index.html": version})
        target.prepare(PACKAGE, version, (digest,))
        # Moments of a list are whole seconds in moto, so what is as old is told apart by its name.
        target.run(replace(one, id="two", version=version, digests=(digest,)), revision=2)
        target.stop("two", revision=2)
    names = {key.split("/")[2].rpartition("-")[0] for key in world.keys("docs/sites/")}
    assert names == {f"{PACKAGE}-1.0.0", *(f"{PACKAGE}-2.{number}.0" for number in range(2, VERSIONS_KEPT + 2))}
    assert found(target, "one").is_whole


def test_a_part_of_a_bucket_belongs_to_one_environment(
    target: S3Target, open_target: Callable[..., S3Target], one: GroupSpec
) -> None:
    target.run(one, revision=1)
    with pytest.raises(ConflictError, match="belongs to the environment docs"):
        open_target("other").groups()
    assert open_target("other", prefix="").groups() == ()


def test_a_bucket_that_is_not_there_is_told(
    open_target: Callable[..., S3Target], digests: dict[str, tuple[str, ...]]
) -> None:
    with pytest.raises(ConfigurationError, match="NoSuchBucket"):
        open_target(bucket="nobody-s").prepare(PACKAGE, GOOD, digests[GOOD])


@pytest.mark.parametrize(
    "wrong",
    [
        {"region": "moon"},
        {"bucket": "A"},
        {"bucket": "a..b"},
        {"prefix": "docs"},
        {"prefix": "../"},
        {"prefix": ".shipline/"},
        {"source": "sites/site.tar"},
        {"must_have": "../x"},
        {"username": "me"},
        {"endpoint_url": "http://s3.example"},
    ],
    ids=str,
)
def test_settings_that_can_only_be_a_mistake_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        S3Target.Settings(**{"region": REGION, "bucket": NAME, **wrong})
