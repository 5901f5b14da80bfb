"""`shipline simulate`: how an environment's canary would behave, before anything is shipped."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from shipline.apps.cli.wording import duration, percentage

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.rollouts import AnalysisSettings, Forecast, WeightStep

USUAL_POINTS = ((1.0, 1.0), (5.0, 1.0), (100.0, 1.0))
PERCENT = click.FloatRange(0.0, 100.0)


@click.command(name="simulate")
@click.argument("environment", required=False)
@click.option(
    "--rate", type=click.FloatRange(0.0, 1e6, min_open=True), required=True, help="Requests a second, in all."
)
@click.option(
    "--failing", type=PERCENT, default=0.1, show_default=True, help="Percent that fail on the stable version."
)
@click.option("--regression", type=PERCENT, help="Percentage points more that fail on the new one; default: several.")
@click.option(
    "--slower", type=click.FloatRange(0.01, 1000.0), default=1.0, help="The new version's latency, as a factor."
)
@click.option("--runs", type=click.IntRange(10, 10_000), default=300, show_default=True, help="Rollouts to imagine.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same figures.")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.simulation/1.")
@click.pass_obj
def command(  # noqa: PLR0913 - one argument an option
    application: Application,
    *,
    environment: str | None,
    rate: float,
    failing: float,
    regression: float | None,
    slower: float,
    runs: int,
    seed: int,
    as_json: bool,
) -> None:
    """Imagine canaries in ENVIRONMENT: how often a good version is turned back, how soon a bad one."""
    from shipline.apps.cli.rollouts import chosen_environment
    from shipline.configuration.check import read_canary, read_strategy
    from shipline.domain.errors import UsageError

    where = chosen_environment(application, environment)
    if where.strategy != "canary":
        raise UsageError(
            f"there is no canary in {where.name} to imagine: its strategy is {where.strategy}",
            why="other strategies compare nothing: their checks are thresholds, which hold or do not",
            todo="see what the checks say now: shipline rollout check; or rehearse it: shipline rehearse",
        )
    worse = [(regression or 0.0, slower)] if regression is not None or slower != 1.0 else USUAL_POINTS
    cases = [Case(points, factor) for points, factor in dict.fromkeys(((0.0, 1.0), *worse))]
    base = Base(rate, failing / 100, runs, seed, application.signals_delay_s(where), read_strategy(where).steps)
    found = _imagined(read_canary(where.canary), base, cases)
    if as_json:
        given = {"environment": where.name, "rate_per_s": rate, "failing_percent": failing, "seed": seed}
        shown = [_document(case, one) for case, one in found]
        click.echo(json.dumps({"schema": "shipline.simulation/1"} | given | {"cases": shown}, indent=2))
        return
    click.echo(
        f"{where.name}: {rate:g} requests a second, {failing:g} % fail on the stable version; {runs} rollouts each"
    )
    if base.steps:
        weights = ", ".join(f"{step.weight:.0%}" for step in base.steps)
        click.echo(f"  by its steps: {weights}, each let go on at once where a person is asked")
    for case, one in found:
        click.echo(f"  {case.words}: {_sentence(case, one)}")


@dataclass(frozen=True, slots=True)
class Base:
    """What all cases share: the rate, the part that fails on the stable version, how many rollouts, the seed, how late
    requests are counted, and the fixed steps."""

    rate_per_s: float
    failing: float
    runs: int
    seed: int
    delay_s: float
    steps: tuple[WeightStep, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """What the new version is like: percentage points more that fail, and its latency as a factor."""

    points: float
    slower: float

    @property
    def words(self) -> str:
        """As it is shown."""
        parts = [f"{self.points:g} points more fail"] if self.points else []
        parts += [f"{self.slower:g} times as slow"] if self.slower != 1.0 else []
        return " and ".join(parts) or "no worse"


def _imagined(settings: AnalysisSettings, base: Base, cases: list[Case]) -> list[tuple[Case, Forecast]]:
    import random

    from shipline.capabilities.rollouts import ImaginedTraffic, forecast

    is_watched = sys.stderr.isatty()
    found = []
    for case in cases:
        if is_watched:
            click.echo(f"imagining {base.runs} rollouts: {case.words}", err=True)
        new_failing = min(1.0, base.failing + case.points / 100)
        traffic = ImaginedTraffic(base.rate_per_s, base.failing, new_failing, slower=case.slower)
        rng = random.Random(base.seed)  # noqa: S311 - a simulation must be repeatable
        one = forecast(settings, traffic, runs=base.runs, rng=rng, delay_s=base.delay_s, steps=base.steps)
        found.append((case, one))
    return found


def _document(case: Case, one: Forecast) -> dict[str, Any]:
    from shipline.domain.codec import to_json

    return {"regression_points": case.points, "slower": case.slower, **to_json(one)}


def _sentence(case: Case, one: Forecast) -> str:
    from shipline.capabilities.rollouts import chance_upper

    parts = []
    if one.rolled_back:
        seconds, failed = one.rollback_s or 0.0, one.failed_requests or 0.0
        parts.append(
            f"rolled back {percentage(one.rolled_back / one.runs)}, half of them within {duration(seconds)}"
            f" and {failed:.0f} failed requests"
        )
    if case == Case(0.0, 1.0):
        upper = percentage(chance_upper(one.rolled_back, one.runs))
        parts.append(f"rolled back by mistake at most {upper} (95 % sure)")
    if one.promoted:
        parts.append(f"promoted {percentage(one.promoted / one.runs)}, half within {duration(one.promote_s or 0.0)}")
    if one.undecided:
        parts.append(f"undecided at the deadline {percentage(one.undecided / one.runs)}: a person is asked")
    return "; ".join(parts)
