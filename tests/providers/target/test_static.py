"""Sites in a folder, from the files of a release and from a server."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.clients.released_names import folder_name
from shipline.clients.site_archive import site_name
from shipline.domain.errors import ConfigurationError, InvalidValue, RefusedError, ShiplineError, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import Group, GroupSpec, Role, Target
from shipline.providers.target.site_source import VERSIONS_KEPT, Site, SiteSource
from shipline.providers.target.static import StaticTarget
from shipline.testing.conformance.target import BETTER, BROKEN, GOOD, PACKAGE, TargetConformance, found
from shipline.testing.fakes.clock import FakeClock
from tests.file_server import Files
from tests.sites import RELEASED, release_site


@pytest.fixture
def digests(tmp_path: Path) -> dict[str, tuple[str, ...]]:
    """The digests of the released sites by version; the broken one lacks its first page."""
    pages = {version: {"index.html": version, "deep/page.html": "page"} for version in (GOOD, BETTER)}
    pages[BROKEN] = {"it is broken": "really"}
    return {version: (release_site(tmp_path, PACKAGE, version, files),) for version, files in pages.items()}


@pytest.fixture
def settings(tmp_path: Path) -> StaticTarget.Settings:
    return StaticTarget.Settings(folder=str(tmp_path / "www"))


@pytest.fixture
def context(tmp_path: Path) -> ProviderContext:
    return ProviderContext(root=tmp_path, state=tmp_path / "state", clock=FakeClock())


@pytest.fixture
def target(
    settings: StaticTarget.Settings, context: ProviderContext, digests: dict[str, tuple[str, ...]]
) -> StaticTarget:
    """A target where the good version is prepared."""
    target = StaticTarget(settings, context)
    target.prepare(PACKAGE, GOOD, digests[GOOD])
    return target


@pytest.fixture
def one(digests: dict[str, tuple[str, ...]]) -> GroupSpec:
    return GroupSpec("one", Role.STABLE, PACKAGE, GOOD, 2, digests[GOOD])


class TestStaticTarget(TargetConformance):
    @pytest.fixture
    def digests_of(self, digests: dict[str, tuple[str, ...]]) -> Callable[[str], tuple[str, ...]]:
        return digests.__getitem__

    @pytest.fixture
    def open_target(self, settings: StaticTarget.Settings, context: ProviderContext) -> Callable[[], Target]:
        return lambda: StaticTarget(settings, context)

    @pytest.fixture
    def kill_copy(self, tmp_path: Path) -> Callable[[Target, str], None]:
        def kill_copy(target: Target, group_id: str) -> None:
            assert not found(target, group_id).trouble
            (tmp_path / "www" / "groups" / group_id / "index.html").unlink()

        return kill_copy

    def test_a_copy_that_died_is_missed_and_run_again(
        self,
        target: Target,
        until_whole: Callable[[Target, str], Group],
        kill_copy: Callable[[Target, str], None],
        one: GroupSpec,
    ) -> None:
        """All copies are one folder: what damages it takes them all, and `run` puts it back from what was kept."""
        target.run(one, revision=1)
        whole = until_whole(target, "one")
        kill_copy(target, "one")
        hurt = found(target, "one")
        assert (hurt.spec, hurt.ready, hurt.lives) == (one, 0, False)
        assert "has no index.html; it has deep" in hurt.trouble
        assert target.run(hurt.spec, revision=2) == whole


def test_the_default_source_is_where_a_release_leaves_its_files(tmp_path: Path) -> None:
    """Whatever the package is called."""
    for package in ("quotes", "@acme/quotes", "quotes-2"):
        folder = tmp_path / RELEASED / folder_name(package, "1.0.0")
        source = SiteSource(tmp_path, StaticTarget.Settings(folder="/x").source)
        site = Site(package, "1.0.0", ("sha256:" + "0" * 64,))
        with pytest.raises(ShiplineError, match=str(folder / "dist" / site_name(package, "1.0.0"))):
            source.fetch(site, tmp_path / "x")


def test_other_bytes_under_the_same_version_are_not_taken(
    settings: StaticTarget.Settings, context: ProviderContext, digests: dict[str, tuple[str, ...]], tmp_path: Path
) -> None:
    """Not when they are fetched, and not when what was kept has been changed."""
    target = StaticTarget(settings, context)
    with pytest.raises(ShiplineError, match="other bytes"):
        target.prepare(PACKAGE, GOOD, digests[BETTER])
    assert not list((tmp_path / "state" / "archives").glob("*.tar"))
    target.prepare(PACKAGE, GOOD, digests[GOOD])
    (kept,) = (tmp_path / "state" / "archives").glob("*.tar")
    kept.write_bytes(kept.read_bytes() + b"x")
    shutil.rmtree(tmp_path / "www")
    with pytest.raises(ShiplineError, match="was changed"):
        target.run(GroupSpec("one", Role.STABLE, PACKAGE, GOOD, 1, digests[GOOD]), revision=1)
    target.prepare(PACKAGE, GOOD, digests[GOOD])
    assert target.run(GroupSpec("one", Role.STABLE, PACKAGE, GOOD, 1, digests[GOOD]), revision=1).is_whole


def test_half_a_preparation_is_done_over(target: StaticTarget, one: GroupSpec, tmp_path: Path) -> None:
    """The engine ended after the fetch and before the folder was in its place."""
    (site,) = (tmp_path / "www" / "sites").iterdir()
    site.rename(site.with_name(f".{site.name}.new"))
    target.prepare(one.package, one.version, one.digests)
    assert target.run(one, revision=1).is_whole
    assert [path.name for path in (tmp_path / "www" / "sites").iterdir()] == [site.name]


def test_what_users_see_is_not_stopped(target: StaticTarget, one: GroupSpec, tmp_path: Path) -> None:
    """Whoever switched there."""
    target.run(one, revision=1)
    (tmp_path / "www" / "current").symlink_to("groups/one")
    with pytest.raises(RefusedError, match="what users see"):
        target.stop("one", revision=2)
    assert found(target, "one").is_whole


def test_the_newest_sites_stay_for_the_way_back(target: StaticTarget, one: GroupSpec, tmp_path: Path) -> None:
    """Those that groups need, and a few more."""
    target.run(one, revision=1)
    for number in range(VERSIONS_KEPT + 2):
        version = f"2.{number}.0"
        digest = release_site(tmp_path, PACKAGE, version, {"index.html": version})
        target.prepare(PACKAGE, version, (digest,))
        target.run(replace(one, id="two", version=version, digests=(digest,)), revision=2)
        target.stop("two", revision=2)
    names = {path.name.rpartition("-")[0] for path in (tmp_path / "www" / "sites").iterdir()}
    assert names == {f"{PACKAGE}-1.0.0", *(f"{PACKAGE}-2.{number}.0" for number in range(2, VERSIONS_KEPT + 2))}
    assert found(target, "one").is_whole


@pytest.fixture
def server() -> Iterator[Files]:
    server = Files()
    yield server
    server.stop()


def published(server: Files, context: ProviderContext, path: str = "") -> StaticTarget:
    """A target that fetches from the server."""
    source = f"{server.url}/{{package}}/v{{version}}/{{file}}"
    folder = str(context.root / "www")
    return StaticTarget(StaticTarget.Settings(folder=folder, source=path or source, answer_timeout_s=5.0), context)


def test_a_site_is_fetched_from_where_it_was_published(
    server: Files, context: ProviderContext, digests: dict[str, tuple[str, ...]], one: GroupSpec
) -> None:
    """Its digest tells whether it is the one; what is filled in is quoted."""
    target, place = published(server, context), f"/{PACKAGE}/v{GOOD}/{site_name(PACKAGE, GOOD)}"
    with pytest.raises(ShiplineError, match="does not have it"):
        target.prepare(PACKAGE, GOOD, digests[GOOD])
    tar = (context.root / RELEASED / f"{PACKAGE}-{GOOD}" / "dist" / site_name(PACKAGE, GOOD)).read_bytes()
    server.files[place] = tar + b"x"
    with pytest.raises(ShiplineError, match="other bytes than were released"):
        target.prepare(PACKAGE, GOOD, digests[GOOD])
    server.files[place] = tar
    target.prepare(PACKAGE, GOOD, digests[GOOD])
    assert target.run(one, revision=1).is_whole
    scoped = Site("@acme/quotes", "1.0.0+1", digests[GOOD])
    filled = SiteSource(context.root, "http://x/{package}/{version}/{file}")._filled(scoped, quoted=True)
    assert filled == "http://x/%40acme%2Fquotes/1.0.0%2B1/acme_quotes-1.0.0%2B1-site.tar"


def test_a_server_that_is_not_there_may_be_later(
    server: Files, context: ProviderContext, digests: dict[str, tuple[str, ...]]
) -> None:
    target = published(server, context)
    server.stop()
    with pytest.raises(UnavailableError, match="cannot be reached"):
        target.prepare(PACKAGE, GOOD, digests[GOOD])


def test_credentials_come_from_the_environment_and_are_told_to_nobody(
    server: Files, context: ProviderContext, digests: dict[str, tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that is not set is an error before anything is asked for."""
    settings = StaticTarget.Settings(
        folder=str(context.root / "www"), source=f"{server.url}/{{file}}", password_environment="PAGES_TOKEN"
    )
    target = StaticTarget(settings, context)
    with pytest.raises(ConfigurationError, match="PAGES_TOKEN is not set"):
        target.prepare(PACKAGE, GOOD, digests[GOOD])
    monkeypatch.setenv("PAGES_TOKEN", "made-up-token")
    with pytest.raises(ShiplineError) as caught:
        target.prepare(PACKAGE, GOOD, digests[GOOD])
    assert "made-up-token" not in caught.value.diagnosis()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"folder": "www"}, "absolute"),
        ({"source": "sites/site.tar"}, "two versions would be the same"),
        ({"source": "sites/{file}/{commit}"}, "unknown placeholder"),
        ({"source": "ftp://x/{file}"}, "http or https"),
        ({"source": "https://me:secret@x/{file}"}, "user name or password"),
        ({"username": "me"}, "needs password_environment"),
        ({"must_have": "../index.html"}, "no path within a site"),
        ({"must_have": ""}, "no path within a site"),
        ({"answer_timeout_s": 0.0}, "answer_timeout_s"),
    ],
)
def test_settings_that_can_only_be_a_mistake_are_refused(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        StaticTarget.Settings(**{"folder": "/srv/www", **wrong})  # type: ignore[arg-type] # one of them is a number


@pytest.mark.parametrize(("package", "version"), [("../x", "1.0.0"), ("x", "../1"), ("x", ""), ("x", "1/2")])
def test_names_that_lead_elsewhere_are_refused(
    settings: StaticTarget.Settings, context: ProviderContext, package: str, version: str
) -> None:
    with pytest.raises(InvalidValue):
        StaticTarget(settings, context).prepare(package, version, ("sha256:" + "0" * 64,))
