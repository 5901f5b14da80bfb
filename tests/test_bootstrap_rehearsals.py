"""What may be rehearsed: where it is allowed, within bounds, and what the proxy can do; and what was promised."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.bootstrap.rehearsals import check_rehearsal, load_plan, promised
from shipline.capabilities.rollouts import AnalysisPoint, RehearsalOrder
from shipline.configuration import EnvironmentSettings, RehearsalSettings
from shipline.domain.errors import RefusedError, ShiplineError, UsageError
from shipline.ports.target import Role
from shipline.ports.traffic import ERRORS
from shipline.store.rows import Rows
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.traffic import FakeTraffic
from tests.apps.cli.test_rollouts import CONFIGURATION

ALLOWED = EnvironmentSettings("staging", rehearsal=RehearsalSettings(allowed=True))
CANARY = RehearsalOrder("staging", Role.CANARY, seconds=60, errors=0.05)


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    (tmp_path / "shipline.toml").write_text(CONFIGURATION)
    made = Application(tmp_path)
    yield made
    made.store.close()


@pytest.mark.parametrize(
    ("where", "order", "error", "words"),
    [
        (EnvironmentSettings("staging"), CANARY, RefusedError, "staging does not allow rehearsals"),
        (ALLOWED, RehearsalOrder("staging", Role.CANARY, 60), UsageError, "a rehearsal does something"),
        (ALLOWED, RehearsalOrder("staging", Role.CANARY, 60, rate_per_s=51), RefusedError, "--rate 51 is more than"),
        (ALLOWED, RehearsalOrder("staging", Role.CANARY, 601, 0.1), RefusedError, "--seconds 601 is more than"),
        (ALLOWED, RehearsalOrder("staging", Role.STABLE, 60, 0.21), RefusedError, "--errors 21% is more than"),
        (
            ALLOWED,
            RehearsalOrder("staging", Role.CANARY, 60, latency_ms=5),
            RefusedError,
            "traffic provider of staging cannot inject latency",
        ),
    ],
)
def test_what_is_not_allowed_or_not_possible_is_refused(
    where: EnvironmentSettings, order: RehearsalOrder, error: type[ShiplineError], words: str
) -> None:
    traffic = FakeTraffic(FakeClock(), faults=(ERRORS,))
    with pytest.raises(error, match=words):
        check_rehearsal(where, order, traffic)
    check_rehearsal(ALLOWED, CANARY, traffic)


def test_requests_are_those_of_the_settings() -> None:
    """Clients are told by the header that the proxy reads."""
    where = EnvironmentSettings(
        "staging",
        traffic={"client_header": "X-Real-IP"},
        rehearsal=RehearsalSettings(allowed=True, paths=("/a", "/b"), method="HEAD", concurrency_max=3),
    )
    plan = load_plan(where, "127.0.0.1:80", rate_per_s=2.5, seconds=9.0)
    assert (plan.paths, plan.method, plan.concurrency_max) == (("/a", "/b"), "HEAD", 3)
    assert (plan.rate_per_s, plan.seconds, plan.client_header) == (2.5, 9.0, "X-Real-IP")


def test_what_was_promised_is_for_the_traffic_that_there_was(application: Application) -> None:
    """None before anything was seen of it."""
    where = application.environment("production")
    assert promised(application, where, CANARY, "rol_x") is None
    points = Rows("observation", AnalysisPoint)
    with application.store.begin() as tx:
        for number in range(1, 6):
            requests = 100 + number
            point = AnalysisPoint(
                f"rol_x-{number}",
                "rol_x",
                number,
                number * 10_000_000,
                0.1,
                requests,
                0,
                requests,
                0,
                1.0,
                "continue",
                "",
            )
            points.save(tx, point)
    found = promised(application, where, CANARY, "rol_x")
    assert found is not None
    assert found.rolled_back == found.runs
    assert (found.rollback_s or 0.0) > 0.0
