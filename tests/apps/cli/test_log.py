"""`shipline log` on a repository's own store."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import rfc8785
from click.testing import CliRunner, Result
from sqlalchemy import update

from shipline.apps.cli.log import command
from shipline.bootstrap import Application
from shipline.domain.actor import Actor, ActorKind
from shipline.domain.codec import from_json
from shipline.domain.event import Event
from shipline.store.keys import load_or_create_log_key, log_key_path
from shipline.store.log import latest_checkpoint, sequence
from shipline.store.proofs import Proof, check_proof
from shipline.store.tables import event as event_table
from shipline.store.transaction import content_hash
from tests.store.logs import append, event


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    """Five events in the log, one that is not sequenced yet."""
    made = Application(tmp_path)
    append(made.store, [event(number, f"s:{number % 2}") for number in range(5)])
    sequence(made.store, load_or_create_log_key(log_key_path(made.store)))
    append(made.store, [event(5, "s:1")])
    yield made
    made.store.close()


def run(application: Application, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, obj=application)


def test_show_lists_the_last_events(application: Application) -> None:
    """With places, and a dash where there is none yet."""
    lines = run(application, "show", "--limit", "2").stdout.splitlines()
    assert lines[0].split() == [
        "4",
        "2023-11-14T22:13:20Z",
        "ReleasePublished",
        "s:0#3",
        "mia@example.org",
        event(4).id,
    ]
    assert lines[1].split()[0] == "-"
    assert len(lines) == 2


def test_show_gives_a_document(application: Application) -> None:
    document = json.loads(run(application, "show", "--json", "--stream", "s:1").stdout)
    assert document["schema"] == "shipline.log/1"
    assert [(entry["number"], entry["place"]) for entry in document["events"]] == [(2, 1), (4, 3), (6, None)]
    assert document["events"][0]["actor"]["subject"] == "mia"


def test_show_keeps_escape_sequences_from_the_terminal(application: Application) -> None:
    """An actor's name comes from outside."""
    actor = Actor(kind=ActorKind.PERSON, issuer="x", subject="\x1b[2J")
    with application.store.begin() as tx:
        tx.append(Event(id="evt_9", stream="s", kind="K", time_us=1, actor=actor, body={}))
    result = run(application, "show")
    assert "\x1b" not in result.stdout
    assert "?[2J@x" in result.stdout


def test_verify_says_that_the_log_is_intact(application: Application) -> None:
    result = run(application, "verify")
    assert result.exit_code == 0
    assert "5 events in the log" in result.stdout
    assert "1 events have no place yet" in result.stdout
    assert "the log is intact" in result.stdout


def test_verify_names_what_is_broken_and_ends_with_one(application: Application) -> None:
    with application.store.begin() as tx:
        tx.connection.execute(update(event_table).where(event_table.c.place == 2).values(kind="Other"))
    result = run(application, "verify")
    assert result.exit_code == 1
    assert f"({event(2).id})" in result.stdout
    document = json.loads(run(application, "verify", "--json").stdout)
    assert (document["schema"], document["intact"], document["size"]) == ("shipline.log.verification/1", False, 5)
    assert document["problems"][0]["event_id"] == event(2).id


def test_a_checkpoint_kept_elsewhere_is_a_witness(application: Application, tmp_path: Path) -> None:
    """The one of the JSON document will do; one of another log does not."""
    kept = tmp_path / "kept"
    kept.write_text(json.loads(run(application, "verify", "--json").stdout)["checkpoint"], encoding="utf-8")
    assert kept.read_text(encoding="utf-8") == latest_checkpoint(application.store)
    assert run(application, "verify", "--checkpoint", str(kept)).exit_code == 0
    kept.write_bytes(b"\xff\n")
    assert run(application, "verify", "--checkpoint", str(kept)).exit_code == 1


def test_prove_gives_a_proof_that_holds_elsewhere(application: Application) -> None:
    key = load_or_create_log_key(log_key_path(application.store)).public_key
    proof = from_json(Proof, json.loads(run(application, "prove", event(3).id, "--json").stdout))
    assert check_proof(proof, key).size == 5
    shown = run(application, "prove", event(3).id).stdout
    assert "at place 3 of 5" in shown
    assert str(key) in shown


