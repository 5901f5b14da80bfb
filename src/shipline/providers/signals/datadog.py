"""Counts from Datadog, by contract: sums of a count in intervals as they were sent, by the tags of a group.

Each copy's counts are put into intervals by the agent beside it, by its clock and when they come in there, so a request
may stand in the interval beside its own: of all groups but the first, the analysis gets what is sure and what may be.

From: docs.datadoghq.com/api/latest/metrics ("Query timeseries data across multiple products", version 2), and
docs.datadoghq.com/metrics/custom_metrics/type_modifiers and docs.datadoghq.com/dashboards/functions/rollup for
`as_count()` and `rollup`, which keep Datadog from making rates and averages of counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipline.clients.datadog import DatadogAccess
from shipline.clients.query_filling import filled
from shipline.domain.errors import ConfigurationError, ShiplineError
from shipline.ports.metrics import Language, ManySeries, WrongType
from shipline.ports.provider import ProviderContext
from shipline.ports.signals import CountedGroup, Reading
from shipline.providers.signals.periods import SECONDS_MAX, Pace, Served, whole_count
from shipline.providers.signals.readings import moment_ms, nothing_yet
from shipline.providers.signals.selectors import LENGTH_MAX, PLACEHOLDERS, values_of

ANSWER_BYTES_MAX = 8 << 20
LOOKED_BACK_MS = 3_600_000
DAY_S, FAILED_DAYS = 86_400, 30
# From: docs.datadoghq.com/metrics/custom_metrics (names) and docs.datadoghq.com/metrics/advanced-filtering (filters).
_SELECTOR = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,199}\{[A-Za-z0-9_.:/*!,() -]{1,1500}\}", re.ASCII)
_PLACEHOLDER = re.compile(r"\{(" + "|".join(PLACEHOLDERS) + r")\}")
_PARTS = re.compile(rf"((?:[^{{}}]|{_PLACEHOLDER.pattern})+)\{{(.*)\}}")
_OF_GROUP = re.compile(r"\{(?:version|group|role)\}")
_LOGICAL = re.compile(r"[()]|\b(?:AND|OR|NOT|IN)\b", re.IGNORECASE)
# What a tag cannot hold is made `_`, and letters small. From: docs.datadoghq.com/getting_started/tagging ("Defining
# tags"). Letters of all scripts are kept, so those that a query cannot have are refused and not made others.
_NO_TAG = re.compile(r"[^\w.:/-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatadogSignalsSettings(DatadogAccess):
    """An environment's `signals` table of the provider `datadog`.

    `url` is the address of the site's API. `api_key_environment` and `application_key_environment` name the environment
    variables that hold the two keys. `answer_timeout_s` bounds a query, in seconds. `requests` selects the count of a
    group's requests, as a metric with its tags in braces and without any function. `errors` selects that of its failed
    ones. In them `{environment}`, `{package}`, `{version}`, `{group}` and `{role}` stand for those of the group.
    `interval_s` is how often the counts are sent. `lag_s` is how far behind now they are read, so that all are in.
    `window_s` is the time that one reading is about, three intervals or more: the more there are in it, the smaller the
    regression that can be seen. All three are whole seconds.
    """

    requests: str
    errors: str
    interval_s: int = 10
    lag_s: int = 60
    window_s: int = 120

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake, before anything is done."""
        DatadogAccess.__post_init__(self)
        _check_selector(self.requests, name="requests")
        _check_selector(self.errors, name="errors")
        if not 1 <= self.interval_s <= SECONDS_MAX:
            raise ConfigurationError(f"interval_s is 1 to {SECONDS_MAX} seconds")
        self.pace.check()

    @property
    def pace(self) -> Pace:
        """Intervals, one of which at each end is in doubt."""
        return Pace(period_s=self.interval_s, lag_s=self.lag_s, window_s=self.window_s, doubt=1)


