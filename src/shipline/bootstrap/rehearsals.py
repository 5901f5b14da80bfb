"""What a rehearsal needs to know of a project: whether it is allowed, what may be sent, and what was promised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from shipline.capabilities.rollouts import Forecast, ImaginedTraffic, RehearsalOrder, analysis_of, experienced, forecast
from shipline.configuration.check import read_canary, read_strategy
from shipline.domain.errors import RefusedError, UsageError
from shipline.ports.load import LoadPlan
from shipline.ports.traffic import ERRORS, LATENCY

if TYPE_CHECKING:
    from shipline.configuration import EnvironmentSettings
    from shipline.ports.traffic import Traffic
    from shipline.store.database import Store

FORECAST_RUNS = 200
USUAL_LATENCY_S = 0.05
SLOWER_MAX = 1000.0
ROUNDING = 1e-9


class Place(Protocol):
    """What is asked of an application."""

    @property
    def store(self) -> Store:
        """The open store."""
        ...

    def signals_delay_s(self, environment: EnvironmentSettings) -> float:
        """How late requests are counted."""
        ...


def check_rehearsal(where: EnvironmentSettings, order: RehearsalOrder, traffic: Traffic) -> None:
    """Refuse (RefusedError, UsageError) what the environment does not allow, and what its proxy cannot do."""
    said = where.rehearsal
    if not said.allowed:
        raise RefusedError(
            f"{where.name} does not allow rehearsals",
            why="they let requests of users fail, or send some that nobody has asked for",
            todo="set `allowed = true` in its [environment.rehearsal], if that is what you want",
        )
    if not (order.is_faulty or order.rate_per_s > 0):
        raise UsageError("a rehearsal does something", todo="say --rate, --errors or --latency")
    for option, asked, key, most in (
        (f"rate {order.rate_per_s:g}", order.rate_per_s, "rate_max", said.rate_max),
        (f"seconds {order.seconds}", order.seconds, "seconds_max", said.seconds_max),
        (f"errors {order.errors * 100:g}%", order.errors * 100, "errors_percent_max", said.errors_percent_max),
    ):
        if asked > most + ROUNDING:
            raise RefusedError(
                f"--{option} is more than {where.name} allows, which is {most}",
                todo=f"ask for less, or raise `{key}` in its [environment.rehearsal]",
            )
    wanted = [kind for kind, amount in ((ERRORS, order.errors), (LATENCY, order.latency_ms)) if amount]
    missing = [kind for kind in wanted if kind not in getattr(traffic, "faults", ())]
    if missing:
        raise RefusedError(
            f"the traffic provider of {where.name} cannot inject {' and '.join(missing)}",
            why="only a proxy that can fail one version's answers can, and the haproxy provider's does",
            todo="rehearse in an environment that has it, or send load only (--rate)",
        )


def load_plan(where: EnvironmentSettings, address: str, *, rate_per_s: float, seconds: float) -> LoadPlan:
    """The requests that may be made there. Clients are told by the header that the proxy reads, if it reads one."""
    said = where.rehearsal
    return LoadPlan(
        address=address,
        paths=said.paths,
        method=said.method,
        rate_per_s=rate_per_s,
        seconds=seconds,
        concurrency_max=said.concurrency_max,
        client_header=str(where.traffic.get("client_header", "")),
    )


def promised(place: Place, where: EnvironmentSettings, order: RehearsalOrder, rollout_id: str) -> Forecast | None:
    """What `shipline simulate` says of a canary that is as bad from its first request on, in the traffic that there
    was; None where the looks do not tell how much that was."""
    with place.store.begin() as tx:
        rate_per_s, failing = experienced(analysis_of(tx, rollout_id))
    if rate_per_s <= 0:
        return None
    from random import Random

    slower = min(SLOWER_MAX, 1 + order.latency_ms / 1000 / USUAL_LATENCY_S)
    traffic = ImaginedTraffic(
        min(rate_per_s, 1e6), failing, failing + (1 - failing) * order.errors, USUAL_LATENCY_S, slower
    )
    rng = Random(1)  # noqa: S311 - a forecast must be repeatable
    delay_s = place.signals_delay_s(where)
    steps = read_strategy(where).steps
    return forecast(read_canary(where.canary), traffic, runs=FORECAST_RUNS, rng=rng, delay_s=delay_s, steps=steps)
