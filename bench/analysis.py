"""Canary analysis against the rules of Flagger, Argo Rollouts and Kayenta, on the simulator beside this file.

    python bench/analysis.py            all rates, environments and random scenarios: some 25 minutes on one core
    python bench/analysis.py --quick    three rates, fewer runs: below a minute

Ours is driven as a black box over JSON lines; the others are the simulator's models of them. "ratio" is theirs by
ours: above 1, ours is faster or loses fewer requests. Failed requests are those that the regression caused.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SIMULATOR = Path(__file__).with_name("canary_sim.py")
OURS = shlex.join([sys.executable, "-c", "from shipline.apps.cli.main import main; main()", "analyse", "--stdio"])
OTHERS = ("flagger-docs", "argo-strict", "kayenta")
RANDOM_SEEDS = 5
REGRESSIONS = ("none", "err+1pp", "err+5pp", "broken")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is run: `runs` a case for ours, `runs_others` for the vectorised models, `cases` random scenarios."""

    rates: tuple[str, ...]
    environments: tuple[str, ...]
    runs: int
    runs_others: int
    cases: int


QUICK = Plan(rates=("5", "50", "1000"), environments=("real",), runs=50, runs_others=200, cases=0)
FULL = Plan(
    rates=("0.1", "1", "5", "50", "200", "1000", "3000"),
    environments=("real", "storm", "slowwarm", "clustered"),
    runs=200,
    runs_others=1000,
    cases=40,
)


def simulate(*arguments: str) -> str:
    """Run the simulator; returns what it printed."""
    done = subprocess.run([sys.executable, str(SIMULATOR), *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def ours(plan: Plan, environment: str, seed: int) -> Iterator[dict[str, Any]]:
    """Our results, one a rate and regression."""
    printed = simulate(
        *("bench", "--cmd", OURS, "--rates", ",".join(plan.rates), "--regressions", ",".join(REGRESSIONS)),
        *("--env", environment, "--reps", str(plan.runs), "--seed", str(seed)),
    )
    for line in printed.splitlines():
        rate, regression, result = line.split(" ", 2)
        yield {"method": "shipline", "rate": float(rate), "regression": regression, **json.loads(result)}


def others(plan: Plan, environment: str, seed: int) -> Iterator[dict[str, Any]]:
    """The incumbents' results, one a method, rate and regression."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "results.jsonl"
        simulate(
            *("run", "--methods", ",".join(OTHERS), "--rates", ",".join(plan.rates), "--seed", str(seed)),
            *("--regressions", ",".join(REGRESSIONS), "--env", environment),
            *("--reps", str(plan.runs_others), "--out", str(out)),
        )
        yield from map(json.loads, out.read_text().splitlines())


def table(results: list[dict[str, Any]]) -> Iterator[str]:
    """The results as lines of text, ours first in each case."""
    yield (
        f"{'req/s':>6} {'regression':10} {'method':13} {'rolled back':>11} {'promoted':>9}"
        f" {'s':>6} {'ratio':>6} {'failed':>8} {'ratio':>6}"
    )
    first = {(result["rate"], result["regression"]): result for result in results if result["method"] == "shipline"}
    for case, own in first.items():
        for result in [own, *(r for r in results if r is not own and (r["rate"], r["regression"]) == case)]:
            yield _row(result, own)


def promises(results: list[dict[str, Any]]) -> Iterator[str]:
    """What is promised of these cases, each with what was measured, and whether it was kept."""
    own = {(one["rate"], one["regression"]): one for one in results if one["method"] == "shipline"}
    good = [one["rollback"] for (_, regression), one in own.items() if regression == "none"]
    yield _promise("good releases rolled back, mean, %", 100 * sum(good) / len(good), 0.5)
    yield _promise("good releases rolled back, worst rate, %", 100 * max(good), 1.0)
    for (rate, regression), one in own.items():
        if regression == "none" and rate >= 50:
            yield _promise(f"{rate:g} req/s: good release promoted, s", one["t_promote"], 720)
        if regression == "broken":
            yield _promise(f"{rate:g} req/s: broken, failed requests", one["bad_median"], max(10.0, 0.1 * rate))
    if (slow := own.get((50.0, "err+1pp"))) is not None:
        yield _promise("50 req/s, +1pp: missed, %", 100 * (1 - slow["rollback"]), 1.0)
        yield _promise("50 req/s, +1pp: found after, s", slow["t_rollback"], 200)
        yield _promise("50 req/s, +1pp: failed requests", slow["bad_median"], 30)
    if (fast := own.get((1000.0, "err+5pp"))) is not None:
        yield _promise("1000 req/s, +5pp: found after, s", fast["t_rollback"], 60)
        yield _promise("1000 req/s, +5pp: failed requests", fast["bad_median"], 25)


def random_scenarios(plan: Plan, first_seed: int) -> Iterator[str]:
    """What was found of scenarios of several seeds, of ours and of the others; then what is promised of the mean."""
    missed, false = [], []
    for seed in range(first_seed, first_seed + RANDOM_SEEDS):
        scale = ("--seed", str(seed), "--cases", str(plan.cases))
        printed = simulate("heldout", *scale, "--reps", "20", "--cmd", OURS, "--t-max", "720").strip()
        found, wrong = (float(share) for share in re.findall(r"([0-9.]+)% of", printed))
        missed.append(100.0 - found)
        false.append(wrong)
        yield f"seed {seed}: {printed}"
        yield simulate("heldout", *scale, "--reps", "100", "--methods", ",".join(OTHERS)).rstrip()
    yield _promise("random scenarios missed, mean of the seeds, %", sum(missed) / len(missed), 34.0)
    yield _promise("random scenarios: good ones rolled back, %", sum(false) / len(false), 0.5)


def _promise(words: str, measured: float | None, most: float) -> str:
    kept = measured is not None and measured <= most
    return f"{'kept' if kept else 'MISSED':7} {words:45} {_figure(measured, 2):>8} (at most {most:g})"


def _row(result: dict[str, Any], own: dict[str, Any]) -> str:
    time = "t_promote" if result["regression"] == "none" else "t_rollback"
    return (
        f"{result['rate']:6g} {result['regression']:10} {result['method']:13} {100 * result['rollback']:10.2f}%"
        f" {100 * result['promote']:8.1f}% {_figure(result[time], 0):>6} {_ratio(result, own, time):>6}"
        f" {_figure(result['bad_median'], 1):>8} {_ratio(result, own, 'bad_median'):>6}"
    )


def _figure(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _ratio(result: dict[str, Any], own: dict[str, Any], key: str) -> str:
    if result is own or not result[key] or not own[key]:
        return ""
    return f"{result[key] / own[key]:.1f}x"


def main(arguments_given: list[str] | None = None) -> None:
    """Run the plan and print one table an environment. None takes the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="below a minute")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args(arguments_given)
    plan = QUICK if arguments.quick else FULL
    for environment in plan.environments:
        print(f"\n{environment}: {plan.runs} runs a case of ours, {plan.runs_others} of the others")
        results = [*ours(plan, environment, arguments.seed), *others(plan, environment, arguments.seed)]
        print("\n".join(table(results)), flush=True)
        print("\n".join(promises(results)), flush=True)
    if plan.cases:
        print("\nrandom scenarios, within 12 minutes; how many can be found at all is another matter with each seed:")
        print("\n".join(random_scenarios(plan, arguments.seed)), flush=True)


if __name__ == "__main__":
    main()
