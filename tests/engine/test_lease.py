"""At most one owner at a time, and none after its death."""

from __future__ import annotations

from pathlib import Path

from shipline.engine.lease import Lease


def test_one_at_a_time_holds_a_databases_lease(tmp_path: Path) -> None:
    first, second = Lease(tmp_path / "store.db"), Lease(tmp_path / "store.db")
    assert first.acquire()
    assert first.acquire()
    assert not second.acquire()
    first.release()
    first.release()
    assert second.acquire()
    second.release()


def test_a_link_to_a_database_leads_to_the_same_lease(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "store.db").touch()
    link = tmp_path / "elsewhere" / "link.db"
    link.symlink_to(tmp_path / "store.db")
    first, second = Lease(tmp_path / "store.db"), Lease(link)
    assert first.acquire()
    assert not second.acquire()
    first.release()


def test_databases_have_leases_of_their_own(tmp_path: Path) -> None:
    first, second = Lease(tmp_path / "one.db"), Lease(tmp_path / "two.db")
    assert first.acquire()
    assert second.acquire()
    first.release()
    second.release()


def test_without_a_file_everybody_may_execute() -> None:
    assert Lease(None).acquire()
    assert Lease(None).acquire()
