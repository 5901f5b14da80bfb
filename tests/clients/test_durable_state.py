"""A document that several processes share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from shipline.clients.durable_state import DurableState, check_fence, locked
from shipline.domain.errors import RefusedError, ShiplineError, UnavailableError
from shipline.testing.fakes.clock import FakeClock


@dataclass(frozen=True, slots=True)
class Document:
    """Any document."""

    revision: int = 0


def state_in(folder: Path) -> DurableState[Document]:
    """The document of a folder."""
    return DurableState(folder / "sub" / "document.json", Document(), FakeClock())


def test_what_was_written_is_read_by_others(tmp_path: Path) -> None:
    """Before that, there is the initial document."""
    assert state_in(tmp_path).read() == Document()
    with state_in(tmp_path).locked():
        state_in(tmp_path).write(Document(7))
    assert state_in(tmp_path).read() == Document(7)


@pytest.mark.parametrize("text", ["", "{", '{"revision": "x"}', '{"unknown": 1}', "\x00", "[" * 100_000])
def test_damage_is_an_error_and_not_an_empty_document(tmp_path: Path, text: str) -> None:
    """An empty document would forget the fence and every instance."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "document.json").write_text(text)
    with pytest.raises(ShiplineError, match=r"document\.json"):
        state_in(tmp_path).read()


def test_a_document_of_another_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    """In words, with the way out; a file without a number has the first form."""
    old, new = state_in(tmp_path), DurableState(tmp_path / "sub" / "document.json", Document(), FakeClock(), schema=2)
    with old.locked():
        old.write(Document(7))
    with pytest.raises(ShiplineError, match="another version of Shipline") as refused:
        new.read()
    assert "shipline down" in refused.value.todo
    assert "the form 1, and this version knows 2" in refused.value.why
    assert old.read() == Document(7)
    new.write(Document(8))
    with pytest.raises(ShiplineError, match="another version"):
        old.read()
    (tmp_path / "sub" / "document.json").write_text('{"revision": 3}')
    assert old.read() == Document(3)


def test_a_lock_that_another_holds_is_waited_for_with_a_bound(tmp_path: Path) -> None:
    """A paused process must not stop the engine for ever."""
    clock = FakeClock()
    begun_us = clock.now_us()
    with locked(tmp_path / "lock", clock):
        with pytest.raises(UnavailableError, match="held by another"), locked(tmp_path / "lock", clock):
            pass
        assert clock.now_us() - begun_us >= 30_000_000
    with locked(tmp_path / "lock", clock):
        pass


def test_a_disk_that_takes_nothing_is_an_error(tmp_path: Path) -> None:
    """The old document stays."""
    with pytest.raises(UnavailableError, match="cannot be written"):
        state_in(tmp_path / "missing").write(Document(1))


def test_the_fence_lets_the_same_and_newer_revisions_pass() -> None:
    """And names both when it does not."""
    check_fence(5, 5)
    check_fence(5, 6)
    with pytest.raises(RefusedError, match="revision 4 is older than 5"):
        check_fence(5, 4)
