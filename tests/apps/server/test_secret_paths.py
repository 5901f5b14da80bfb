"""Secrets of every known shape go in wherever words of others do, and come out nowhere."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from click.testing import CliRunner

from shipline.apps.cli import evidence as evidence_command
from shipline.apps.cli import log as log_command
from shipline.apps.cli import main
from shipline.apps.cli.progress import speak_plainly
from shipline.apps.server.problems import problem_of
from shipline.bootstrap import Application
from shipline.domain.actor import SYSTEM
from shipline.domain.errors import RefusedError
from shipline.domain.event import Event
from shipline.store.tables import metadata
from tests.apps.server.conftest import Served
from tests.apps.server.stage import CHECKLISTS
from tests.secret_shapes import ALL, LEAKS, Leak, leaked


def test_the_page_the_interface_and_the_store_hold_none(fresh: Served) -> None:
    """Release notes, a step's failure, gates' reasons, a person's reason and a tick's note: in no row, on no page."""
    stage = fresh.stage
    refused = stage.refused_release("9.9.9", "1.0.0", ALL)
    noted = stage.release("9.9.10", "9.9.9", notes=f"- **A:** {ALL}")
    stage.tick(noted, CHECKLISTS[0].items[0], note=ALL)
    with fresh.person() as person:
        path = f"/rollouts/{fresh.ids['live']}"
        for leak in LEAKS:
            form = {"verb": "pause", "reason": leak.text.splitlines()[0][:500], "csrf": fresh.csrf(person, path)}
            person.post(f"{path}/commands", data=form)
        releases = [f"/releases/{each.id}" for each in (refused, noted)]
        shown = ["/", "/releases", "/incidents", "/log", path, *releases]
        programs = ["/api/v1/releases", "/api/v1/rollouts", "/api/v1/log?limit=1000", "/api/v1/incidents"]
        for place in (*shown, *programs, *(f"/api/v1{one}" for one in releases)):
            assert leaked(person.get(place).text) == [], place
    with stage.world.store.begin() as tx:
        for table in metadata.sorted_tables:
            if table.name not in ("run", "signal"):  # What a run works with is shown to nobody.
                assert leaked(str(tx.connection.execute(table.select()).all())) == [], table.name


def test_errors_repeat_none(capsys: pytest.CaptureFixture[str]) -> None:
    """Ours as they are made, others' as they are told, for people and for programs."""
    error = RefusedError(ALL, why=ALL, todo=ALL)
    told = [str(error), error.diagnosis(), error.sentence(), json.dumps(problem_of(error).document()), repr(error)]
    assert [leaked(text) for text in told] == [[]] * len(told)
    main._report(error)
    main._report_unexpected(ValueError(ALL))
    for leak in LEAKS:
        main._report_unexpected(OSError(5, leak.text, leak.text))
    assert leaked(capsys.readouterr().err) == []


def test_logs_repeat_none(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What the engine warns of, and the error that it was about."""
    logger = logging.getLogger("shipline")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "propagate", logger.propagate)
    speak_plainly()
    error = ValueError(LEAKS[0].text)
    logger.warning("it failed: %s", ALL, exc_info=(ValueError, error, None))
    shown = capsys.readouterr().err
    assert "it failed" in shown
    assert leaked(shown) == []


def test_events_and_exports_hold_none(tmp_path: Path) -> None:
    """What is appended is what is returned, and what the log's hash is of."""
    application = Application(tmp_path)
    with application.store.begin() as tx:
        event = tx.append(Event("evt_1", "s", "K", 1, SYSTEM, {"reason": ALL, "list": [{"x": ALL}]}))
    assert leaked(str(event.body)) == []
    for arguments in (["show", "--json"], ["export", "-", "--format", "jsonl"], ["export", "-", "--format", "csv"]):
        result = CliRunner().invoke(log_command.command, arguments, obj=application)
        assert "…" in result.stdout
        assert leaked(result.stdout) == []
    assert CliRunner().invoke(log_command.command, ["verify"], obj=application).exit_code == 0
    application.store.close()


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.name)
def test_receipts_of_reports_repeat_none(leak: Leak, tmp_path: Path) -> None:
    """Messages of tests, names of cases, and findings of scanners that quote what they found."""
    text = leak.text.replace("\n", " ").replace("<", "").replace("&", " ")
    (tmp_path / "junit.xml").write_text(
        f'<testsuite name="u" tests="1" failures="1"><testcase classname="c" name="{text}">'
        f'<failure message="{text}">{text}</failure></testcase></testsuite>'
    )
    finding = {"ruleId": "R", "message": {"text": text}, "locations": [{"physicalLocation": {"artifactLocation": {}}}]}
    run = {"tool": {"driver": {"name": "t", "rules": [{"id": "R"}]}}, "results": [finding]}
    (tmp_path / "t.sarif").write_text(json.dumps({"version": "2.1.0", "runs": [run]}))
    for name in ("junit.xml", "t.sarif"):
        result = CliRunner().invoke(evidence_command.command, ["read", str(tmp_path / name), "--json"])
        assert result.exit_code == 0, result.exception
        assert leaked(result.stdout) == []