class DatadogSignals:
    """The Signals port over Datadog's API."""

    api_version = 2
    traffic = ""
    Settings = DatadogSignalsSettings

    def __init__(self, settings: DatadogSignalsSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._pace = settings.pace
        self.delay_s = self._pace.delay_s
        self._api = settings.api(answer_bytes_max=ANSWER_BYTES_MAX)
        self._environment = context.environment
        self._clock = context.clock

    def cursor(self) -> str:
        """The next full interval: what comes before it counts with what was before."""
        return str(self._pace.begin_ms(self._clock.now_us()))

    def read(self, cursor: str, groups: tuple[CountedGroup, ...]) -> Reading:
        """What has come since, once a whole window is in."""
        since_ms = moment_ms(cursor)
        until_ms = self._pace.end_ms(since_ms, self._clock.now_us())
        if not groups or until_ms is None:
            return nothing_yet(since_ms)
        return self._pace.reading(since_ms, until_ms, self._counted(groups, *self._pace.asked(since_ms, until_ms)))

    def trouble(self, groups: tuple[CountedGroup, ...]) -> str:
        """Why the requests of a group could not be counted: that nothing is selected, above all.

        A selector of errors that has found none of any version for FAILED_DAYS is trouble, too: it may be mistyped, and
        then no canary would ever be worse. That a version has not failed yet is none.
        """
        return "\n".join(filter(None, map(self._trouble_of, groups)))

    def _trouble_of(self, group: CountedGroup) -> str:
        """Words, "" where requests are counted, and failures would be."""
        interval_ms = self._settings.interval_s * 1000
        until_ms = self._clock.now_us() // 1000 // interval_ms * interval_ms
        try:
            served = self._counted((group,), until_ms - LOOKED_BACK_MS // interval_ms * interval_ms, until_ms)[group]
            selector = self._selector(self._settings.requests, group)
            if served.requests:
                return "" if served.errors else self._never_found(group, until_ms)
        except ShiplineError as error:
            return " ".join(filter(None, (f"Requests could not be counted: {error.what}.", error.why, error.todo)))
        return (
            f"The selector of requests in the environment's signals finds no count of {group.package} {group.version},"
            f" which serves now, so a canary could not be compared with it: {selector}\nWhat to do: check the metric"
            " and its tags; where no request has come in for an hour, send one."
        )

    def _counted(self, groups: tuple[CountedGroup, ...], since_ms: int, until_ms: int) -> dict[CountedGroup, Served]:
        """All groups in one request: a formula for each of the two selectors of each."""
        texts = (self._settings.requests, self._settings.errors)
        queries = [self._query(text, group) for group in groups for text in texts]
        counted = self._rows(queries, since_ms, until_ms, self._settings.interval_s)
        return {group: Served(counted[2 * at], counted[2 * at + 1]) for at, group in enumerate(groups)}

    def _never_found(self, group: CountedGroup, now_ms: int) -> str:
        """Why nobody knows whether failures would be counted, "" where some were, of whatever group."""
        selector = self._selector(ungrouped(self._settings.errors), group)
        until_ms = (now_ms // (DAY_S * 1000) + 1) * DAY_S * 1000
        query = f"sum:{selector}.as_count().rollup(sum, {DAY_S})"
        if self._rows([query], until_ms - FAILED_DAYS * DAY_S * 1000, until_ms, DAY_S)[0]:
            return ""
        return (
            f"The selector of errors in the environment's signals has found nothing for {FAILED_DAYS} days, of any"
            f" version: {selector}\nEither it is mistyped, and no canary would ever be worse, or nothing has failed."
            "\nWhat to do: check the metric and its tags in Datadog; if they are right, let one request fail."
        )

    def _rows(self, queries: list[str], since_ms: int, until_ms: int, interval_s: int) -> list[dict[int, int]]:
        """What each query counts, by interval."""
        names = [f"q{index}" for index in range(len(queries))]
        attributes = {
            "from": since_ms,
            # The end belongs to the answer, too.
            "to": until_ms - 1,
            "interval": interval_s * 1000,
            "formulas": [{"formula": name} for name in names],
            "queries": [
                {"data_source": "metrics", "name": name, "query": query}
                for name, query in zip(names, queries, strict=True)
            ],
        }
        found = self._api.ask("api/v2/query/timeseries", "timeseries_request", attributes)
        return self._series(found, len(queries), interval_s)

    def _selector(self, text: str, group: CountedGroup) -> str:
        known = values_of(group, environment=self._environment)
        values = {name: _NO_TAG.sub("_", value.lower()) for name, value in known.items()}
        return filled(text.strip(), values, Language.PLAIN)

    def _query(self, text: str, group: CountedGroup) -> str:
        return f"sum:{self._selector(text, group)}.as_count().rollup(sum, {self._settings.interval_s})"

    def _series(self, attributes: object, wanted: int, interval_s: int) -> list[dict[int, int]]:
        """The counts of each query, by interval; one that found nothing has no series."""
        match attributes:
            case {"series": list(series), "times": list(times), "values": list(values)} if len(series) == len(values):
                made: list[dict[int, int] | None] = [None] * wanted
                starts = [self._start(time_ms, interval_s) for time_ms in times]
                for one, row in zip(series, values, strict=True):
                    index = self._index(one, wanted)
                    if made[index] is not None:
                        raise ManySeries(
                            f"{self._api.http.who} answered with several series, and one is needed",
                            todo="leave `by` out of the selector",
                        )
                    made[index] = self._counts(starts, row)
                return [one or {} for one in made]
        raise self._api.unexpected()

    def _index(self, series: object, wanted: int) -> int:
        match series:
            case {"query_index": int(index)} if not isinstance(index, bool) and 0 <= index < wanted:
                return index
        raise self._api.unexpected()

    def _start(self, time_ms: object, interval_s: int) -> int:
        if isinstance(time_ms, int) and not isinstance(time_ms, bool) and not time_ms % (interval_s * 1000):
            return time_ms
        raise WrongType(
            f"{self._api.http.who} answered in other intervals than those of {interval_s} s",
            todo="set interval_s to how often the counts are sent",
        )

    def _counts(self, starts: list[int], row: object) -> dict[int, int]:
        if not isinstance(row, list) or len(row) != len(starts):
            raise self._api.unexpected()
        return {
            start: whole_count(value, who=self._api.http.who)
            for start, value in zip(starts, row, strict=True)
            if value is not None
        }


def _check_selector(text: str, *, name: str) -> None:
    """ConfigurationError for what is no metric with tags alone: a function would make other numbers of its counts."""
    if len(text) > LENGTH_MAX or not _SELECTOR.fullmatch(_PLACEHOLDER.sub("x", text.strip())):
        raise ConfigurationError(
            f"{name} = {text[:80]!r} is no selector",
            why="counts are asked for as sums of what was sent, so aggregators and functions have no place in it",
            todo="name a metric and its tags alone, as in trace.http.request.hits{service:quotes,group:{group}}",
        )


def ungrouped(text: str) -> str:
    """A selector without the tags that tell groups apart: what is left finds those of any. Pure.

    Of tags that are put together by words nothing can be left out, so none is kept.
    """
    found = _PARTS.fullmatch(text.strip())
    if found is None:
        return text
    name, tags = found[1], found[3]
    kept = [] if _LOGICAL.search(tags) else [tag for tag in tags.split(",") if not _OF_GROUP.search(tag)]
    return f"{name}{{{','.join(kept) or '*'}}}"
