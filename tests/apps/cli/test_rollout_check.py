"""`shipline rollout check`: thresholds tried on what serves, before anything is rolled out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from click.testing import CliRunner

from shipline.apps.cli import rollout
from shipline.apps.cli.thresholds import document, imagined_rollout, is_well, lines, tried_counts
from shipline.bootstrap import Application
from shipline.capabilities.rollouts import ROLLOUTS, CountsTrial
from shipline.domain.errors import UsageError
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.domain.verdict import Answer as Verdict
from tests.apps.cli.test_rollouts import CONFIGURATION, published, served
from tests.providers.metrics.contract import Answer, Contract, Request, keeping

CHECKS = """
[[environment.check]]
name = "latency"
query = '''
  latency{{version="{{version}}"}}
+ 0'''
max = 0.5
metrics = {{ url = "{url}", token_environment = "METRICS_TOKEN" }}
[[environment.check]]
name = "queue"
query = "queue"
max = 10
mode = "information"
metrics = {{ url = "{url}", token_environment = "METRICS_TOKEN" }}
[[environment.check]]
name = "errors"
figure = "error_rate"
max = 0.01
"""
OLD, NEW = '  latency{version="1.1.0"}\n+ 0', '  latency{version="1.2.0"}\n+ 0'
TOKEN = "tok-s3cret"


class Source:
    """What a Prometheus by contract knows, by query; `down` answers that it has trouble."""

    def __init__(self) -> None:
        self.known: dict[str, list[str]] = {}
        self.down = False

    def __call__(self, request: Request) -> Answer:
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        if self.down:
            return 503, {"status": "error", "error": f"it burns \x1b[2J {TOKEN}"}
        query = parse_qs(request.body.decode())["query"][0]
        series = [{"metric": {}, "value": [0, value]} for value in self.known.get(query, [])]
        return 200, {"status": "success", "data": {"resultType": "vector", "result": series}}


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def server(source: Source) -> Iterator[Contract]:
    with keeping(source) as running:
        yield running


@pytest.fixture
def application(tmp_path: Path, server: Contract, monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    """An environment that serves 1.1.0."""
    monkeypatch.setenv("METRICS_TOKEN", TOKEN)
    (tmp_path / "shipline.toml").write_text(CONFIGURATION + CHECKS.format(url=server.url))
    made = Application(tmp_path)
    published(made, "quotes", "1.1.0", created_us=1)
    served(made, "quotes", "1.1.0", began_us=1, ended_us=None)
    yield made
    made.store.close()


def said(application: Application, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(rollout.command, ["check", *arguments], obj=application, catch_exceptions=False)
    return result.exit_code, result.output


def told(application: Application) -> tuple[int, dict[str, Any]]:
    code, output = said(application, "--json")
    return code, json.loads(output)


def test_it_shows_what_is_asked_answered_and_concluded(application: Application, source: Source) -> None:
    """And changes nothing."""
    source.known = {OLD: ["0.2"], "queue": ["25"]}
    code, output = said(application)
    assert (code, output.splitlines()) == (
        0,
        [
            "production: tried on quotes 1.1.0",
            "PASS    latency (gate)",
            '        asks: latency{version="1.1.0"} + 0',
            "        The check 'latency' reads 0.2.",
            "FAIL    queue (information)",
            "        asks: queue",
            "        The check 'queue' reads 25, above the most that is allowed, 10.",
            "UNKNOWN errors (gate)",
            "        asks: error_rate of the new version's requests",
            "        Shipline counts it itself, once the new version has requests.",
            "UNKNOWN counts of requests (for the analysis)",
            "        Nobody knows yet: the proxy does not run. What to do: open the environment's traffic again.",
        ],
    )
    with application.store.begin() as tx:
        assert [one.version for one in ROLLOUTS.where(tx)] == ["1.1.0"]


def test_the_document_holds_the_same(application: Application, source: Source) -> None:
    source.known = {OLD: ["0.2"]}
    code, shown = told(application)
    assert (code, shown["schema"]) == (0, "shipline.rollout-check/1")
    assert (shown["environment"], shown["package"], shown["version"]) == ("production", "quotes", "1.1.0")
    latency, queue, errors = shown["checks"]
    assert (latency["query"], latency["value"], latency["answer"], latency["max"]) == (OLD, 0.2, "PASS", 0.5)
    assert (latency["min"], latency["figure"], latency["refusal"]) == (None, "", "")
    assert (queue["mode"], queue["value"], queue["answer"]) == ("information", None, "UNKNOWN")
    assert (errors["figure"], errors["query"], errors["value"]) == ("error_rate", "", None)


@pytest.mark.parametrize(("series", "answer"), [([], "UNKNOWN"), (["NaN"], "UNKNOWN"), (["1", "2"], "UNKNOWN")])
def test_a_gate_without_a_number_ends_with_three(
    application: Application, source: Source, series: list[str], answer: str
) -> None:
    """With what to do."""
    source.known = {OLD: series}
    code, shown = told(application)
    assert (code, shown["checks"][0]["answer"]) == (3, answer)
    assert "What to do: " in shown["checks"][0]["refusal"]
    assert "A rollout would be refused." in said(application)[1]


def test_a_gate_that_would_fail_ends_with_three(application: Application, source: Source) -> None:
    """Nothing would refuse the rollout, but what serves is no better than what would be turned back."""
    source.known = {OLD: ["0.7"]}
    code, shown = told(application)
    assert (code, shown["checks"][0]["answer"], shown["checks"][0]["refusal"]) == (3, "FAIL", "")


def test_a_source_that_is_down_is_told_and_asked_once(
    application: Application, source: Source, server: Contract
) -> None:
    """Checks with the same table share it. Nothing that it echoes steers a terminal or shows the token."""
    source.down = True
    code, output = said(application)
    assert code == 3
    assert "it burns" in output
    assert "was not asked" in output
    assert TOKEN not in output
    assert "\x1b" not in output
    assert len(server.requests) == 1


def test_a_rollout_under_way_is_the_one_that_is_meant(application: Application, source: Source) -> None:
    """It names what it takes the place of, and that is what is asked."""
    under_way = Rollout(
        "rol_2", "quotes", "1.2.0", "production", "canary", RolloutStatus.RUNNING, started_us=9, stable_version="1.0.9"
    )
    with application.store.begin() as tx:
        ROLLOUTS.save(tx, under_way)
    query = OLD.replace("1.1.0", "1.0.9")
    source.known = {query: ["0.2"]}
    code, shown = told(application)
    assert (code, shown["version"], shown["checks"][0]["query"]) == (0, "1.0.9", query)


def test_where_nothing_serves_the_newest_release_is_tried(
    tmp_path: Path, server: Contract, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That there is nothing yet is known, and refuses nothing."""
    monkeypatch.setenv("METRICS_TOKEN", TOKEN)
    (tmp_path / "shipline.toml").write_text(CONFIGURATION + CHECKS.format(url=server.url))
    fresh = Application(tmp_path)
    with pytest.raises(UsageError, match="nothing yet that the checks could be tried on"):
        said(fresh)
    published(fresh, "quotes", "1.2.0", created_us=1)
    code, shown = told(fresh)
    assert (code, shown["version"], shown["checks"][0]["query"]) == (0, "1.2.0", NEW)
    assert shown["checks"][0]["refusal"] == ""
    assert source.known == {}
    fresh.store.close()


