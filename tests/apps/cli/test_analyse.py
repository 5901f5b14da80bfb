"""The black-box protocol over standard input and output."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from shipline.apps.cli.analyse import LINE_BYTES_MAX, RUNS_MAX, answers, command

EDGES = [0.1, 0.2]


def arm(requests: int, failed: int = 0) -> dict[str, Any]:
    return {"n": requests, "errors": failed, "clients": failed, "hist": [requests, 0, 0]}


def start(run: object, **changes: object) -> dict[str, Any]:
    return {"run": run, "start": True, "t": 0, "tick": 10, "rate": 20, "edges": EDGES, **changes}


def tick(run: object, now_s: float, *, failed: int = 0, **changes: object) -> dict[str, Any]:
    return {
        "run": run,
        "t": now_s,
        "weight": 0.1,
        "canary": arm(20, failed),
        "stable": arm(20),
        "canary_mature": arm(0),
        **changes,
    }


def exchange(*messages: object) -> list[dict[str, Any]]:
    lines = (message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n" for message in messages)
    return list(answers(lines))


def test_the_command_answers_each_line_with_one_line() -> None:
    """A start asks for a clone as baseline; a good run goes on; a bad one is rolled back and forgotten."""
    lines = "\n".join(json.dumps(m) for m in (start(1), tick(1, 10), tick(1, 20, failed=20), tick(1, 30)))
    result = CliRunner().invoke(command, ["--stdio"], input=lines)
    assert result.exit_code == 0
    first, second, third, fourth = (json.loads(line) for line in result.output.splitlines())
    assert first["baseline"] == "clone"
    assert first["weight"] == pytest.approx(0.03)
    assert second["verdict"] == "continue"
    assert third["verdict"] == "rollback"
    assert third["weight"] == 0.0
    assert "error" in fourth


def test_many_runs_are_interleaved() -> None:
    """One run's trouble is not another's."""
    found = exchange(start(1), start("two"), tick(1, 10, failed=20), tick("two", 10))
    assert [answer["verdict"] for answer in found] == ["continue", "continue", "rollback", "continue"]


def test_the_oldest_run_is_forgotten_beyond_the_bound() -> None:
    """Memory is bounded, whoever forgets to end what was begun."""
    found = exchange(*(start(run) for run in range(RUNS_MAX + 1)), tick(0, 10), tick(1, 10))
    assert "error" in found[-2]
    assert found[-1]["verdict"] == "continue"


@pytest.mark.parametrize(
    "rubbish",
    [
        b"rubbish\n",
        b"\xff\xfe\n",
        b"\n",
        b"[" * 100_000 + b"\n",
        [],
        {"run": 1},
        {"run": None, "start": True},
        start(True),
        start("x" * 201),
        start(2, edges=[0.2, 0.1]),
        start(2, edges=[]),
        start(2, edges="no"),
        start(2, tick=0),
        start(2, rate=-1),
        start(2, rate=float("nan")),
        tick(99, 10),
        tick(1, float("nan")),
        tick(1, 10, weight=2),
        tick(1, 10, weight="0.1"),
        tick(1, 10, canary=None),
        tick(1, 10, canary={"n": 1}),
        tick(1, 10, canary={"n": 1, "errors": 2, "clients": 2, "hist": [1, 0, 0]}),
        tick(1, 10, canary={"n": 1.5, "errors": 0, "clients": 0, "hist": [1, 0, 0]}),
        tick(1, 10, canary={"n": 1, "errors": 0, "clients": 0, "hist": [1, 0]}),
        tick(1, 10, canary={"n": 10**13, "errors": 0, "clients": 0, "hist": [1, 0, 0]}),
    ],
)
def test_rubbish_is_answered_by_an_error_and_changes_nothing(rubbish: object) -> None:
    """The run before and after it goes the same way as without."""
    found = exchange(start(1), rubbish, tick(1, 10))
    assert list(found[1]) == ["error"]
    assert [found[0], found[2]] == exchange(start(1), tick(1, 10))


def test_a_line_without_end_gets_one_error_and_is_not_kept() -> None:
    """However many pieces it is read in."""
    piece = b"x" * (LINE_BYTES_MAX + 1)
    found = exchange(start(1), piece, piece, b"x\n", tick(1, 10))
    assert [("error" in answer) for answer in found] == [False, True, False]
