"""Selectors of counters: PromQL's, alone."""

import pytest

from shipline.domain.errors import ConfigurationError
from shipline.ports.signals import CountedGroup
from shipline.ports.target import Role
from shipline.providers.signals.selectors import LENGTH_MAX, check_selector, selector_of

GROUP = CountedGroup(Role.BASELINE, "quotes", "1.1.0", "quotes-1-1-0-a1-baseline-xyz")


@pytest.mark.parametrize(
    "text",
    [
        "http_requests_total",
        'http_requests_total{version="{version}"}',
        ' istio_requests_total {destination_workload = "{group}", response_code=~"5..",} ',
        "x:y:sum{a='b', c!~`d`}",
        '{__name__="http_requests_total", group="{group}"}',
        '{"http.requests", "http.code"=~"5.."}',
        r'up{a="\"}[5m]"}',
        "up{}",
    ],
)
def test_a_metric_with_labels_is_a_selector(text: str) -> None:
    check_selector(text, name="requests")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "rate(http_requests_total[5m])",
        "http_requests_total[5m]",
        "http_requests_total offset 5m",
        "http_requests_total @ 5",
        "a + b",
        "sum(a)",
        'a{b="c"} # and more',
        'a{b="c"',
        'a{b="c"}}',
        "a{b=c}",
        "{version}_requests_total",
        "a" * (LENGTH_MAX + 1),
        'a{b="' + "\\" * 1999,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    """Functions change what was scraped, and a range or a moment is ours to add."""
    with pytest.raises(ConfigurationError, match="no selector"):
        check_selector(text, name="requests")


def test_a_group_is_named_in_strings() -> None:
    text = 'r{g="{group}", v=~"{version}", p="{package}", e="{environment}", r="{role}", x="{id}"}'
    assert selector_of(text, GROUP, environment="production") == (
        'r{g="quotes-1-1-0-a1-baseline-xyz", v=~"1\\\\.1\\\\.0", p="quotes", e="production", r="baseline", x="{id}"}'
    )
