"""Counts from scraped counters: whole, and nothing twice or never."""

from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.clients.prometheus_api import Series
from shipline.ports.metrics import WrongType
from shipline.ports.signals import EDGES_S
from shipline.providers.signals.raw_counts import Counter, Scraped, counters, newest_ms, tally

SINCE, UNTIL = 60_000, 120_000


def counter(base: int | None, *samples: tuple[int, int], **labels: str) -> Counter:
    """Times in seconds."""
    return Counter(labels, base, tuple((second * 1000, value) for second, value in samples))


def requests_of(*counted: Counter) -> tuple[int, int, int]:
    found = tally(Scraped(counted, ()), since_ms=SINCE, until_ms=UNTIL)
    return found.exact.requests, found.least.requests, found.most.requests


@pytest.mark.parametrize(
    ("counted", "exact", "least", "most"),
    [
        (counter(100, (60, 100), (75, 110), (90, 120), (105, 130), (120, 140)), 40, 40, 40),
        (counter(100, (65, 110), (80, 120), (95, 130), (110, 140), (125, 150)), 40, 30, 50),
        (counter(100, (65, 110), (80, 3), (95, 13), (110, 23), (125, 33)), 33, 23, 43),
        (counter(None, (80, 7), (95, 17), (110, 27), (125, 40)), 27, 20, 40),
        (counter(100, (125, 150)), 0, 0, 50),
        (counter(100), 0, 0, 0),
        (counter(100, (65, 101), (110, 105)), 5, 4, 5),
    ],
    ids=["at the ends", "between them", "begun anew", "new", "not scraped", "gone", "gone at the end"],
)
def test_what_was_counted_is_the_difference_of_two_scrapes(counted: Counter, exact: int, least: int, most: int) -> None:
    """And in doubt is what was counted between a scrape and an end of the window."""
    assert requests_of(counted) == (exact, least, most)


def test_a_counter_that_appears_on_a_target_that_is_known_began_at_nothing() -> None:
    """The first failure makes a series of its own; its target was scraped before, and had none."""
    fine = counter(10, (60, 10), (75, 20), (90, 30), (105, 30), (120, 30), job="a", code="200")
    failed = counter(None, (105, 8), (120, 9), job="a", code="500")
    found = tally(Scraped((fine, failed), (failed,)), since_ms=SINCE, until_ms=UNTIL)
    assert (found.exact.errors, found.least.errors, found.most.errors) == (9, 9, 9)
    assert found.exact.requests == 29


def test_each_target_is_scraped_at_moments_of_its_own() -> None:
    one = counter(0, (60, 0), (120, 10), instance="one")
    other = counter(0, (70, 3), (110, 9), (130, 12), instance="other")
    assert requests_of(one, other) == (19, 16, 22)


def test_errors_that_are_written_before_their_requests_are_requests() -> None:
    found = tally(
        Scraped((counter(0, (60, 0), (120, 1)),), (counter(0, (60, 0), (120, 2)),)), since_ms=SINCE, until_ms=UNTIL
    )
    assert (found.exact.requests, found.exact.errors) == (2, 2)


def test_latency_stands_in_the_bucket_of_its_upper_bound() -> None:
    """Each bucket of a classic histogram counts those below it, too."""
    buckets = [
        counter(up_to, (60, up_to), (120, up_to + more), le=bound)
        for bound, up_to, more in (("0.1", 5, 10), ("0.5", 6, 30), ("+Inf", 7, 33))
    ]
    found = tally(Scraped((counter(0, (60, 0), (120, 33)),), (), tuple(buckets)), since_ms=SINCE, until_ms=UNTIL)
    filled = {bucket: count for bucket, count in enumerate(found.exact.histogram) if count}
    assert filled == {bisect_left(EDGES_S, 0.1): 10, bisect_left(EDGES_S, 0.5): 20, len(EDGES_S): 3}
    assert found.least == found.exact == found.most


def test_a_bucket_that_was_read_too_early_takes_nothing_back() -> None:
    buckets = (counter(0, (60, 0), (120, 5), le="0.1"), counter(0, (60, 0), (120, 4), le="+Inf"))
    found = tally(Scraped((counter(0, (60, 0), (120, 5)),), (), buckets), since_ms=SINCE, until_ms=UNTIL)
    assert sum(found.exact.histogram) == 5


@pytest.mark.parametrize("le", ["", "fast", "nan"])
def test_a_latency_without_a_bound_is_refused(le: str) -> None:
    with pytest.raises(WrongType, match="bound"):
        tally(Scraped((), (), (counter(0, (61, 5), le=le),)), since_ms=SINCE, until_ms=UNTIL)


@pytest.mark.parametrize("value", [0.5, -1.0, float("nan"), float("inf"), 2.0**60])
def test_what_counts_no_whole_things_is_refused(value: float) -> None:
    """A gauge, or a recording rule of a rate."""
    with pytest.raises(WrongType, match="counter"):
        counters((), (Series({}, ((SINCE, value),)),), since_ms=SINCE)


def test_a_counter_is_known_by_its_labels_whatever_order_they_have() -> None:
    """`last_over_time` may or may not keep the name."""
    before = Series({"b": "2", "a": "1"}, ((1, 7.0),))
    since = Series({"__name__": "x", "a": "1", "b": "2"}, ((SINCE - 1, 7.0), (SINCE + 5, 9.0)))
    (found,) = counters((before,), (since,), since_ms=SINCE)
    assert (found.base, found.samples) == (7, ((SINCE + 5, 9),))


def test_the_newest_scrape_is_one_in_the_window() -> None:
    counted = (counter(0, (60, 0), (75, 1), (130, 2)), counter(0, (80, 1)))
    assert newest_ms(counted, after_ms=SINCE, until_ms=UNTIL) == 80_000
    assert newest_ms(counted, after_ms=130_000, until_ms=140_000) is None


STEPS = st.lists(st.tuples(st.integers(1, 20), st.integers(0, 9), st.booleans()), min_size=1, max_size=30)


@given(STEPS, st.lists(st.integers(1, 600), min_size=1, max_size=6, unique=True))
def test_windows_one_after_the_other_count_each_request_once(
    steps: list[tuple[int, int, bool]], ends: list[int]
) -> None:
    """Wherever they are cut, and however often the process begins anew."""
    samples: list[tuple[int, int]] = []
    time_s, value, total = 0, 0, 0
    for seconds, more, is_anew in steps:
        time_s, value = time_s + seconds, more if is_anew else value + more
        last = samples[-1][1] if samples else 0
        total += value - last if value >= last else value
        samples.append((time_s * 1000, value))
    counted, since_ms = 0, 0
    for until_ms in sorted({*(end * 1000 for end in ends), 600_000}):
        base = next((one for time_ms, one in reversed(samples) if time_ms <= since_ms), None)
        known = Counter({}, base, tuple(each for each in samples if each[0] >= since_ms))
        found = tally(Scraped((known,), ()), since_ms=since_ms, until_ms=until_ms)
        assert found.least.requests <= found.exact.requests <= found.most.requests
        counted, since_ms = counted + found.exact.requests, until_ms
    assert counted == total
