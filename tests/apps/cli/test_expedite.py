"""`shipline deploy --expedite`: the shorter way of a hotfix, which is never taken silently."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.apps.cli.rollouts import order_deployment
from shipline.bootstrap import Application
from shipline.capabilities.releases import RELEASES, verdicts_of
from shipline.domain.errors import ConfigurationError, RefusedError
from shipline.store.log import read_latest
from tests.apps.cli.test_rollouts import CONFIGURATION, published

GATES = """
[[gate]]
name = "tried by hand"
stage = "production"
rule = "release.version == 'tried'"

[[gate]]
name = "named"
stage = "production"
rule = "release.package == 'quotes'"
"""
HOTFIX = """
[environment.hotfix]
allowed = true
skip_gates = ["tried by hand"]
"""


def opened(folder: Path, hotfix: str) -> Iterator[Application]:
    (folder / "shipline.toml").write_text(CONFIGURATION + hotfix + GATES)
    made = Application(folder)
    for version in ("1.0.1", "1.1.0"):
        published(made, "quotes", version, created_us=1)
    with made.store.begin() as tx:
        (release,) = RELEASES.where(tx, version="1.0.1")
        RELEASES.save(tx, replace(release, hotfix=True))
    yield made
    made.store.close()


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    yield from opened(tmp_path, HOTFIX)


def test_a_hotfix_takes_the_shorter_way_and_the_record_says_why(application: Application) -> None:
    rollout = order_deployment(application, "1.0.1", None, None, "the till does not open")
    assert rollout.expedited == "the till does not open"
    refusal, save = application.rollout_ground(application.environment("production")).check_gates(rollout)
    assert refusal == ""
    with application.store.begin() as tx:
        save(tx)
        verdicts = verdicts_of(tx, "rel_quotes_1.0.1")
    assert [verdict.gate for verdict in verdicts] == ["expedited", "named"]
    words = f"expedited, because the till does not open ({rollout.ordered_by}); not asked: tried by hand"
    assert verdicts[0].reasons[0] == words
    (started,) = [one.event for one in read_latest(application.store, 20) if one.event.kind == "RolloutStarted"]
    assert started.body["expedited"] == "the till does not open"


def test_without_a_reason_every_gate_is_asked(application: Application) -> None:
    with pytest.raises(RefusedError) as refused:
        order_deployment(application, "1.0.1", None, None)
    assert "tried by hand says FAIL" in refused.value.why


def test_what_is_no_hotfix_is_not_expedited(application: Application) -> None:
    with pytest.raises(RefusedError, match=r"quotes 1\.1\.0 is no hotfix"):
        order_deployment(application, "1.1.0", None, None, "in a hurry")


def test_where_the_settings_have_no_shorter_way_there_is_none(tmp_path: Path) -> None:
    for made in opened(tmp_path, ""):
        with pytest.raises(RefusedError, match="nothing is expedited to production"):
            order_deployment(made, "1.0.1", None, None, "in a hurry")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ('allowed = true\nskip_gates = ["other"]', "there is no gate 'other'"),
        ('skip_gates = ["named"]', "nothing is expedited there"),
        ("allowed = true\napprovals = { oncall = 1 }", "nobody has that role"),
    ],
)
def test_settings_that_can_only_be_a_mistake_are_refused(tmp_path: Path, wrong: str, words: str) -> None:
    (tmp_path / "shipline.toml").write_text(CONFIGURATION + "\n[environment.hotfix]\n" + wrong + GATES)
    with pytest.raises(ConfigurationError, match=words):
        _ = Application(tmp_path).store
