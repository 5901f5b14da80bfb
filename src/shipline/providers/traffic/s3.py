"""Traffic of a site in a bucket of S3, which is switched as a whole: the page at the top of the bucket is replaced.

What is served is read from that page, so that a switch by hand is seen. Each page that users have open goes on loading
what belongs to its own version, which stays in its place: there is no request that a switch could cut off.

A version that is previewed is what a second page, `preview.html`, leads to.

Both the note of the routes and the page are written only if they still are what was read before: a late call of an
engine that was paused finds them changed, and takes no effect. The page is read first, and every decision that is newer
than the page writes it anew, though it may show the same: who has read it for an older decision cannot replace it then.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from shipline.clients.aws_api import AWSPlace
from shipline.clients.durable_state import check_fence
from shipline.clients.route_sets import check_routes, merged
from shipline.clients.s3 import checked_bucket
from shipline.clients.site_bucket import BucketState, Pointer, SiteBucket, checked_prefix
from shipline.domain.errors import ConfigurationError, ConflictError, RefusedError, ShiplineError, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import checked_group_id
from shipline.ports.traffic import Route
from shipline.providers.traffic.static import is_host_and_port


@dataclass(frozen=True, slots=True)
class SavedShown:
    """What stands in the bucket: whose it is, the newest revision, whether it is open, and the routes by group."""

    environment: str
    revision: int = 0
    is_open: bool = False
    routes: dict[str, Route] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class S3TrafficSettings:
    """Where the page is.

    `region`, `bucket` and `prefix` are the target's. `address` is where users see it, host:port. `endpoint_url` is the
    origin of something that speaks as S3 does. `metadata` is "ecs" or "ec2" where credentials come from this machine's
    role.
    """

    region: str
    bucket: str
    address: str
    prefix: str = ""
    endpoint_url: str = ""
    metadata: str = ""

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake."""
        self.place.url("s3")
        checked_bucket(self.bucket)
        checked_prefix(self.prefix)
        if not is_host_and_port(self.address):
            raise ConfigurationError(f"address: {self.address[:80]!r} is not a host and a port")

    @property
    def place(self) -> AWSPlace:
        """Which S3 is asked."""
        return AWSPlace(self.region, self.endpoint_url, self.metadata)


