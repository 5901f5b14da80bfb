"""What a person reads while a command works: what was done, what had nothing to do, and what goes on and on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shipline.apps.cli.progress import speak_plainly
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


def trouble(words: str, second: int) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": words, "levelno": logging.WARNING, "created": 1_000_000.0 + second})
