"""Traffic of a site, which is switched as a whole: the link that a web server follows is renamed over.

What is served is read from the link, so that a switch by hand is seen. A web server that reads files holds no request
that a switch could cut off: a file that is open is read to its end, whatever it is called by then.

A version that is previewed is what a second link, `preview`, leads to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from shipline.clients.durable_state import DurableState, check_fence
from shipline.clients.route_sets import check_routes, merged
from shipline.clients.site_folder import SiteFolder
from shipline.domain.errors import ConfigurationError, RefusedError, ShiplineError, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import checked_group_id
from shipline.ports.traffic import Route

ADDRESS = re.compile(r"[A-Za-z0-9.-]{1,253}:[0-9]{1,5}|\[[0-9a-fA-F:]{2,39}\]:[0-9]{1,5}")


def is_host_and_port(text: str) -> bool:
    """True for what users can be told as an address."""
    return bool(ADDRESS.fullmatch(text)) and 0 < int(text.rpartition(":")[2]) < 65536


@dataclass(frozen=True, slots=True)
class SavedTraffic:
    """What the state file holds: the newest revision, whether the site is open, and the routes by group."""

    revision: int = 0
    is_open: bool = False
    routes: dict[str, Route] = field(default_factory=dict)


class StaticTraffic:
    """The switch of one site."""

    api_version = 4
    faults: tuple[str, ...] = ()
    splits = False
    previews = True
    mirrors = False

    @dataclass(frozen=True, slots=True)
    class Settings:
        """`folder` is the target's, an absolute path. `address` is where the web server shows it, host:port."""

        folder: str
        address: str

        def __post_init__(self) -> None:
            """Refuse what can only be a mistake."""
            if not Path(self.folder).is_absolute():
                raise ConfigurationError("folder is an absolute path", todo="name the same one as for the target")
            if not is_host_and_port(self.address):
                raise ConfigurationError(f"address: {self.address[:80]!r} is not a host and a port")

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        self._settings = settings
        self._folder = SiteFolder(Path(settings.folder))
        self._state = DurableState(context.state / "traffic.json", SavedTraffic(), context.clock)

    def claim(self, *, revision: int) -> None:
        """Note the number in the state file."""
        with self._state.locked():
            self._state.write(replace(self._fenced(revision), revision=revision))

    def open(self, *, revision: int) -> None:
        """Show what was shown last, unless something is shown."""
        self._folder.make()
        with self._state.locked():
            saved = self._fenced(revision)
            last = None if self._folder.serving() else self._last(saved)
            if saved.is_open and last is None:
                return
            self._state.write(replace(saved, revision=revision, is_open=True))
            if last is not None:
                self._folder.show(last)

    def address(self) -> str:
        """host:port of the web server."""
        return self._settings.address

    def apply(self, routes: tuple[Route, ...], *, revision: int) -> None:
        """Save the routes, then rename the link over. ShiplineError where the group's site is not in the folder."""
        check_routes(routes, splits=self.splits, previews=self.previews, mirrors=self.mirrors)
        shown = next(route.group_id for route in routes if route.share > 0)
        with self._state.locked():
            saved = self._opened(self._fenced(revision))
            if not self._folder.site_of(shown).is_dir():
                raise ShiplineError(
                    f"group {shown} has no site in {self._folder.folder}",
                    todo="let target and traffic of the environment name the same folder",
                )
            self._state.write(replace(saved, revision=revision, routes=merged(saved.routes, routes)))
            previewed = next((route.group_id for route in routes if route.preview), None)
            self._folder.preview(previewed if previewed != shown else None)
            if self._folder.serving() != shown:
                self._folder.show(shown)

    def routes(self) -> tuple[Route, ...]:
        """The routes by group; who has all of the traffic says the link."""
        routes, serving = self._opened(self._state.read()).routes, self._folder.serving()
        return tuple(replace(routes[name], share=float(name == serving)) for name in sorted(routes))

    def open_requests(self, group_id: str, endpoint_id: str | None = None) -> int:  # noqa: ARG002 - there are none to count
        """None that a switch, or the removal of a site, could cut off."""
        self._opened(self._state.read())
        return 0

    def forget(self, group_id: str, *, revision: int) -> None:
        """Forget a route; RefusedError while it is what the link leads to."""
        checked_group_id(group_id)
        with self._state.locked():
            saved = self._opened(self._fenced(revision))
            if group_id == self._folder.serving():
                raise RefusedError(f"group {group_id} is what users see")
            if group_id in saved.routes and saved.routes[group_id].preview:
                raise RefusedError(f"group {group_id} is previewed")
            left = {name: route for name, route in saved.routes.items() if name != group_id}
            self._state.write(replace(saved, revision=revision, routes=left))

    def close(self, *, revision: int) -> None:
        """Take the link away: the web server has nothing to show then."""
        with self._state.locked():
            saved = replace(self._fenced(revision), revision=revision)
            self._state.write(saved)
            self._folder.show_nothing()
            self._folder.preview(None)
            self._state.write(replace(saved, is_open=False))

    def _last(self, saved: SavedTraffic) -> str | None:
        """The group that was shown last, None where its site is not there any more."""
        last = next((name for name, route in saved.routes.items() if route.share > 0), None)
        return last if last is not None and self._folder.site_of(last).is_dir() else None

    def _opened(self, saved: SavedTraffic) -> SavedTraffic:
        if not saved.is_open:
            raise UnavailableError("the site is closed", todo="open the environment's traffic again")
        return saved

    def _fenced(self, revision: int) -> SavedTraffic:
        saved = self._state.read()
        check_fence(saved.revision, revision)
        return saved
