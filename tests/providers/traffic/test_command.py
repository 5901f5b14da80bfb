"""Programs as traffic: the one that the documentation shows, as a splitter and as a switch, and bad ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from shipline.clients.route_sets import mismatches
from shipline.domain.errors import ConfigurationError, RefusedError, ShiplineError, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.traffic import Route, Traffic
from shipline.providers.traffic.command import CommandTraffic
from shipline.testing.conformance.switch import SwitchConformance
from shipline.testing.conformance.traffic import NEW, OLD, TrafficConformance, split
from tests.docs.markdown import ROOT
from tests.machine import SystemClock
from tests.scripts_shown import saved_scripts

SCHEMA = json.loads((ROOT / "docs" / "reference" / "shipline.traffic-command.schema.json").read_text())
NAMES = ("open", "apply", "routes", "open_requests", "forget", "close")


def settings_for(*program: str, **others: Any) -> CommandTraffic.Settings:
    """One program for all."""
    programs: dict[str, Any] = dict.fromkeys(NAMES, program)
    return CommandTraffic.Settings(**{"address": "127.0.0.1:8080", **programs, **others})


@pytest.fixture
def context(tmp_path: Path) -> ProviderContext:
    return ProviderContext(tmp_path, tmp_path / "state", SystemClock(), "workers")


class TestTheSplitterThatIsShown(TrafficConformance):
    @pytest.fixture
    def open_traffic(self, context: ProviderContext, tmp_path: Path) -> Callable[[], Traffic]:
        saved_scripts(tmp_path)
        everything = settings_for("deploy/traffic.py", splits=True, previews=True, mirrors=True)
        return lambda: CommandTraffic(everything, context)


class TestTheSwitchThatIsShown(SwitchConformance):
    @pytest.fixture
    def open_traffic(self, context: ProviderContext, tmp_path: Path) -> Callable[[], Traffic]:
        saved_scripts(tmp_path)
        return lambda: CommandTraffic(settings_for("deploy/traffic.py"), context)


def answering(tmp_path: Path, context: ProviderContext, script: str, **others: Any) -> CommandTraffic:
    """Traffic whose program is a shell script; what it was given by action lies in `ACTION.json`."""
    program = tmp_path / "program.sh"
    keep = 'given=$(cat); action=$(echo "$given" | sed "s/.*\\"action\\": \\"\\([a-z_]*\\)\\".*/\\1/")'
    program.write_text(f'#!/bin/sh\n{keep}\necho "$given" > "$action.json"\n{script}\n')
    program.chmod(0o755)
    return CommandTraffic(settings_for("./program.sh", splits=True, **others), context)


def told(*routes: Route, open_requests: int = 0) -> str:
    """A script that answers with these routes, and a number."""
    shown = [
        {
            "group_id": route.group_id,
            "role": route.role.value,
            "version": route.version,
            "share": route.share,
            "endpoints": [{"id": each.id, "address": each.address} for each in route.endpoints],
        }
        for route in routes
    ]
    answers = {
        "routes": {"schema": "shipline.traffic-routes/1", "routes": shown},
        "open_requests": {"schema": "shipline.traffic-open-requests/1", "open_requests": open_requests},
    }
    cases = "".join(f"{action}) echo '{json.dumps(answer)}';; " for action, answer in answers.items())
    return f"case $action in {cases} esac"


def test_what_programs_are_given_and_answer_is_as_the_schema_says(tmp_path: Path, context: ProviderContext) -> None:
    traffic = answering(tmp_path, context, told(OLD, NEW))
    traffic.open(revision=0)
    traffic.apply((OLD,), revision=1)
    traffic.open_requests("old")
    traffic.open_requests("old", "1")
    traffic.forget("new", revision=2)
    traffic.close(revision=3)
    validator = Draft202012Validator(SCHEMA)
    for action in NAMES:
        given = json.loads((tmp_path / f"{action}.json").read_text())
        assert (given["action"], given["environment"]) == (action, "workers")
        validator.validate(given)
    handed = json.loads((tmp_path / "apply.json").read_text())["routes"]
    assert [(route["group_id"], route["share"]) for route in handed] == [("new", 0.0), ("old", 1.0)]
    for answer in ({"schema": "shipline.traffic-routes/1", "routes": handed}, {"schema": "x", "routes": handed}):
        assert validator.is_valid(answer) == (answer["schema"] != "x")


def test_a_proxy_that_does_something_else_is_found_out(tmp_path: Path, context: ProviderContext) -> None:
    """It may come to hold the routes later."""
    traffic = answering(tmp_path, context, told(OLD, NEW))
    with pytest.raises(UnavailableError, match="does not hold the routes") as caught:
        traffic.apply(split(0.5), revision=1)
    assert "new has the share 0, not 0.5" in caught.value.why


def test_shares_may_be_rounded_but_not_to_nothing() -> None:
    """Nor from it: who was to get nothing gets nothing."""
    wanted = {"old": replace(OLD, share=0.996), "new": replace(NEW, share=0.004)}
    for there, is_fine in ((0.01, True), (0.0, False), (0.05, False)):
        shares = {"old": replace(OLD, share=1 - there), "new": replace(NEW, share=there)}
        assert (not mismatches(wanted, shares)) is is_fine
    assert mismatches({"old": OLD}, {"old": replace(OLD, share=0.999), "new": replace(NEW, share=0.001)})
    assert mismatches({"old": OLD}, {"old": OLD, "new": NEW}) == ()
    assert mismatches({"old": OLD}, {}) == ("old is not there",)
    assert mismatches({"old": OLD}, {"old": replace(OLD, preview=True)})
    assert mismatches({"old": OLD}, {"old": replace(OLD, endpoints=())})


def test_a_group_with_open_requests_is_not_forgotten(tmp_path: Path, context: ProviderContext) -> None:
    """The program is not even asked."""
    traffic = answering(tmp_path, context, told(OLD, NEW, open_requests=1))
    with pytest.raises(RefusedError, match="open requests"):
        traffic.forget("new", revision=1)
    assert not (tmp_path / "forget.json").exists()


@pytest.mark.parametrize(
    "script",
    [
        "echo '{}'",
        'echo \'{"schema": "shipline.traffic-routes/2", "routes": []}\'',
        told(replace(OLD, share=2.0)),
        told(OLD, OLD),
        told(OLD, open_requests=-1).replace("routes)", "x)").replace("open_requests)", "routes)"),
    ],
)
def test_an_answer_that_no_proxy_can_mean_is_refused(tmp_path: Path, context: ProviderContext, script: str) -> None:
    with pytest.raises(ShiplineError, match="answered what is not understood"):
        answering(tmp_path, context, script).routes()


def test_a_number_that_is_none_is_refused(tmp_path: Path, context: ProviderContext) -> None:
    with pytest.raises(ShiplineError, match="answered what is not understood"):
        answering(tmp_path, context, told(open_requests=-1)).open_requests("old")


@pytest.mark.parametrize(("address", "timeout_s"), [("here", 30), ("x:0", 30), ("x:80", 0)])
def test_settings_that_can_only_be_a_mistake_are_refused(address: str, timeout_s: int) -> None:
    with pytest.raises(ConfigurationError):
        settings_for("true", address=address, timeout_s=timeout_s)
    with pytest.raises(ConfigurationError, match="begins with a program"):
        settings_for()
