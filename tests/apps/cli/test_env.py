"""`shipline env`: what serves, and what has served."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from shipline.apps.cli import env, rollout
from shipline.apps.cli.deploy import report
from shipline.apps.cli.env_by_hand import drift_lines
from shipline.apps.cli.rollouts import order_deployment
from shipline.bootstrap import Application
from shipline.capabilities.rollouts import (
    DEPLOYMENTS,
    ROLLOUTS,
    Drift,
    DriftAnswer,
    Finding,
    Life,
    LifeOrder,
    RolloutCommand,
    RolloutOrder,
    Strategy,
    StrategyKind,
    command_rollout,
    order_life,
    order_mending,
)
from shipline.capabilities.rollouts.observing.history import POINTS, AnalysisPoint
from shipline.capabilities.rollouts.workflow import mending_key
from shipline.domain.actor import Actor, ActorKind
from shipline.domain.errors import RefusedError, UnknownName
from shipline.domain.rollout import RolloutStatus
from shipline.engine.journal import holder_of, save_run
from tests.apps.cli.test_rollouts import CONFIGURATION, published, served

PERSON = Actor(ActorKind.PERSON, "tests", "ann")


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    (tmp_path / "shipline.toml").write_text(CONFIGURATION)
    made = Application(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def busy(application: Application) -> Application:
    """1.0.0 was replaced by 1.1.0; 1.2.0 was rolled back; 1.3.0 is on its way."""
    served(application, "quotes", "1.0.0", began_us=1_000_000, ended_us=2_000_000)
    served(application, "quotes", "1.1.0", began_us=2_000_000, ended_us=None)
    served(application, "quotes", "1.2.0", began_us=3_000_000, ended_us=4_000_000)
    with application.store.begin() as tx:
        for rollout in ROLLOUTS.where(tx, version="1.2.0"):
            reason = "The canary fails more often.\x1b[2J"
            ROLLOUTS.save(
                tx,
                replace(
                    rollout, status=RolloutStatus.ROLLED_BACK, failed_requests=12, reason=reason, ordered_by="ann@x"
                ),
            )
        for deployment in DEPLOYMENTS.where(tx, rollout_id="rol_1.2.0"):
            DEPLOYMENTS.save(tx, replace(deployment, finished_us=None, failed=True))
    published(application, "quotes", "1.3.0", created_us=5)
    order_deployment(application, "1.3.0", None, None)
    return application


def shown(application: Application, *arguments: str) -> str:
    result = CliRunner().invoke(env.command, list(arguments), obj=application, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_it_says_what_serves_since_when_and_what_is_under_way(busy: Application) -> None:
    assert shown(busy, "list") == (
        "production: quotes 1.1.0 since 1970-01-01 00:00:02 UTC; quotes 1.3.0 is starting there\n"
    )


def test_history_names_the_outcome_who_ordered_it_and_why_it_went_back(busy: Application) -> None:
    point = AnalysisPoint("p", "rol_1.2.0", 16, 9, 0.1, 100, 12, 100, 0, 112.3, "rollback", "It is worse.")
    with busy.store.begin() as tx:
        POINTS.save(tx, point)
    lines = shown(busy, "history").splitlines()
    assert lines[0] == (
        "1970-01-01 00:00:03 UTC  quotes 1.2.0  canary, rolled back after 12 failed requests by ann@x; "
        "the analysis said rollback after 16 looks (evidence 112)"
    )
    assert lines[1] == "    The canary fails more often. [2J"
    assert lines[2].endswith("serves now")
    assert [line.split("  ")[1] for line in (lines[2], lines[3])] == ["quotes 1.1.0", "quotes 1.0.0"]
    assert len(shown(busy, "history", "--limit", "1").splitlines()) == 2


def test_their_documents_hold_deployments_with_their_rollouts(busy: Application) -> None:
    listed = json.loads(shown(busy, "list", "--json"))
    assert listed["schema"] == "shipline.environments/1"
    (production,) = listed["environments"]
    assert production["serves"][0]["deployment"]["version"] == "1.1.0"
    assert production["rollout"]["ordered_by"]
    told = json.loads(shown(busy, "history", "--json"))
    assert [each["analysis"] for each in told["deployments"]] == [None, None, None]
    assert [each["rollout"]["status"] for each in told["deployments"]] == ["rolled_back", "promoted", "promoted"]


def test_an_environment_that_served_nothing_is_no_error(application: Application) -> None:
    assert shown(application, "list") == "production: nothing\n"
    assert "has served nothing yet" in shown(application, "history")


def test_what_waits_for_its_turn_is_told_and_can_be_withdrawn(busy: Application) -> None:
    """In the words of `deploy`, it was refused then."""
    (busy.root / "shipline.toml").write_text(CONFIGURATION + 'concurrency = "queue"\n')
    here = Application(busy.root)
    published(here, "quotes", "1.4.0", created_us=6)
    waits = order_deployment(here, "1.4.0", None, None)
    assert shown(here, "list").endswith("quotes 1.3.0 is starting there; quotes 1.4.0 waits for its turn\n")
    with here.store.begin() as tx:
        command_rollout(tx, here.engine, waits, RolloutCommand("withdraw", "not today", PERSON))
        withdrawn = ROLLOUTS.find(tx, waits.id)
    assert withdrawn is not None
    with pytest.raises(RefusedError, match=r"quotes 1\.4\.0 was not deployed to production") as refused:
        report(withdrawn, as_json=False)
    assert refused.value.why == "not today"
    said = CliRunner().invoke(rollout.command, ["withdraw"], obj=here)
    assert isinstance(said.exception, UnknownName)
    assert "no rollout waits for its turn in production" in str(said.exception)
    here.store.close()


def test_copies_that_are_being_brought_back_are_told(busy: Application) -> None:
    """In one line for people, whole for programs; empty where there is nothing to tell."""
    (before,) = json.loads(shown(busy, "list", "--json"))["environments"]
    assert before["mending"] == ""
    with busy.store.begin() as tx:
        order_mending(tx, busy.engine, "production")
        run = holder_of(tx, mending_key("production"))
        assert run is not None
        words = "1 of 2 copies of quotes 1.1.0 is ready: it ended\x1b[2J\nthe end of its output"
        save_run(tx, replace(run, state=replace(run.state, waiting_for=words)))
    assert "; copies had died: 1 of 2 copies of quotes 1.1.0 is ready: it ended [2J\n" in shown(busy, "list")
    (told,) = json.loads(shown(busy, "list", "--json"))["environments"]
    assert told["mending"] == words


STAGING = """[[environment]]
name = "staging"
instances = 2
target.command = ["serve", "{port}"]
traffic.port = 8001
"""
TWO = CONFIGURATION.replace("[[environment]]", STAGING + "[[environment]]", 1)


def test_two_environments_are_compared_by_what_they_serve_and_how_they_are_set(busy: Application) -> None:
    (busy.root / "shipline.toml").write_text(TWO + 'target.index_url = "https://ann:hunter2@index.example/"\n')
    here = Application(busy.root)
    text = shown(here, "diff", "staging", "production")
    assert text.startswith("serves: nothing in staging, quotes 1.1.0 (no digest) in production\n")
    assert "instances: 2 | 1\n" in text
    assert "target.index_url: not set | (not shown)\n" in text
    document = json.loads(shown(here, "diff", "staging", "production", "--json"))
    assert document["serves"]["right"] == [{"package": "quotes", "version": "1.1.0", "digests": []}]
    assert {"key": "traffic.port", "left": 8001, "right": 8002} in document["settings"]
    assert "hunter2" not in text + json.dumps(document)
    assert shown(here, "diff", "staging", "staging") == "staging and staging do not differ\n"
    here.store.close()


def test_what_cannot_be_told_is_not_well(busy: Application) -> None:
    """A rollout is under way there; elsewhere nothing was deployed, and nothing runs."""
    result = CliRunner().invoke(env.command, ["drift"], obj=busy)
    words = "production: nobody can tell: the rollout of quotes 1.3.0 is under way there\n"
    assert (result.exit_code, result.output) == (1, words)
    document = json.loads(CliRunner().invoke(env.command, ["drift", "--json"], obj=busy).output)
    (told,) = document["environments"]
    assert (told["environment"], told["answer"], told["findings"]) == ("production", "unknown", [])


def test_as_recorded_is_well(application: Application) -> None:
    assert shown(application, "drift") == "production: as recorded\n"


def test_both_ways_out_are_named_where_somebody_acted_by_hand() -> None:
    finding = Finding("version", "1.0.0", "1.0.0 has all, and quotes 1.1.0 is on record")
    lines = drift_lines("production", Drift(DriftAnswer.DRIFT, (finding,)))
    assert lines[0] == "production: 1.0.0 has all, and quotes 1.1.0 is on record"
    assert [line.split()[2] for line in lines[2:]] == ["adopt", "restore"]
    changed = Finding("content", "quotes", "its image was changed")
    lines = drift_lines("production", Drift(DriftAnswer.DRIFT, (changed,)))
    assert [line.split()[1:3] for line in lines[2:]] == [["rollback", "production"], ["env", "restore"]]
    small = Drift(DriftAnswer.DRIFT, (Finding("size", "1.0.0", "one copy too few"),))
    assert drift_lines("production", small) == ["production: one copy too few"]


def test_an_environment_of_a_branch_is_listed_with_whose_it_is(tmp_path: Path) -> None:
    """Beside the one that it is made after."""
    (tmp_path / "shipline.toml").write_text(CONFIGURATION + '\nephemeral = { branches = "feature/*" }\n')
    made = Application(tmp_path)
    life = Life("production-x", "production", "feature/x")
    strategy, digests = Strategy(StrategyKind.ALL_AT_ONCE), ("sha256:" + "5" * 64,)
    order = RolloutOrder("quotes", "1.0.0", life.name, strategy, digests, is_down=True)
    with made.store.begin() as tx:
        order_life(tx, made.engine, LifeOrder(life, order, ports=range(8003, 8004)), PERSON)
    result = CliRunner().invoke(env.command, ["list"], obj=Application(tmp_path))
    assert result.output.splitlines() == [
        "production: nothing",
        "production-x: for feature/x: It is coming up.",
    ]
    made.store.close()
