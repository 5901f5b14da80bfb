"""The log's signing key lies in a file that its owner alone can read, and is made once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from shipline.domain.errors import ConfigurationError, ShiplineError
from shipline.store.database import Store
from shipline.store.keys import load_log_key, load_or_create_log_key, log_key_path


def test_a_key_is_made_once_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "log.key"
    assert load_log_key(path) is None
    key = load_or_create_log_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_or_create_log_key(path) == key == load_log_key(path)
    assert [file.name for file in path.parent.iterdir()] == ["log.key"]


def test_two_that_make_a_key_at_once_have_the_same(tmp_path: Path) -> None:
    keys = []
    threads = [
        threading.Thread(target=lambda: keys.append(load_or_create_log_key(tmp_path / "log.key"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({str(key.public_key) for key in keys}) == 1


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    load_or_create_log_key(path)
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="can be read by others"):
        load_log_key(path)


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    path.touch(mode=0o600)
    path.write_bytes(b"\xff" * 5000)
    with pytest.raises(ConfigurationError):
        load_or_create_log_key(path)
    with pytest.raises(ShiplineError, match="cannot be used"):
        load_or_create_log_key(path / "below")


def test_the_key_lies_beside_sqlite_and_is_a_setting_on_postgresql(tmp_path: Path) -> None:
    assert log_key_path(Store(f"sqlite:///{tmp_path}/store.db")) == tmp_path / "log.key"
    assert log_key_path(Store("postgresql://h/d"), tmp_path / "k") == tmp_path / "k"
    with pytest.raises(ConfigurationError, match="path of its signing key"):
        log_key_path(Store("postgresql://h/d"))
