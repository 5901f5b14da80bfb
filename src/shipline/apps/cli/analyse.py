"""`shipline analyse --stdio`: the canary analysis as a filter, for simulators and for other delivery tools.

One JSON object a line on standard input, one a line on standard output, many runs interleaved by "run":

    {"run":3,"start":true,"t":0,"tick":10,"rate":20,"edges":[...]}
        -> {"weight":0.03,"verdict":"continue","baseline":"clone","reason":...}
    {"run":3,"t":10,"weight":0.03,"canary":ARM,"stable":ARM}
        -> {"weight":0.04,"verdict":"continue"|"promote"|"rollback"|"pause","evidence":0.8,"reason":...}
    ARM = {"n":requests,"errors":...,"clients":failures once per client,"hist":[len(edges) + 1 counts]}

"baseline":"clone" asks that "stable" be a clone of the stable version, as young as the canary and with its weight.
A line that cannot be understood is answered by {"error":...} and changes nothing. A run is forgotten when it is
promoted or rolled back; beyond RUNS_MAX open runs the one that began first is forgotten.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeVar

import click

from shipline.capabilities.rollouts import (
    AnalysisSettings,
    AnalysisState,
    AnalysisVerdict,
    Observation,
    begin,
    decide,
    evidence,
)
from shipline.domain.codec import from_json
from shipline.domain.errors import InvalidValue, ShiplineError
from shipline.ports.signals import Counts

RUNS_MAX = 10_000
LINE_BYTES_MAX = 1_000_000
EDGES_MAX = 1_000
COUNT_MAX = 10**12
T = TypeVar("T")


@click.command(name="analyse", short_help="Analyse canaries over standard input and output.")
@click.option("--stdio", is_flag=True, required=True, help="Read observations as JSON lines, answer each in one line.")
def command(*, stdio: bool) -> None:
    """Analyse canaries: observations as JSON lines in, weights and verdicts as JSON lines out."""
    del stdio  # Required, so that another way in can be added without changing what a bare call means.
    for answer in answers(_lines(sys.stdin.buffer)):
        click.echo(json.dumps(answer, allow_nan=False, separators=(",", ":")))


def _lines(source: BinaryIO) -> Iterator[bytes]:
    while line := source.readline(LINE_BYTES_MAX + 1):
        yield line


@dataclass(frozen=True, slots=True)
class _Run:
    settings: AnalysisSettings
    state: AnalysisState
    buckets: int


def answers(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """One answer a line; a line beyond LINE_BYTES_MAX gets one error, however many pieces it comes in."""
    runs: dict[int | str, _Run] = {}
    inside_long_line = False
    for line in lines:
        is_whole = line.endswith(b"\n") or len(line) <= LINE_BYTES_MAX
        if not inside_long_line:
            yield _answer(runs, line) if is_whole else {"error": f"a line is longer than {LINE_BYTES_MAX} bytes"}
        inside_long_line = not is_whole


def _answer(runs: dict[int | str, _Run], line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
        if not isinstance(message, dict):
            raise InvalidValue("a message must be a JSON object")
        return _start(runs, message) if message.get("start") is True else _tick(runs, message)
    except (ValueError, RecursionError):
        return {"error": "a line is not JSON"}
    except ShiplineError as error:
        return {"error": error.what}


def _start(runs: dict[int | str, _Run], message: dict[str, Any]) -> dict[str, Any]:
    name = _name(message)
    edges = _field(message, "edges", tuple[float, ...])
    if not 1 <= len(edges) <= EDGES_MAX or any(not low < high for low, high in itertools.pairwise(edges)):
        raise InvalidValue(f"edges must be 1 to {EDGES_MAX} ascending numbers")
    tick_s = _field(message, "tick", float)
    settings = AnalysisSettings(tick_s=tick_s, ramp_every_s=tick_s)
    state, weight = begin(settings, rate_per_s=_field(message, "rate", float))
    runs.pop(name, None)
    runs[name] = _Run(settings=settings, state=state, buckets=len(edges) + 1)
    if len(runs) > RUNS_MAX:
        del runs[next(iter(runs))]
    return {"weight": weight, "verdict": "continue", "baseline": "clone", "reason": "The canary begins."}


def _tick(runs: dict[int | str, _Run], message: dict[str, Any]) -> dict[str, Any]:
    name = _name(message)
    run = runs.get(name)
    if run is None:
        raise InvalidValue("this run was not started, or has ended")
    observation = Observation(
        canary=_arm(message, "canary", run.buckets),
        baseline=_arm(message, "stable", run.buckets),
        weight=_field(message, "weight", float),
    )
    decision = decide(run.settings, run.state, observation, _field(message, "t", float))
    if decision.verdict in (AnalysisVerdict.PROMOTE, AnalysisVerdict.ROLLBACK):
        del runs[name]
    else:
        runs[name] = _Run(settings=run.settings, state=decision.state, buckets=run.buckets)
    return {
        "weight": decision.weight,
        "verdict": decision.verdict.value,
        "evidence": evidence(run.settings, decision.state),
        "reason": decision.reason,
    }


def _name(message: dict[str, Any]) -> int | str:
    name = message.get("run")
    if isinstance(name, bool) or not isinstance(name, int | str) or len(str(name)) > 200:
        raise InvalidValue('"run" must be a number or a short name')
    return name


def _field(message: dict[str, Any], key: str, kind: type[T]) -> T:
    if key not in message:
        raise InvalidValue(f'"{key}" is missing')
    return from_json(kind, message[key])


def _arm(message: dict[str, Any], key: str, buckets: int) -> Counts:
    arm = _field(message, key, dict)
    counts = Counts(
        requests=_field(arm, "n", int),
        errors=_field(arm, "errors", int),
        error_clients=_field(arm, "clients", int),
        histogram=_field(arm, "hist", tuple[int, ...]),
    )
    if len(counts.histogram) != buckets:
        raise InvalidValue(f'"hist" of {key!r} must have {buckets} counts')
    if max(counts.requests, *counts.histogram) > COUNT_MAX:
        raise InvalidValue(f"a count of {key!r} is beyond {COUNT_MAX}")
    return counts
