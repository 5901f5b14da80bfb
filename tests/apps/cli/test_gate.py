"""`shipline gate explain` and `check`: what the gates are and would say, and that looking leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shipline.apps.cli import gate
from shipline.bootstrap import Application
from shipline.capabilities.releases import find_release, refusal_of, verdicts_of
from shipline.domain.errors import UnknownName
from shipline.domain.release import Release
from shipline.store.log import read_latest
from tests.apps.cli.test_rollouts import CONFIGURATION, published

GATES = """
[gates]
sets = ["compliance"]

[[gate]]
name = "covered"
rule = "coverage.line >= 80.0"
stage = "production"
message = "most of it is tried"
approvals = { operations = 2 }

[[gate]]
name = "open"
rule = "!calendar.frozen && checklist.open_items == 0"
stage = "production"
"""


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    (tmp_path / "shipline.toml").write_text(CONFIGURATION + GATES)
    made = Application(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def release(application: Application) -> Release:
    published(application, "quotes", "1.0.0", created_us=1)
    with application.store.begin() as tx:
        found = find_release(tx, "quotes", "1.0.0")
    assert found is not None
    return found


def run(application: Application, *arguments: str) -> Result:
    return CliRunner().invoke(
        gate.command, list(arguments), obj=application, catch_exceptions=False, standalone_mode=False
    )


def document(application: Application, *arguments: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(run(application, *arguments, "--json").stdout)
    return found


def test_check_asks_the_gates_of_a_stage_and_records_nothing(application: Application, release: Release) -> None:
    before = len(read_latest(application.store, 100))
    done = run(application, "check", "--stage", "production")
    assert done.return_value == 3
    assert "UNKNOWN covered\n" in done.output
    assert "it passes at 80.0 or more; supplied by `shipline evidence add FILE --release 1.0.0`" in done.output
    assert "shipline approve 1.0.0 --stage production --role operations" in done.output
    assert "PASS    open\n" in done.output
    assert "quotes 1.0.0, production: UNKNOWN; nothing is recorded" in done.output
    told = document(application, "check", "--stage", "production", "--release", "1.0.0")
    assert (told["schema"], told["verdict"], told["stage"]) == ("shipline.verdict/1", "UNKNOWN", "production")
    assert told["release"] == {"package": "quotes", "version": "1.0.0"}
    assert len(read_latest(application.store, 100)) == before
    with application.store.begin() as tx:
        assert verdicts_of(tx, release.id) == ()


def test_check_needs_a_release_and_a_stage_that_there_are(application: Application) -> None:
    with pytest.raises(UnknownName, match="no release yet"):
        run(application, "check")
    with pytest.raises(UnknownName, match=r"no release '9\.9\.9'"):
        run(application, "check", "--release", "9.9.9")
    with pytest.raises(UnknownName, match="no stage 'moon'"):
        run(application, "check", "--stage", "moon")


def test_explain_says_where_a_gate_is_from_and_what_supplies_its_facts(application: Application) -> None:
    """Before anything was released."""
    told = run(application, "explain").output
    assert "second person  (release)\n  from   the set compliance of shipline.toml as it lies here\n" in told
    assert "covered  (production)\n  from   a [[gate]] of shipline.toml as it lies here\n" in told
    assert "  wants  most of it is tried\n  wants  2 of operations to approve\n" in told
    assert "  asks   coverage.line (double): covered lines in percent, 0 to 100\n         supplied by `shipline" in told
    assert told.count("         supplied by") < told.count("  asks   "), "one line for facts that come together"
    assert "  last   never asked" in told
    assert "covered" not in run(application, "explain", "--stage", "release").output
    with pytest.raises(UnknownName) as unknown:
        run(application, "explain", "coverd")
    assert "second person" in unknown.value.todo


def test_explain_tells_the_last_verdict_and_what_would_make_it_pass(application: Application, release: Release) -> None:
    """As a document, with the values that it saw."""
    _, save = refusal_of(application.release_ground, release.id, stage="production")
    with application.store.begin() as tx:
        save(tx)
    told = document(application, "explain", "--stage", "production")
    assert (told["schema"], told["policy"]) == ("shipline.gates/1", "shipline.toml as it lies here")
    gates = told["gates"]
    assert isinstance(gates, list)
    covered, opened = gates
    assert covered["last"]["answer"] == "UNKNOWN"
    assert covered["last"]["passes"][0].startswith("coverage.line >= 80.0: it passes at 80.0 or more; supplied by")
    assert covered["facts"][0] | {"supply": ""} == {
        "fact": "approvals.operations",
        "type": "int",
        "meaning": "how many different approvers of a role have said yes for the stage",
        "supply": "",
        "value": None,
    }
    assert (opened["last"]["answer"], opened["last"]["passes"]) == ("PASS", [])
    assert [fact["value"] for fact in opened["facts"]] == [False, 0]
    shown = run(application, "explain", "covered").output
    assert "  last   UNKNOWN of quotes 1.0.0, " in shown
    assert "coverage.line >= 80.0: it passes at 80.0 or more" in shown


def test_looking_where_nothing_was_released_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "shipline.toml").write_text('[gates]\nsets = ["quality"]\n')
    made = Application(tmp_path)
    assert "tests  (release)" in run(made, "explain").output
    assert [path.name for path in tmp_path.iterdir()] == ["shipline.toml"]
    made.store.close()
