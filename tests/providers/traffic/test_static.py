"""A switch by a link."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.clients.site_folder import SiteFolder
from shipline.domain.errors import ConfigurationError, ShiplineError, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.traffic import Traffic
from shipline.providers.traffic.static import StaticTraffic
from shipline.testing.conformance.switch import SwitchConformance
from shipline.testing.conformance.traffic import OLD, shares, split
from shipline.testing.fakes.clock import FakeClock


@pytest.fixture
def folder(tmp_path: Path) -> SiteFolder:
    """A folder with the sites of the groups `old` and `new`."""
    folder = SiteFolder(tmp_path / "www")
    folder.make()
    for name in ("old", "new"):
        (folder.sites / name).mkdir()
        (folder.sites / name / "index.html").write_text(name)
        folder.set_group(name, name)
    return folder


@pytest.fixture
def open_traffic(folder: SiteFolder, tmp_path: Path) -> Callable[[], Traffic]:
    settings = StaticTraffic.Settings(folder=str(folder.folder), address="127.0.0.1:8080")
    context = ProviderContext(root=tmp_path, state=tmp_path / "state", clock=FakeClock())
    return lambda: StaticTraffic(settings, context)


@pytest.fixture
def traffic(open_traffic: Callable[[], Traffic]) -> Traffic:
    traffic = open_traffic()
    traffic.open(revision=0)
    return traffic


class TestStaticTraffic(SwitchConformance):
    @pytest.fixture
    def open_traffic(self, open_traffic: Callable[[], Traffic]) -> Callable[[], Traffic]:
        return open_traffic


def test_every_request_finds_a_site_while_it_is_switched(traffic: Traffic, folder: SiteFolder) -> None:
    """A reader that never rests sees the old page or the new one, and never none."""
    traffic.apply((OLD,), revision=1)
    page, seen, is_over = folder.folder / "current" / "index.html", set[str](), threading.Event()
    failures: list[OSError] = []

    def read() -> None:
        while not is_over.is_set():
            try:
                seen.add(page.read_text())
            except OSError as failure:
                failures.append(failure)

    reader = threading.Thread(target=read)
    reader.start()
    for revision in range(2, 5_000):
        traffic.apply(split(float(revision % 2)), revision=revision)
        # On a busy machine many switches pass before the reader has had two turns.
        if revision > 100 and len(seen) == 2:
            break
    is_over.set()
    reader.join()
    assert (failures, seen) == ([], {"old", "new"})


def test_a_switch_by_hand_is_seen(traffic: Traffic, folder: SiteFolder) -> None:
    """The link says what is served, not what was remembered; opening leaves it."""
    traffic.apply(split(1.0), revision=1)
    folder.show("old")
    assert shares(traffic) == {"old": 1.0, "new": 0.0}
    traffic.open(revision=1)
    assert shares(traffic) == {"old": 1.0, "new": 0.0}
    folder.show_nothing()
    assert shares(traffic) == {"old": 0.0, "new": 0.0}
    traffic.open(revision=1)
    assert shares(traffic) == {"old": 0.0, "new": 1.0}


def test_what_is_not_in_the_folder_is_not_shown(traffic: Traffic, folder: SiteFolder) -> None:
    """Nothing changes then; a target that was given another folder is the likely cause."""
    traffic.apply((OLD,), revision=1)
    folder.remove_group("new")
    with pytest.raises(ShiplineError, match="has no site in"):
        traffic.apply(split(1.0), revision=2)
    assert traffic.routes() == (OLD,)


def test_something_else_in_the_place_of_the_link_is_left_alone(traffic: Traffic, folder: SiteFolder) -> None:
    """And named."""
    (folder.folder / "current").mkdir()
    with pytest.raises(ShiplineError, match="cannot get the link current") as caught:
        traffic.apply((OLD,), revision=1)
    assert "nothing else lies where the links go" in caught.value.todo
    assert (folder.folder / "current").is_dir()
    assert sorted(path.name for path in folder.folder.iterdir()) == ["current", "groups", "sites"]


def test_a_site_that_was_not_opened_has_no_routes_to_tell(open_traffic: Callable[[], Traffic]) -> None:
    """It is unavailable, not empty."""
    with pytest.raises(UnavailableError):
        open_traffic().apply((OLD,), revision=1)


@pytest.mark.parametrize(
    ("folder", "address"),
    [("www", "127.0.0.1:80"), ("/srv/www", "127.0.0.1"), ("/srv/www", "x:0"), ("/srv/www", "x:99999")],
)
def test_settings_that_can_only_be_a_mistake_are_refused(folder: str, address: str) -> None:
    with pytest.raises(ConfigurationError):
        StaticTraffic.Settings(folder=folder, address=address)


def test_a_preview_has_a_link_of_its_own_until_it_is_none(traffic: Traffic, folder: SiteFolder) -> None:
    """What users see stays as it is meanwhile."""
    old, new = split(0.0)
    traffic.apply((old, replace(new, preview=True)), revision=1)
    shown = [(folder.folder / link / "index.html").read_text() for link in ("current", "preview")]
    assert shown == ["old", "new"]
    traffic.apply(split(1.0), revision=2)
    assert (folder.folder / "current" / "index.html").read_text() == "new"
    assert not (folder.folder / "preview").is_symlink()
