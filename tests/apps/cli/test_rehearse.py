"""`shipline rehearse` on a real proxy: what is injected, what is sent, and what is said of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from shipline.apps.cli import rehearse
from shipline.bootstrap import Application
from shipline.domain.errors import ShiplineError
from shipline.ports.target import Endpoint, Role
from shipline.ports.traffic import Route
from shipline.providers.traffic.haproxy import SEARCH_PATH
from shipline.testing.conformance.traffic import LAST
from shipline.testing.fakes.load import FakeLoad
from tests.apps.cli.test_rollouts import CONFIGURATION
from tests.capabilities.events import bodies
from tests.machine import free_port, get, running_backend, wait_until

ALLOWED = '\nrehearsal = { allowed = true, errors_percent_max = 100, paths = ["/ok"] }\n'

needs_haproxy = pytest.mark.skipif(
    shutil.which("haproxy") is None and shutil.which("haproxy", path=SEARCH_PATH) is None, reason="needs haproxy"
)


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    (tmp_path / "shipline.toml").write_text(CONFIGURATION.replace("8002", str(free_port())) + ALLOWED)
    made = Application(tmp_path)
    yield made
    made.store.close()


@needs_haproxy
def test_requests_fail_while_it_goes_on_and_not_afterwards(application: Application) -> None:
    traffic = application.rollout_ground(application.environment("production")).traffic
    traffic.open(revision=0)
    try:
        with running_backend("old") as backend:
            traffic.apply(
                (Route("old", Role.STABLE, "1.0.0", 1.0, (Endpoint("1", backend.address),)),),
                revision=1,
            )
            arguments = ["production", "--on", "stable", "--errors", "100%", "--rate", "20", "--seconds", "3", "--json"]
            result = CliRunner().invoke(rehearse.command, arguments, obj=application)
            assert result.exit_code == 0, result.output
            document = json.loads(result.stdout)
            assert document["load"]["by_status"].keys() <= {"200", "500"}
            assert document["load"]["failed"] == document["load"]["by_status"]["500"] > 20
            assert (document["found"]["turned_back"], document["promised"]) == (False, None)
            wait_until(lambda: get(traffic.address(), "/ok") == (200, "old"), "the end of the faults")
    finally:
        traffic.close(revision=LAST)
    (started,), (ended,) = (bodies(application.store, kind) for kind in ("RehearsalStarted", "RehearsalEnded"))
    assert (started["on"], started["errors"], ended["words"]) == ("stable", 1.0, "its time was over")


def stopped(_seconds: float) -> None:
    """As a service manager stops it."""
    os.kill(os.getpid(), signal.SIGTERM)


def broken(_seconds: float) -> None:
    raise ShiplineError("no more sockets")


@needs_haproxy
@pytest.mark.parametrize("passes", [stopped, broken])
def test_whatever_stops_it_ends_what_was_begun(application: Application, passes: Callable[[float], None]) -> None:
    """Long before its time is over, though it would have gone on for minutes."""
    traffic = application.rollout_ground(application.environment("production")).traffic
    traffic.open(revision=0)
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with running_backend("old") as backend:
            route = Route("old", Role.STABLE, "1.0.0", 1.0, (Endpoint("1", backend.address),))
            traffic.apply((route,), revision=1)
            application.load = FakeLoad(passes=passes)
            arguments = ["production", "--on", "stable", "--errors", "5%", "--rate", "20", "--seconds", "300"]
            result = CliRunner().invoke(rehearse.command, arguments, obj=application)
    finally:
        signal.signal(signal.SIGTERM, before)
        traffic.close(revision=LAST)
    assert result.exit_code != 0
    (ended,) = bodies(application.store, "RehearsalEnded")
    assert ended["words"] == "it was ended"


@pytest.mark.parametrize("amount", ["5", "0%", "101%", "5ms", "-5%", "five%"])
def test_a_part_that_is_none_is_refused(application: Application, amount: str) -> None:
    result = CliRunner().invoke(rehearse.command, ["--errors", amount], obj=application)
    assert (result.exit_code, "is not a number of %" in result.output) == (2, True)
