"""What is asked for of rollouts: tried without a trace, ordered once for its key, and exactly what was foretold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.bootstrap.asked import Asked
from shipline.bootstrap.freezing import in_force
from shipline.capabilities.automation import Spoken, Verb, Wish
from shipline.capabilities.releases import RELEASES
from shipline.capabilities.rollouts import DEPLOYMENTS, ROLLOUTS, all_rollouts
from shipline.domain.actor import Actor, ActorKind
from shipline.domain.deployment import Deployment
from shipline.domain.errors import RefusedError
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.engine.journal import pending_signals, runs_of
from shipline.store.log import read_latest
from shipline.testing.kills import Countdown, Killed, MortalStore
from tests.apps.cli.test_rollouts import published

SETTINGS = """
schema = 1
[[environment]]
name = "staging"
target.command = ["serve", "{port}"]
traffic.port = 8001
[[environment]]
name = "production"
after = ["staging"]
target.command = ["serve", "{port}"]
traffic.port = 8002
[environment.hotfix]
allowed = true
"""
ADA = Actor(ActorKind.PERSON, "github", "ada", authenticated=True)


def wish(spoken: Spoken, key: str = "github-comment-issue-1-2") -> Wish:
    return Wish(spoken, ADA, f"{spoken.line} by ada in issue 1", key)


def serving(application: Application, environment: str, version: str, began_us: int, ended_us: int | None) -> None:
    name = f"rol_{environment}_{version}"
    with application.store.begin() as tx:
        status = RolloutStatus.PROMOTED
        ROLLOUTS.save(tx, Rollout(name, "quotes", version, environment, "canary", status, started_us=began_us))
        kept = Deployment(f"dep_{environment}_{version}", environment, "quotes", version, name, began_us)
        DEPLOYMENTS.save(tx, replace(kept, finished_us=began_us, ended_us=ended_us))


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    (tmp_path / "shipline.toml").write_text(SETTINGS)
    made = Application(tmp_path)
    for version in ("1.0.0", "1.1.0"):
        published(made, "quotes", version, created_us=1)
    serving(made, "staging", "1.0.0", 1, 2)
    serving(made, "staging", "1.1.0", 2, None)
    yield made
    made.store.close()


def events(application: Application) -> list[tuple[str, str]]:
    return [(one.event.kind, str(one.event.actor)) for one in read_latest(application.store, 100)]


def test_a_dry_run_leaves_no_trace_and_what_was_foretold_is_ordered_once(application: Application) -> None:
    asked, given = Asked(application), wish(Spoken(Verb.PROMOTE, "production"))
    before = events(application)
    foretold = asked.foretell(given)
    assert foretold.plan == {"package": "quotes", "version": "1.1.0", "environment": "production"}
    assert foretold.sentences == ("production gets quotes 1.1.0, by all-at-once",)
    assert events(application) == before
    # Another version serves there meanwhile: that was not foretold, and is not ordered.
    serving(application, "staging", "1.0.0", 5, None)
    headlines = {asked.carry(given, foretold.plan).headline for _ in range(3)}
    with application.store.begin() as tx:
        ordered = [one for one in all_rollouts(tx) if one.environment == "production"]
    assert [(one.version, one.ordered_by) for one in ordered] == [("1.1.0", "ada@github")]
    assert len(headlines) == 1
    assert [kind for kind, actor in events(application) if actor == "ada@github"].count("RequestTaken") == 1


def test_it_is_ordered_once_whoever_dies(application: Application) -> None:
    """Before and after each commit of the order."""
    given = wish(Spoken(Verb.PROMOTE, "production"))
    plan = Asked(application).foretell(given).plan
    whole, fatal = application.store, 0
    while True:
        fatal += 1
        application.__dict__["store"] = MortalStore(whole, Countdown(fatal))
        try:
            Asked(application).carry(given, plan)
        except Killed:
            continue
        break
    application.__dict__["store"] = whole
    assert fatal > 4
    with whole.begin() as tx:
        assert len([one for one in all_rollouts(tx) if one.environment == "production"]) == 1


def test_the_way_back_and_a_hotfix_say_why(application: Application) -> None:
    asked = Asked(application)
    back = wish(Spoken(Verb.ROLLBACK, "staging"), "back")
    foretold = asked.foretell(back)
    assert foretold.sentences == ("staging gets back quotes 1.0.0, by all-at-once",)
    assert "starting" in asked.carry(back, foretold.plan).headline
    hotfix = wish(Spoken(Verb.HOTFIX, "production", "1.1.0"), "hotfix")
    with pytest.raises(RefusedError, match=r"quotes 1\.1\.0 is no hotfix"):
        asked.foretell(hotfix)
    with application.store.begin() as tx:
        (release,) = RELEASES.where(tx, version="1.1.0")
        RELEASES.save(tx, replace(release, hotfix=True))
    asked.carry(hotfix, asked.foretell(hotfix).plan)
    with application.store.begin() as tx:
        (made,) = (one for one in all_rollouts(tx) if one.environment == "production")
    assert made.expedited == "/hotfix production 1.1.0 by ada in issue 1"


def test_a_word_is_said_once_and_only_where_somebody_is_waited_for(application: Application) -> None:
    asked, given = Asked(application), wish(Spoken(Verb.APPROVE, "staging"), "approve")
    with pytest.raises(RefusedError, match="nothing waits for a person in staging"):
        asked.foretell(given)
    again = wish(Spoken(Verb.ROLLBACK, "staging"), "back")
    asked.carry(again, asked.foretell(again).plan)
    with application.store.begin() as tx:
        (rollout,) = (one for one in all_rollouts(tx) if one.status is RolloutStatus.STARTING)
        ROLLOUTS.save(tx, replace(rollout, paused_us=1))
    foretold = asked.foretell(given)
    for _ in range(2):
        progress = asked.carry(given, foretold.plan)
        assert (progress.ended, progress.headline) == (True, "said")
    with application.store.begin() as tx:
        runs = runs_of(tx, f"rollout:{rollout.id}")
        assert [one.kind for run in runs for one in pending_signals(tx, run.id)] == ["resume"]


def test_a_freeze_is_declared_once_for_its_comment_and_lifted_as_foretold(application: Application) -> None:
    asked = Asked(application)
    given = wish(Spoken(Verb.FREEZE, "staging", until="2h", reason="a move"), "freeze")
    before = events(application)
    foretold = asked.foretell(given)
    assert events(application) == before
    progress = [asked.carry(given, foretold.plan) for _ in range(2)]
    assert progress[0] == progress[1]
    assert progress[0].sentences == foretold.sentences
    assert "staging is frozen until" in foretold.sentences[0]
    assert "by ada@github: a move" in foretold.sentences[0]
    with pytest.raises(RefusedError):
        asked.carry(
            wish(Spoken(Verb.FREEZE, "production", until="2h", reason="a move"), "freeze"),
            foretold.plan | {"stage": "production"},
        )
    lift = wish(Spoken(Verb.UNFREEZE), "lift")
    plan = asked.foretell(lift).plan
    # What is frozen after that is not what was foretold.
    other = wish(Spoken(Verb.FREEZE, "production", until="2h", reason="a move"), "other")
    asked.carry(other, asked.foretell(other).plan)
    assert [asked.carry(lift, plan).ended for _ in range(2)] == [True, True]
    assert [one.stage for one in in_force(application)] == ["production"]
    kinds = [kind for kind, actor in events(application) if actor == "ada@github"]
    assert (kinds.count("FreezeDeclared"), kinds.count("FreezeLifted")) == (2, 1)
