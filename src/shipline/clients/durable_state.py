"""A small document on disk that several processes share: locked, written atomically, read strictly, fenced."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from shipline.clients.detached_launcher import write_durably
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import RefusedError, ShiplineError, UnavailableError
from shipline.ports.clock import Clock

LOCK_TIMEOUT_S = 30.0
POLL_S = 0.02
DOCUMENT_BYTES_MAX = 1 << 20
D = TypeVar("D")


@contextmanager
def locked(path: Path, clock: Clock, *, timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[None]:
    """Hold the lock file `path` alone; the kernel lets go of it when the holder dies.

    Raises UnavailableError when another process, perhaps a paused one, holds it for longer than `timeout_s`.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    deadline_us = clock.now_us() + int(timeout_s * 1_000_000)
    with path.open("a") as stream:
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if clock.now_us() >= deadline_us:
                    raise UnavailableError(
                        f"the lock {path} is held by another process",
                        todo="end the other shipline process that works on this environment, or wait for it",
                    ) from None
                clock.sleep(POLL_S)
        yield


def check_fence(seen: int, revision: int) -> None:
    """Raise RefusedError if `revision` is older than the newest that was `seen`: a zombie's late call."""
    if revision < seen:
        raise RefusedError(
            f"revision {revision} is older than {seen}, which was seen here already",
            why="a newer decision has been carried out since this one was made",
        )


class DurableState(Generic[D]):
    """The document at `path`, a frozen dataclass; `initial` where there is none yet. No I/O in the constructor.

    `schema` is the number of the document's form, which is written with it. A file that another version of Shipline
    wrote in another form is refused; files without a number have the form 1.
    """

    def __init__(
        self, path: Path, initial: D, clock: Clock, *, schema: int = 1, lock_timeout_s: float = LOCK_TIMEOUT_S
    ) -> None:
        self._path = path
        self._schema = schema
        self._lock_timeout_s = lock_timeout_s
        self._initial = initial
        self._clock = clock

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the document's lock; see `locked`."""
        with locked(self._path.with_suffix(".lock"), self._clock, timeout_s=self._lock_timeout_s):
            yield

    def read(self) -> D:
        """The document. Damage is a ShiplineError that names the file, never an empty document."""
        try:
            with self._path.open("rb") as stream:
                data = json.loads(stream.read(DOCUMENT_BYTES_MAX))
            schema = data.pop("schema", 1) if isinstance(data, dict) else 1
            if schema == self._schema:
                return from_json(type(self._initial), data)
        except FileNotFoundError:
            return self._initial
        except (OSError, ValueError, RecursionError, ShiplineError) as failure:
            raise ShiplineError(
                f"the state file {self._path} cannot be read",
                why=str(failure),
                todo="restore it from a backup, or stop what runs in this environment and remove its state folder",
            ) from failure
        raise ShiplineError(
            f"the state file {self._path} was written by another version of Shipline",
            why=f"it has the form {str(schema)[:20]}, and this version knows {self._schema}",
            todo="with that version say `shipline down ENVIRONMENT` and remove the file; then go on with this one",
        )

    def write(self, document: D) -> None:
        """Save `document`, on disk when this returns. Only under the lock."""
        data = {"schema": self._schema, **to_json(document)}
        try:
            write_durably(self._path, json.dumps(data, indent=1, sort_keys=True) + "\n")
        except OSError as failure:
            raise UnavailableError(f"the state file {self._path} cannot be written", why=str(failure)) from failure
