"""Counts of requests from a Prometheus: of an application, a mesh or a gateway, whoever exposes counters.

A window is read once all scrapes of it are in. It begins and ends with a scrape of the first group, whose counts are
exact in it; those of the others, which are scraped at moments of their own, are so up to a scrape at each end. Clients
are not known, so each failure counts as a client's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shipline.clients.cloud_monitoring import CloudMonitoringAccess
from shipline.clients.prometheus_access import PrometheusAccess
from shipline.clients.prometheus_api import Credentials, PrometheusAPI, Series
from shipline.domain.errors import ConfigurationError, InvalidValue, ShiplineError
from shipline.ports.provider import ProviderContext
from shipline.ports.signals import CountedGroup, Reading
from shipline.providers.signals.raw_counts import (
    Counter,
    Scraped,
    counters,
    newest_ms,
    tally,
)
from shipline.providers.signals.readings import READ_MS_MAX, moment_ms, nothing_yet, reading_of
from shipline.providers.signals.selectors import check_selector, selector_of

SECONDS_MAX = 900.0
BASE_RANGE = "1h"
"""How far back a counter's last sample is looked for: one that nobody has scraped for longer counts as new."""
ANSWER_BYTES_MAX = 8 << 20


class _Access(Protocol):
    def api(self, *, answer_bytes_max: int) -> PrometheusAPI: ...

    def credentials(self) -> Credentials: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusSignalsSettings(PrometheusAccess):
    """An environment's `signals` table of the provider `prometheus`.

    `url` is the server's address, up to what stands before `/api/v1`. `token_environment` names the environment
    variable that holds a bearer token. `username` goes with the password in the environment variable that
    `password_environment` names. All three "" send no credentials. `answer_timeout_s` bounds a query, in seconds.
    `requests` selects the counters of a group's requests, in PromQL without any function. `errors` selects those of its
    failed ones. `latency` selects the `_bucket` series of a classic histogram of their seconds, "" for none. In them
    `{environment}`, `{package}`, `{version}`, `{group}` and `{role}` stand for those of the group. `lag_s` is how far
    behind now counts are read, in seconds, so that all scrapes are in: two scrape intervals or more. `window_s` is the
    time that one reading is about: the more scrapes are in it, the smaller the regression that can be seen.
    """

    requests: str
    errors: str
    latency: str = ""
    lag_s: float = 30.0
    window_s: float = 60.0

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake, before anything is done."""
        PrometheusAccess.__post_init__(self)
        _check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudMonitoringSignalsSettings(CloudMonitoringAccess):
    """An environment's `signals` table of the provider `cloud-monitoring`.

    `project` is the id or number of the project whose metrics are read. `token_environment` names the environment
    variable that holds an access token. `url` is the service's address. `answer_timeout_s` bounds a query, in seconds.
    `requests`, `errors`, `latency`, `lag_s` and `window_s` are those of the provider `prometheus`; metrics of Google's
    own services come every 60 s, and late.
    """

    requests: str
    errors: str
    latency: str = ""
    lag_s: float = 240.0
    window_s: float = 300.0

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake, before anything is done."""
        CloudMonitoringAccess.__post_init__(self)
        _check(self)


def _check(settings: PrometheusSignalsSettings | CloudMonitoringSignalsSettings) -> None:
    check_selector(settings.requests, name="requests")
    check_selector(settings.errors, name="errors")
    if settings.latency:
        check_selector(settings.latency, name="latency")
    for name in ("lag_s", "window_s"):
        if not 0.1 <= getattr(settings, name) <= SECONDS_MAX:
            raise ConfigurationError(f"{name} is 0.1 to {SECONDS_MAX:g} seconds")


