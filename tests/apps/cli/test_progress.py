"""What a person reads while a command works: what was done, what had nothing to do, and what goes on and on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shipline.apps.cli.progress import Steps, _Wait, speak_plainly
from shipline.capabilities.releases.workflow import release_workflow
from shipline.engine.journal import JournalEntry
from shipline.testing.histories import History
from tests.command import run_shipline

REFUSING = '[[gate]]\nname = "never"\nrule = "tests.total > 0"\n'


def test_a_step_that_had_nothing_to_do_says_so_and_a_version_without_a_registry_is_only_released(
    tmp_path: Path,
) -> None:
    history = History(tmp_path / "repo")
    history.commit("feat: a", {"notes.txt": "a"})
    said = run_shipline(history.folder, "release")
    assert said.code == 0, said
    assert "✓ Create the annotated tag (" in said.err
    assert "– Run the tests and read their reports: none are configured\n" in said.err  # noqa: RUF001 - a dash
    assert "– Push commit and tag: no remote is configured\n" in said.err  # noqa: RUF001 - a dash
    assert said.err.endswith("repo 0.1.0 is released (tag v0.1.0)\n"), said


def test_a_gate_that_was_asked_twice_is_listed_with_its_last_answer(tmp_path: Path) -> None:
    history = History(tmp_path / "repo")
    history.commit("feat: a", {"shipline.toml": REFUSING})
    for _ in range(2):
        assert run_shipline(history.folder, "release").code == 3
    said = run_shipline(history.folder, "releases")
    assert said.out == "repo 0.1.0  refused  never UNKNOWN\n", said


def test_without_an_environment_there_is_nothing_to_choose_from(tmp_path: Path) -> None:
    history = History(tmp_path / "repo")
    history.commit("feat: a")
    said = run_shipline(history.folder, "deploy")
    assert (said.code, said.err) == (
        2,
        "no environment is configured\n  do:  add an [[environment]] to shipline.toml\n",
    )


@contextmanager
def engine_log() -> Iterator[logging.Logger]:
    """The engine's logger without the handlers that other tests gave it."""
    logger = logging.getLogger("shipline")
    kept, logger.handlers = logger.handlers, []
    try:
        yield logger
    finally:
        logger.handlers, logger.propagate = kept, True


def test_trouble_that_goes_on_is_said_once_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    with engine_log() as logger:
        speak_plainly()
        for second in (0, 1, 59, 60, 61):
            logger.handle(trouble("the disk is full", second))
        logger.handle(trouble("the disk is gone", 62))
    assert capsys.readouterr().err == "the disk is full\nthe disk is full\nthe disk is gone\n"


def entry(step: str, outcome: str, attempt: int, *, at_s: int, undo: bool = False) -> JournalEntry:
    at_us = at_s * 1_000_000
    return JournalEntry(at_s, step, undo, attempt, at_us, at_us, outcome, "it is down" if outcome == "failed" else "")


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([("failed", attempt) for attempt in (1, 2, 3, 4)], ["✗ Publish to each registry and read it back (3.0 s)"]),
        ([("failed", 1), ("done", 2)], ["✓ Publish to each registry and read it back (1.0 s)"]),
        (
            [("again", 1), ("failed", 1), ("again", 2), ("done", 1)],
            ["✓ Publish to each registry and read it back (3.0 s)"],
        ),
        (
            [("failed", 1), ("failed", 1)],
            ["✗ Publish to each registry and read it back (0.0 s)"] * 2,
        ),
    ],
)
def test_a_step_that_is_tried_again_and_again_is_told_once(
    capsys: pytest.CaptureFixture[str], entries: list[tuple[str, int]], said: list[str]
) -> None:
    """With what its last attempt said, and the time that all of them took."""
    steps = Steps(release_workflow(), _Wait())
    for at_s, (outcome, attempt) in enumerate(entries, start=1):
        steps.take(entry("publish", outcome, attempt, at_s=at_s))
    steps.rest()
    printed = capsys.readouterr().err.splitlines()
    assert [line.strip() for line in printed if "it is down" not in line] == said
    assert len([line for line in printed if "it is down" in line]) == len([line for line in said if "✗" in line])


def test_what_failed_is_told_before_what_takes_it_back(capsys: pytest.CaptureFixture[str]) -> None:
    steps = Steps(release_workflow(), _Wait())
    steps.take(entry("push", "failed", 4, at_s=1))
    steps.take(entry("push", "done", 1, at_s=2, undo=True))
    assert [line[2] for line in capsys.readouterr().err.splitlines() if line[2] in "✓✗"] == ["✗", "✓"]


def trouble(words: str, second: int) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": words, "levelno": logging.WARNING, "created": 1_000_000.0 + second})
