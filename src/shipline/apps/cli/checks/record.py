"""The store, the key of its log, and the engine that works on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from shipline.apps.cli.checks.check import Check, State, not_asked
from shipline.bootstrap import LOG_KEY_VARIABLE, STORE_VARIABLE, Application
from shipline.engine.lease import Lease
from shipline.store.database import Store
from shipline.store.keys import load_log_key, log_key_path
from shipline.store.log import latest_checkpoint


def store(application: Application) -> Iterator[Check]:
    """Whether the store opens, and whether the key of its log is there."""
    known = Store(application.store_url)
    settings = application.settings
    if not os.environ.get(STORE_VARIABLE, "") and not application.policy.knows("store", settings.store):
        yield not_asked("store", application.policy)
        return
    if known.path is not None and not known.path.exists():
        folder = next(folder for folder in known.path.parents if folder.is_dir())
        if os.access(folder, os.W_OK | os.X_OK):
            yield Check("store", State.OK, f"{known.path}, made on first use")
        else:
            yield Check("store", State.WRONG, f"{known.path} cannot be made", f"make {folder} writable for yourself")
        return
    with closing(known.open()):
        yield Check("store", State.OK, str(known.path) if known.path is not None else "the PostgreSQL database answers")
        yield _log_key(known)


def _log_key(opened: Store) -> Check:
    setting = os.environ.get(LOG_KEY_VARIABLE, "")
    path = log_key_path(opened, Path(setting) if setting else None)
    if load_log_key(path) is not None:
        return Check("log key", State.OK, str(path))
    if latest_checkpoint(opened) is None:
        return Check("log key", State.OK, f"{path}, made on first use")
    todo = "bring it back from a backup: the log takes checkpoints by no other key"
    return Check("log key", State.WRONG, f"the log is signed, and its key {path} is gone", todo)


def engine(application: Application) -> Iterator[Check]:
    """Who works on the store. On PostgreSQL every process may."""
    path = Store(application.store_url).path
    if path is None:
        yield Check("engine", State.OK, "every process that is started works on the PostgreSQL store")
        return
    if not path.exists():
        return
    lease = Lease(path)
    if lease.acquire():
        lease.release()
        yield Check("engine", State.OK, "no process runs it now: each command does its own work")
    else:
        yield Check("engine", State.OK, "another process runs it, and does what commands order here")
