"""Sequencing, reading, erasing and proving, on both databases."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest

from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import (
    ConfigurationError,
    ConflictError,
    InvalidValue,
    NothingToDo,
    RefusedError,
    ShiplineError,
)
from shipline.domain.package import Project
from shipline.store import proofs
from shipline.store.checkpoints import open_checkpoint
from shipline.store.database import Store
from shipline.store.log import ERASED, erase, latest_checkpoint, read, read_latest, sequence
from shipline.store.notes import InvalidNote, NoteSigningKey
from shipline.store.proofs import Proof, check_proof, prove
from shipline.store.verification import verify
from tests.store.logs import KEY, PERSON, PUBLIC, append, event


def places(store: Store) -> list[int | None]:
    return [entry.place for entry in read(store, 0, 1000)]


def test_events_get_places_without_gaps(store: Store) -> None:
    """In the order of their numbers, over several batches; a rolled-back transaction leaves none."""
    append(store, [event(number, f"s:{number % 2}") for number in range(5)])
    with pytest.raises(ValueError, match="invalid literal"), store.begin() as tx:
        int(tx.append(event(99)).id)
    append(store, [event(number, f"s:{number % 2}") for number in range(5, 8)])
    assert places(store) == [None] * 8
    assert sequence(store, KEY, batch=3) == 8
    assert places(store) == list(range(8))
    assert sequence(store, KEY) == 0


def test_each_batch_has_a_checkpoint(store: Store) -> None:
    append(store, [event(number) for number in range(5)])
    assert latest_checkpoint(store) is None
    sequence(store, KEY, batch=2)
    assert verify(store, PUBLIC).checkpoints == 3
    assert open_checkpoint(latest_checkpoint(store) or "", PUBLIC).size == 5


def test_a_second_key_cannot_take_over_a_log(store: Store) -> None:
    """The machine with the wrong key file is told so, and nothing is sequenced."""
    append(store, [event(1)])
    sequence(store, KEY)
    append(store, [event(2)])
    with pytest.raises(ConfigurationError, match="another key"):
        sequence(store, NoteSigningKey(name=KEY.name, seed=bytes(32)))
    assert places(store) == [0, None]


def test_two_sequencers_at_once_make_one_log(store: Store) -> None:
    """Each place is given once, whoever gives it."""
    append(store, [event(number) for number in range(60)])
    threads = [threading.Thread(target=sequence, args=(store, KEY), kwargs={"batch": 7}) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert places(store) == list(range(60))
    assert verify(store, PUBLIC).is_intact


def test_two_writers_of_a_stream_wait_for_each_other(store: Store) -> None:
    """Neither fails, positions have no gap, and their order is that of the places."""

    def write(first: int) -> None:
        append(store, [event(first + number, "shared") for number in range(15)])

    threads = [threading.Thread(target=write, args=(first,)) for first in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sequence(store, KEY)
    entries = read(store, 0, 100)
    assert [entry.event.position for entry in entries] == list(range(1, 46))
    assert verify(store, PUBLIC).is_intact


def test_an_event_that_is_committed_late_gets_a_later_place(postgresql_store: Store) -> None:
    """On PostgreSQL a lower number can appear after higher ones were sequenced. Nothing is lost or moved."""
    store = postgresql_store
    with store.begin() as late:
        late.append(event(1, "slow"))
        append(store, [event(2, "quick"), event(3, "quick")])
        assert sequence(store, KEY) == 2
    assert sequence(store, KEY) == 1
    assert [(entry.event.stream, entry.place) for entry in read(store, 0, 10)] == [
        ("slow", 2),
        ("quick", 0),
        ("quick", 1),
    ]
    assert verify(store, PUBLIC).is_intact


def test_reading_goes_on_after_a_number(store: Store) -> None:
    """With a limit, by stream and by kind; the last ones come oldest first, too."""
    append(store, [event(number, f"s:{number % 2}", f"K{number % 3}") for number in range(9)])
    first = read(store, 0, 4)
    assert [entry.event.body["number"] for entry in first] == [0, 1, 2, 3]
    assert [entry.event.body["number"] for entry in read(store, first[-1].number, 4)] == [4, 5, 6, 7]
    assert [entry.event.body["number"] for entry in read(store, 0, 9, stream="s:1")] == [1, 3, 5, 7]
    assert [entry.event.body["number"] for entry in read(store, 0, 9, kinds=["K0"])] == [0, 3, 6]
    assert [entry.event.body["number"] for entry in read_latest(store, 2)] == [7, 8]
    assert [entry.event.body["number"] for entry in read_latest(store, 2, "s:0")] == [6, 8]


def test_what_is_read_is_what_was_appended(store: Store) -> None:
    appended = event(3, text="Größe \u0000 \U0001f6a2", nested={"a": [1, None, 0.5, True]})
    append(store, [appended])
    assert read(store, 0, 1)[0].event == replace(appended, position=1)


def test_old_events_are_upcast_when_read(store: Store) -> None:
    """Through as many versions as the table knows; the row, and so the log, stays as it was."""
    append(store, [event(1, kind="Renamed")])
    sequence(store, KEY)
    upcasts = {"Renamed": {1: lambda body: {"count": body["number"]}, 2: lambda body: body | {"unit": "pieces"}}}
    newer = Store(store.url, upcasts=upcasts).open()
    found = read(newer, 0, 1)[0].event
    newer.close()
    assert (found.version, found.body) == (3, {"count": 1, "unit": "pieces"})
    assert read(store, 0, 1)[0].event.version == 1
    assert verify(store, PUBLIC).is_intact


def test_projects_do_not_see_each_other(store: Store) -> None:
    """One tree holds all, each project reads and proves its own, and equal streams do not mix."""
    other = Store(store.url, Project(id="prj_other", organisation_id="org_other", name="other")).open()
    append(store, [event(1)])
    append(other, [event(2)])
    sequence(store, KEY)
    assert [entry.event.id for entry in read(other, 0, 9)] == [event(2).id]
    assert read(other, 0, 9)[0].place == 1
    with pytest.raises(InvalidValue):
        prove(other, event(1).id)
    with pytest.raises(InvalidValue), other.begin() as tx:
        erase(tx, event(1).id, erasure_id=event(9).id, actor=PERSON, time_us=1)
    assert verify(other, PUBLIC).size == 2
    other.close()


def test_an_erased_event_keeps_its_place(store: Store) -> None:
    """Actor and body are gone from the database, the erasure is an event itself, and the log verifies."""
    append(store, [event(1, secret="mia@example.org"), event(2)])
    sequence(store, KEY)
    with store.begin() as tx:
        record = erase(tx, event(1).id, erasure_id=event(9).id, actor=PERSON, time_us=5)
    assert (record.kind, record.position, record.body) == ("ContentErased", 3, {"event": event(1).id})
    entry = read(store, 0, 1)[0]
    assert (entry.is_erased, entry.event.body, entry.event.actor, entry.place) == (True, {}, ERASED, 0)
    for _ in range(2):
        found = verify(store, PUBLIC)
        assert found.is_intact
        assert found.erased == 1
        sequence(store, KEY)
    if store.path is not None:
        store.close()
        assert b"mia@example.org" not in store.path.read_bytes()
        store.open()


def test_an_erasure_is_refused_where_there_is_nothing_to_erase(store: Store) -> None:
    """An unknown event, one that is erased already, and the record of an erasure."""
    append(store, [event(1)])
    with store.begin() as tx:
        erase(tx, event(1).id, erasure_id=event(2).id, actor=PERSON, time_us=5)
    for event_id, error in ((event(1).id, NothingToDo), (event(2).id, RefusedError), ("evt_x", InvalidValue)):
        with pytest.raises(error), store.begin() as tx:
            erase(tx, event_id, erasure_id=event(3).id, actor=PERSON, time_us=5)
    assert len(read(store, 0, 9)) == 2


def test_the_same_id_twice_is_a_conflict(store: Store) -> None:
    append(store, [event(1)])
    with pytest.raises(ConflictError):
        append(store, [event(1)])


@pytest.mark.parametrize(
    "changes",
    [
        {"stream": "x" * 201},
        {"kind": "x" * 81},
        {"id": "x" * 41},
        {"cause": "x" * 41},
        {"stream": "a\x00b"},
        {"body": {"n": float("nan")}},
        {"body": {"n": 2**60}},
        {"body": {"t": "\ud800"}},
        {"body": {"t": {1, 2}}},
    ],
)
def test_what_no_log_can_hold_is_refused_alike(store: Store, changes: dict[str, object]) -> None:
    """On both databases, before anything is written."""
    with pytest.raises(InvalidValue), store.begin() as tx:
        tx.append(replace(event(1), **changes))  # type: ignore[arg-type] # one field of any type each
    assert read(store, 0, 1) == ()


def test_a_proof_holds_for_whoever_has_the_public_key(store: Store) -> None:
    """Also after a journey through JSON, for every event, under the latest checkpoint."""
    append(store, [event(number, secret="s") for number in range(7)])
    sequence(store, KEY, batch=3)
    for number in range(7):
        document = json.dumps(to_json(prove(store, event(number).id)))
        assert "secret" not in document
        proof = from_json(Proof, json.loads(document))
        assert check_proof(proof, PUBLIC).size == 7
        assert (proof.place, proof.leaf["id"]) == (number, event(number).id)


def test_a_proof_that_was_changed_is_refused(store: Store) -> None:
    append(store, [event(number) for number in range(7)])
    sequence(store, KEY)
    proof = prove(store, event(3).id)
    other = NoteSigningKey(name=KEY.name, seed=bytes(32))
    for changed in (
        replace(proof, leaf=proof.leaf | {"stream": "other"}),
        replace(proof, leaf=proof.leaf | {"time_us": float("nan")}),
        replace(proof, leaf={"id": proof.leaf["id"]}),
        replace(proof, place=2),
        replace(proof, size=6),
        replace(proof, hashes=proof.hashes[:-1]),
        replace(proof, hashes=("\u00e9", *proof.hashes[1:])),
        replace(proof, hashes=(other_text(proof.hashes[0]), *proof.hashes[1:])),
        replace(proof, checkpoint=proof.checkpoint.replace(last := proof.checkpoint[-4:-1], other_text(last))),
        replace(proof, hashes=proof.hashes * 10_000),
        replace(proof, schema="other/1"),
    ):
        with pytest.raises(InvalidValue):
            check_proof(changed, PUBLIC)
    with pytest.raises(InvalidNote):
        check_proof(proof, other.public_key)


def other_text(padded: str) -> str:
    """Base64 of the same bytes, with other bits behind the last one."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    assert padded.endswith("=")
    return f"{padded[:-2]}{digits[digits.index(padded[-2]) ^ 1]}="


def test_an_unsequenced_event_has_no_proof_yet(store: Store) -> None:
    append(store, [event(1)])
    with pytest.raises(ShiplineError, match="not sequenced") as caught:
        prove(store, event(1).id)
    assert caught.value.retryable


def test_many_events_are_proven_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """In their order, over several readings, under one checkpoint; one that is unknown or not sealed spoils all."""
    monkeypatch.setattr(proofs, "TOGETHER", 3)
    append(store, [event(number) for number in range(8)])
    sequence(store, KEY)
    append(store, [event(8)])
    wanted = [event(number).id for number in (7, 0, 3, 3, 5)]
    found = proofs.prove_all(store, wanted)
    assert [proof.leaf["id"] for proof in found] == wanted
    assert {check_proof(proof, PUBLIC).size for proof in found} == {8}
    assert proofs.prove_all(store, ()) == ()
    with pytest.raises(InvalidValue, match="no event 'evt_x'"):
        proofs.prove_all(store, [*wanted, "evt_x"])
    with pytest.raises(ShiplineError, match="not sequenced yet"):
        proofs.prove_all(store, [*wanted, event(8).id])