@pytest.mark.parametrize(("event_id", "what"), [("evt_x", "has no event"), (event(5).id, "not sequenced yet")])
def test_what_cannot_be_proven_is_said(application: Application, event_id: str, what: str) -> None:
    assert what in str(run(application, "prove", event_id).exception)


def test_an_empty_log_is_shown_and_intact(tmp_path: Path) -> None:
    application = Application(tmp_path)
    assert "nothing has happened yet" in run(application, "show").stdout
    assert run(application, "verify").exit_code == 0
    application.store.close()


def test_show_finds_by_what_events_say(application: Application) -> None:
    """By kind, actor, words and time; what fits nothing is said to."""
    append(application.store, [event(6, "s:1", "GateDecided", gate="no-criticals")])
    for option, value in (
        ("--kind", "GateDecided"),
        ("--text", "CRITICALS"),
        ("--since", "2023-11-14T22:13:20.000006Z"),
    ):
        assert [line.split()[2] for line in run(application, "show", option, value).stdout.splitlines()] == [
            "GateDecided"
        ]
    assert len(run(application, "show", "--actor", "mia@example.org", "--until", "2023-11-15").stdout.splitlines()) == 7
    assert run(application, "show", "--text", "nowhere").stdout == "no event is like that\n"
    assert run(application, "show", "--since", "yesterday").exit_code == 2


def test_the_log_is_exported_as_tiles(application: Application, tmp_path: Path) -> None:
    """And exported on; a search would leave holes in the tree."""
    result = run(application, "export", str(tmp_path / "tiles"))
    assert "has 5 events of the log, 5 of them new (3 files)" in result.stdout
    assert (tmp_path / "tiles/checkpoint").read_text("utf-8") == latest_checkpoint(application.store)
    assert "already" in str(run(application, "export", str(tmp_path / "tiles")).exception)
    assert "the whole log" in str(run(application, "export", str(tmp_path / "x"), "--kind", "GateDecided").exception)
    unknown = run(application, "export", "-", "--format", "csv", "--kind", "GateDecide")
    assert unknown.exit_code == 2 or "did you mean GateDecided? known ones:" in str(unknown.exception.todo)  # type: ignore[union-attr] # a ShiplineError


def test_json_lines_hold_what_their_leaves_commit_to(application: Application, tmp_path: Path) -> None:
    """Who has the tiles, too, can tell that the contents are those that were sealed."""
    result = run(application, "export", str(tmp_path / "log.jsonl"), "--format", "jsonl")
    assert result.stderr == f"6 events are in {tmp_path / 'log.jsonl'}\n"
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text("utf-8").splitlines()]
    assert [line["place"] for line in lines] == [0, 1, 2, 3, 4, None]
    for line in lines:
        content = rfc8785.dumps({"actor": line["actor"], "body": line["body"]}).decode()
        assert content_hash(line["salt"], content) == line["content_hash"]


def test_a_spreadsheet_runs_nothing_of_a_csv_export(application: Application) -> None:
    """Also not what an actor is called; all columns of all events are there."""
    actor = Actor(kind=ActorKind.PERSON, issuer="x", subject='=cmd|"/C calc"!A0')
    with application.store.begin() as tx:
        tx.append(Event(id="evt_9", stream="-2+3", kind="K", time_us=1, actor=actor, body={"note": 'a,"b"\n'}))
    rows = list(csv.DictReader(io.StringIO(run(application, "export", "-", "--format", "csv").stdout)))
    assert [row["number"] for row in rows] == ["1", "2", "3", "4", "5", "6", "7"]
    assert rows[-1]["actor"] == '\'=cmd|"/C calc"!A0@x'
    assert rows[-1]["stream"] == "'-2+3"
    assert json.loads(rows[-1]["body"]) == {"note": 'a,"b"\n'}
    assert rows[0]["time"] == "2023-11-14T22:13:20Z"


def test_what_cannot_be_written_leaves_nothing_behind(application: Application, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    assert run(application, "export", str(tmp_path / "taken"), "--format", "csv").exit_code == 1
    assert [path.name for path in tmp_path.iterdir() if "draft" in path.name] == []
