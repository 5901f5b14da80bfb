"""Excerpts of the log: what they prove of its events, what they keep back, and that nothing in them can be changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from shipline.domain.actor import SYSTEM
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import InvalidValue
from shipline.store.database import Store
from shipline.store.excerpts import Excerpt, check_excerpt, excerpt
from shipline.store.log import sequence
from shipline.store.notes import NotePublicKey
from tests.store.logs import KEY, PUBLIC, append, event


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    """One database is enough: what is read is the same on both."""
    opened = Store(sqlite_url).open()
    yield opened
    opened.close()


@pytest.fixture
def found(sqlite_store: Store) -> Excerpt:
    """Three events of a stream among others: one by a person, one by Shipline, and one that has no place yet."""
    said = replace(event(3, secret="no"), actor=SYSTEM)
    append(sqlite_store, [event(1, secret="yes"), event(2, "rollout:other"), said])
    sequence(sqlite_store, KEY)
    append(sqlite_store, [event(4)])
    made = excerpt(sqlite_store, ["release:one"])
    assert made is not None
    return made


def test_it_proves_the_events_that_have_a_place_and_hands_out_what_shipline_did(found: Excerpt) -> None:
    """After a journey through JSON. Of what a person did there is the salted hash, and no more."""
    again = from_json(Excerpt, json.loads(json.dumps(to_json(found))))
    assert check_excerpt(again, NotePublicKey.parse(again.key)).size == 3
    assert [one.leaf["id"] for one in again.events] == [event(1).id, event(3).id]
    assert [bool(one.content) for one in again.events] == [False, True]
    assert "yes" not in json.dumps(to_json(again))
    assert (again.left_out, again.key) == (1, str(PUBLIC))


def test_without_a_checkpoint_there_is_none(sqlite_store: Store) -> None:
    append(sqlite_store, [event(1)])
    assert excerpt(sqlite_store, ["release:one"]) is None


def test_no_character_of_what_is_proven_can_be_changed(found: Excerpt) -> None:
    """Of the checkpoint and of each leaf, place, hash, content and salt, one at a time."""
    document = to_json(found)
    tried = 0
    for path, text in strings_of({name: document[name] for name in ("checkpoint", "events", "size")}):
        for place in range(0, len(text), 1 if len(text) < 100 else 3):
            changed = json.loads(json.dumps(document))
            put(changed, path, text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :])
            tried += 1
            try:
                check_excerpt(from_json(Excerpt, changed), PUBLIC)
            except InvalidValue:
                continue
            raise AssertionError(f"{path}, character {place}")
    assert tried > 500


def strings_of(value: Any, *path: str | int) -> list[tuple[tuple[str | int, ...], str]]:
    """Every text, and every number as one, with the way to it; what is left out is not there to be changed."""
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in strings_of(inner, *path, name)]
    if isinstance(value, list):
        return [found for place, inner in enumerate(value) for found in strings_of(inner, *path, place)]
    return [] if value is None else [(path, str(value))]


def put(document: Any, path: tuple[str | int, ...], text: str) -> None:
    for step in path[:-1]:
        document = document[step]
    was = document[path[-1]]
    try:
        document[path[-1]] = int(text) if isinstance(was, int) else text
    except ValueError:
        document[path[-1]] = text


@pytest.mark.parametrize("change", [{"schema": "other/1"}, {"size": 2}, {"checkpoint": ""}])
def test_another_form_is_refused(found: Excerpt, change: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        check_excerpt(replace(found, **change), PUBLIC)
