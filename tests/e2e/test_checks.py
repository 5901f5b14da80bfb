"""Thresholds on a real Prometheus, from the settings to the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.capabilities.rollouts import Checks, ChecksLook
from shipline.capabilities.rollouts.observing.figures import NO_COUNTS
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.domain.verdict import Answer
from tests.prometheus import PROGRAM, Prometheus, scraping

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Prometheus is not installed")
ODD = '1\\2"0'  # What nobody calls a version, and what would end a string that it is put into.
SETTINGS = """
[[environment]]
name = "production"
target.command = ["serve", "{{port}}"]
traffic.port = 8002
[[environment.check]]
name = "checked"
query = '''{query}'''
min = 5
every_s = 1
metrics.url = "{url}"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with scraping(tmp_path_factory.mktemp("prometheus")) as running:
        yield running


def checks(folder: Path, server: Prometheus, query: str) -> Checks:
    (folder / "shipline.toml").write_text(SETTINGS.format(query=query, url=server.url))
    application = Application(folder)
    return application.checks(application.environment("production"))


def rollout(version: str) -> Rollout:
    return Rollout(
        "rol_1", "quotes", version, "production", "canary", RolloutStatus.RUNNING, started_us=0, stable_version="1.1.0"
    )


def looked(made: Checks, server: Prometheus, version: str) -> ChecksLook:
    """The second look, which is the first to read."""
    began = made.look(None, rollout(version), NO_COUNTS, server.scraped_us - 1_000_000)
    return made.look(began.state, rollout(version), NO_COUNTS, server.scraped_us)


@pytest.mark.parametrize(
    ("version", "answer", "value"),
    [("1.2.0", Answer.PASS, 7.0), ("1.1.0", Answer.FAIL, 3.0), ("1.3.0", Answer.UNKNOWN, None)],
)
def test_each_version_is_judged_by_its_own_numbers(
    tmp_path: Path, server: Prometheus, version: str, answer: Answer, value: float | None
) -> None:
    made = checks(tmp_path, server, 'sum(service_requests_total{version="{version}"})')
    found = looked(made, server, version)
    assert (found.verdict, found.readings[0].value) == (answer, value)
    assert made.preflight(rollout(version)) == ""


@pytest.mark.parametrize("matcher", ["=", "=~"])
@pytest.mark.parametrize("quote", ['"', "'", "`"])
def test_prometheus_reads_the_very_value_that_was_filled_in(
    tmp_path: Path, server: Prometheus, matcher: str, quote: str
) -> None:
    """Backslash and quotes too, as a text and as a pattern; a pattern's dot is no other character."""
    made = checks(tmp_path, server, f"service_odd_total{{version{matcher}{quote}{{version}}{quote}}}")
    assert looked(made, server, ODD).readings[0].value == 11.0
    assert looked(made, server, "1.2.0").verdict is Answer.UNKNOWN


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("service_that_is_not_there", "found nothing"),
        ("service_idle_total / service_idle_total", "nan"),
        ("service_requests_total", "2 series"),
        ("service_idle_total[5m]", "rate"),
        ("sum(", "unclosed"),
    ],
)
def test_a_query_without_a_number_is_found_out_before_the_rollout(
    tmp_path: Path, server: Prometheus, query: str, told: str
) -> None:
    made = checks(tmp_path, server, query)
    assert told in made.preflight(rollout("1.2.0"))
    assert looked(made, server, "1.2.0").verdict is Answer.UNKNOWN