class PrometheusSignals:
    """The Signals port over Prometheus' HTTP API. A cursor is a moment in UTC milliseconds."""

    api_version = 2
    traffic = ""
    Settings = PrometheusSignalsSettings

    def __init__(
        self, settings: PrometheusSignalsSettings | CloudMonitoringSignalsSettings, context: ProviderContext
    ) -> None:
        self.delay_s = settings.lag_s + settings.window_s
        self._settings = settings
        self._access: _Access = settings
        self._api = self._access.api(answer_bytes_max=ANSWER_BYTES_MAX)
        self._environment = context.environment
        self._clock = context.clock

    def cursor(self) -> str:
        """Now. What was made since the last scrape before it counts as later."""
        return str(self._clock.now_us() // 1000)

    def read(self, cursor: str, groups: tuple[CountedGroup, ...]) -> Reading:
        """What has come since, once a whole window is in. A clock that was set back gives nothing until it is there
        again."""
        since_ms, now_ms = moment_ms(cursor), self._clock.now_us() // 1000
        limit_ms = min(now_ms - int(self._settings.lag_s * 1000), since_ms + READ_MS_MAX)
        if not groups or limit_ms - since_ms < self._settings.window_s * 1000:
            return nothing_yet(since_ms)
        # Up to now, since what ends the window of one group comes after that of another.
        end_ms = min(now_ms, limit_ms + int(self._settings.lag_s * 1000))
        scraped = {group: self._scraped(group, since_ms, end_ms) for group in groups}
        _check_bounds(scraped)
        until_ms = newest_ms(scraped[groups[0]].requests, after_ms=since_ms, until_ms=limit_ms) or limit_ms
        found = {group: tally(one, since_ms=since_ms, until_ms=until_ms) for group, one in scraped.items()}
        return reading_of(since_ms, until_ms, found)

    def trouble(self, groups: tuple[CountedGroup, ...]) -> str:
        """Why the requests of a group, or their latency, could not be counted: that nothing is selected, above all.

        That nothing has failed yet is no trouble.
        """
        told = (self._trouble_of(group) for group in groups)
        return "\n".join(words for words in told if words)

    def _trouble_of(self, group: CountedGroup) -> str:
        try:
            for name in ("requests", "errors", "latency"):
                selector = self._selector(name, group)
                if selector and not self._known(selector, self._clock.now_us() // 1000) and name != "errors":
                    return _nothing_found(name, selector, group)
        except ShiplineError as error:
            return " ".join(filter(None, (f"Requests could not be counted: {error.what}.", error.why, error.todo)))
        return ""

    def _selector(self, name: str, group: CountedGroup) -> str:
        text: str = getattr(self._settings, name)
        return selector_of(text, group, environment=self._environment) if text else ""

    def _scraped(self, group: CountedGroup, since_ms: int, end_ms: int) -> Scraped:
        selectors = (self._selector(name, group) for name in ("requests", "errors", "latency"))
        return Scraped(*(self._counters(one, since_ms, end_ms) if one else () for one in selectors))

    def _known(self, selector: str, at_ms: int) -> tuple[Series, ...]:
        """What the selected counters said last, at or before a moment."""
        query = f"last_over_time({selector}[{BASE_RANGE}])"
        return self._api.series(query, at_us=at_ms * 1000, credentials=self._access.credentials())

    def _counters(self, selector: str, since_ms: int, end_ms: int) -> tuple[Counter, ...]:
        # From one millisecond before: a range is open at its start since Prometheus 3, and was closed before.
        query = f"{selector}[{end_ms - since_ms + 1}ms]"
        samples = self._api.series(query, at_us=end_ms * 1000, credentials=self._access.credentials())
        return counters(self._known(selector, since_ms), samples, since_ms=since_ms)


class CloudMonitoringSignals(PrometheusSignals):
    """The same over Google's Prometheus API, by contract."""

    Settings = CloudMonitoringSignalsSettings  # type: ignore[assignment]  # each has its own way in


def _nothing_found(name: str, selector: str, group: CountedGroup) -> str:
    return (
        f"The selector of {name} in the environment's signals finds no counter of {group.package} {group.version},"
        f" which serves now, so a canary could not be compared with it: {selector}\nWhat to do: check the metric and"
        " its labels; where no request has come in yet, send one."
    )


def _check_bounds(scraped: dict[CountedGroup, Scraped]) -> None:
    """InvalidValue where versions count latency in different buckets: one would seem slower by that alone."""
    bounds = {one.bounds: group for group, one in scraped.items() if one.bounds}
    if len(bounds) > 1:
        versions = " and ".join(sorted({group.version for group in bounds.values()}))
        raise InvalidValue(
            f"{versions} count latency in different buckets, so they cannot be compared",
            todo="leave `latency` out of the signals for this release, or keep the buckets",
        )
