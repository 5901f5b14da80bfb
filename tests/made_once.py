"""What takes long to make of a file, and is only read: one for all processes, and for the runs to come."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

CACHE = "made-once"


def made_once(request: pytest.FixtureRequest, source: Path, make: Callable[[Path], None]) -> Path:
    """A folder that `make` has filled from `source`, in pytest's cache: nobody may change what is in it.

    The first process that asks makes it while others wait; where that fails, the next one begins anew. Another
    `source` of the same name takes its place. Where pytest keeps no cache, it is for this process alone.
    """
    if request.config.pluginmanager.hasplugin("cacheprovider"):
        top = request.config.cache.mkdir(CACHE)
    else:
        factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
        top = factory.getbasetemp()
    kept = top / source.name
    kept.mkdir(exist_ok=True)
    with (kept / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = kept / hashlib.sha256(source.read_bytes()).hexdigest()
        if not folder.exists():
            for older in kept.glob("*/"):
                shutil.rmtree(older)
            make(kept / "unfinished")
            (kept / "unfinished").rename(folder)
    return folder