def test_an_environment_without_checks_says_so(tmp_path: Path) -> None:
    (tmp_path / "shipline.toml").write_text(CONFIGURATION)
    made = Application(tmp_path)
    published(made, "quotes", "1.1.0", created_us=1)
    code, output = said(made)
    assert (code, output.splitlines()[0]) == (
        0,
        "production has no checks: an [[environment.check]] in shipline.toml is one",
    )
    made.store.close()


def test_counts_that_a_canary_could_not_be_judged_by_end_with_three(application: Application) -> None:
    """They are told beside the checks. Where no canary is judged, nobody asks for them."""
    about = imagined_rollout(application, "production")
    trouble = CountsTrial(Verdict.FAIL, "no series fits\nWhat to do: check the labels")
    assert not is_well((), trouble)
    assert document(about, (), trouble)["counts"] == {"answer": "FAIL", "words": trouble.words}
    assert list(lines(about, (), trouble))[1:] == [
        "FAIL    counts of requests (for the analysis)",
        "        A canary would be refused. no series fits What to do: check the labels",
    ]
    assert told(application)[1]["counts"]["answer"] == "UNKNOWN"
    environment = application.environment("production")
    for other in (replace(environment, strategy="rolling"), replace(environment, controller={"provider": "flagger"})):
        assert tried_counts(application, other) is None
    assert is_well((), None)