class S3Traffic:
    """The switch of one site."""

    api_version = 4
    splits = False
    previews = True
    mirrors = False
    faults: tuple[str, ...] = ()
    run_by = "s3"
    Settings = S3TrafficSettings

    def __init__(self, settings: S3TrafficSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._environment = context.environment or "default"
        self._bucket = SiteBucket(settings.place, settings.bucket, settings.prefix, context.clock)
        self._state = BucketState(self._bucket, "traffic", SavedShown(self._environment))

    def claim(self, *, revision: int) -> None:
        """Note the number, and write the page anew as it is: who is still about to replace it can do so no more."""
        pointer, (saved, read) = self._bucket.pointer(), self._fenced(revision)
        self._state.write(replace(saved, revision=revision), read)
        self._write_anew(pointer, revision)

    def open(self, *, revision: int) -> None:
        """Show what was shown last, unless something is shown. Who is still about to close can do so no more."""
        pointer, (saved, read) = self._bucket.pointer(), self._fenced(revision)
        last = next((route.group_id for route in saved.routes.values() if route.share > 0), None)
        shown = pointer.group_id or last
        is_there = shown is not None and self._has_site(shown)
        if saved.is_open and (pointer.group_id is not None or not is_there):
            return
        self._state.write(replace(saved, revision=revision, is_open=True), read)
        if shown is not None and is_there:
            self._show(shown, revision, pointer)

    def address(self) -> str:
        """host:port where users see it."""
        return self._settings.address

    def apply(self, routes: tuple[Route, ...], *, revision: int) -> None:
        """Note the routes, then replace the page. ShiplineError where the group's site is not in the bucket."""
        check_routes(routes, splits=self.splits, previews=self.previews, mirrors=self.mirrors)
        shown = next(route.group_id for route in routes if route.share > 0)
        previewed = next((route.group_id for route in routes if route.preview and route.group_id != shown), None)
        pointer, preview, (saved, read) = self._bucket.pointer(), self._bucket.previewed(), self._fenced(revision)
        self._check_open(saved)
        if not self._has_site(shown):
            raise ShiplineError(
                f"group {shown} has no site in {self._bucket.bucket.who}",
                todo="let target and traffic of the environment name the same bucket and prefix",
            )
        wanted = replace(saved, revision=revision, routes=merged(saved.routes, routes))
        if wanted != saved:
            self._state.write(wanted, read)
        if preview.group_id != previewed:
            name = None if previewed is None else self._bucket.site_of(previewed)
            self._bucket.preview(previewed or "", name or "", revision=revision, replaces=preview)
        if pointer.group_id != shown or pointer.revision < revision:
            self._show(shown, revision, pointer)
        if self._bucket.pointer().group_id != shown:
            raise UnavailableError(f"{self._bucket.bucket.who} does not show the group that it was told to show")

    def routes(self) -> tuple[Route, ...]:
        """The routes by group; who has all of the traffic says the page."""
        saved, serving = self._saved()[0], self._bucket.pointer().group_id
        self._check_open(saved)
        routes = saved.routes
        return tuple(replace(routes[name], share=float(name == serving)) for name in sorted(routes))

    def open_requests(self, group_id: str, endpoint_id: str | None = None) -> int:  # noqa: ARG002 - there are none to count
        """None that a switch could cut off."""
        self._check_open(self._saved()[0])
        return 0

    def forget(self, group_id: str, *, revision: int) -> None:
        """Forget a route; RefusedError while it is what the page leads to."""
        checked_group_id(group_id)
        pointer, (saved, read) = self._bucket.pointer(), self._fenced(revision)
        self._check_open(saved)
        if group_id == pointer.group_id:
            raise RefusedError(f"group {group_id} is what users see")
        if group_id in saved.routes and saved.routes[group_id].preview:
            raise RefusedError(f"group {group_id} is previewed")
        left = {name: route for name, route in saved.routes.items() if name != group_id}
        self._state.write(replace(saved, revision=revision, routes=left), read)
        self._write_anew(pointer, revision)

    def close(self, *, revision: int) -> None:
        """Let the page lead nowhere. Who is still about to show something can do so no more."""
        pointer, (saved, read) = self._bucket.pointer(), self._fenced(revision)
        preview = self._bucket.previewed()
        if not (saved.is_open or pointer.group_id or preview.group_id):
            return
        self._state.write(replace(saved, revision=revision, is_open=False), read)
        if preview.group_id is not None:
            self._bucket.preview("", "", revision=revision, replaces=preview)
        if pointer.group_id is not None or saved.is_open:
            self._bucket.show_nothing(revision=revision, replaces=pointer)

    def _write_anew(self, pointer: Pointer, revision: int) -> None:
        """The page as it is, where it was written for an older decision."""
        if pointer.etag is None or pointer.revision >= revision:
            return
        if pointer.group_id is None:
            self._bucket.show_nothing(revision=revision, replaces=pointer)
        elif self._has_site(pointer.group_id):
            self._show(pointer.group_id, revision, pointer)

    def _has_site(self, group_id: str) -> bool:
        name = self._bucket.site_of(group_id)
        return name is not None and self._bucket.kept(name) is not None

    def _show(self, group_id: str, revision: int, pointer: Pointer) -> None:
        self._bucket.show(group_id, self._bucket.site_of(group_id) or "", revision=revision, replaces=pointer)

    def _saved(self) -> tuple[SavedShown, str | None]:
        saved, read = self._state.read()
        if saved.environment != self._environment:
            raise ConflictError(
                f"this part of the bucket belongs to the environment {saved.environment[:60]}",
                todo="give each environment a `prefix` of its own",
            )
        return saved, read

    def _fenced(self, revision: int) -> tuple[SavedShown, str | None]:
        saved, read = self._saved()
        check_fence(saved.revision, revision)
        return saved, read

    def _check_open(self, saved: SavedShown) -> None:
        if not saved.is_open:
            raise UnavailableError("the site is closed", todo="open the environment's traffic again")
