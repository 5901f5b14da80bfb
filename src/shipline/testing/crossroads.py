"""Dying at many points of one play: at each the world goes on twice, with the process and without it.

A play that is told anew for every point at which its process dies costs as many plays as there are points. Here it is
told once. At a point that was chosen the process forks: the fork is the world as it is at that moment, its process
dead and its next one at work on a copy of the folder; what comes of it is noted, and the play goes on as if nothing
had been. Between many points nothing happens that outlives the process: the world that it leaves at the second one is
that of the first, to the byte, and what comes of it is known.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import shutil
import signal
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType
from typing import Any, NoReturn

from shipline.store.database import Store
from shipline.testing.kills import Countdown


class Trouble(str):
    """Why nothing came of the world without the process: a traceback."""

    __slots__ = ()


class Crossroads(Countdown):
    """Passes every point, and notes in `ways`, by their number, what comes of dying at those that are `chosen`.

    `folder` holds all that a kill leaves on the disk, the database of `store` too, and `memory` whatever else outlives
    the process: clocks, ids, fakes. `afterwards` is what happens in a world whose process is dead; its answer must
    survive a pickle. `worlds` counts those that were told, each of them once. Nothing of the dead process is unwound:
    no `finally` of it runs, as with SIGKILL.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        memory: object,
        *,
        afterwards: Callable[[], Any],
        chosen: Callable[[int, str], bool],
    ) -> None:
        super().__init__(None)
        self.ways: dict[int, Any] = {}
        self._folder = folder
        self._store = store
        self._memory = memory
        self._afterwards = afterwards
        self._chosen = chosen
        self._told: dict[tuple[str, bytes], Any] = {}

    @property
    def worlds(self) -> int:
        """How many worlds differed from all before them."""
        return len(self._told)

    def pass_point(self, name: str) -> None:
        """As Countdown's; returns alive whatever becomes of the fork."""
        super().pass_point(name)
        number = len(self.passed)
        if not self._chosen(number, name):
            return
        world = _on_disk(self._folder), _in_memory(self._memory)
        if world not in self._told:
            with _copied(self._folder):
                self._told[world] = _in_a_fork(self._without_the_process)
        self.ways[number] = self._told[world]

    def _without_the_process(self) -> Any:
        # Connections cannot be shared with a fork, not even to close them: they are kept, and never used again.
        connections = self._store.engine.pool
        self._store.engine.dispose(close=False)
        outcome = self._afterwards()
        del connections
        return outcome


def _on_disk(folder: Path) -> str:
    """A digest of all names, links and contents; but not of SQLite's index, which a process makes of the rest."""
    digest = hashlib.blake2b()
    for path, _, names in sorted(os.walk(folder)):
        digest.update(f"{path}\0".encode())
        for name in sorted(names):
            file = os.path.join(path, name)  # noqa: PTH118 - thousands of them
            if os.path.islink(file):  # noqa: PTH114 - the same
                content = os.fsencode(os.readlink(file))  # noqa: PTH115 - the same
            elif name.endswith("-shm"):
                continue
            else:
                with open(file, "rb") as opened:  # noqa: PTH123 - the same
                    content = opened.read()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _in_memory(memory: object) -> bytes:
    """A digest of an object and all that hangs on it, which is an error where it cannot be told."""
    written = io.BytesIO()
    _Whole(written).dump(memory)
    return hashlib.blake2b(written.getbuffer()).digest()


class _Whole(pickle.Pickler):
    """Takes functions without a name for what they hold, and leaves out databases, which are on the disk."""

    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, Store):
            return str, (thing.url,)
        if isinstance(thing, FunctionType) and "<" in thing.__qualname__:
            held = tuple(cell.cell_contents for cell in thing.__closure__ or ())
            return _function, (thing.__module__, thing.__qualname__), (held, thing.__defaults__, thing.__kwdefaults__)
        return NotImplemented


def _function(module: str, name: str) -> str:
    return f"{module}.{name}"


@contextmanager
def _copied(folder: Path) -> Iterator[None]:
    """A copy takes the folder's place. Who has a file open keeps the original, and finds it in its place again."""
    aside = folder.with_name(f"{folder.name}.aside")
    folder.rename(aside)
    try:
        shutil.copytree(aside, folder, symlinks=True)
        yield
    finally:
        shutil.rmtree(folder)
        aside.rename(folder)


def _in_a_fork(work: Callable[[], Any]) -> Any:
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns wherever threads run beside; those of a test's process hold nothing that the fork needs.
        warnings.simplefilter("ignore", DeprecationWarning)
        fork = os.fork()
    if fork == 0:
        _answer(work, writing)
    os.close(writing)
    try:
        with open(reading, "rb") as pipe:  # noqa: PTH123 - a descriptor
            answer = pipe.read()
    finally:
        os.kill(fork, signal.SIGKILL)  # It has ended, unless this test was stopped.
        os.waitpid(fork, 0)
    return pickle.loads(answer) if answer else Trouble("it died without a word")  # noqa: S301 - this module's own


def _answer(work: Callable[[], Any], writing: int) -> NoReturn:
    """Say what came of it, and end without a trace in what the fork has of its parent."""
    try:
        try:
            answer = pickle.dumps(work())
        except BaseException:  # noqa: BLE001 - a fork must not go on as its parent, whatever happens
            answer = pickle.dumps(Trouble(traceback.format_exc()))
        with open(writing, "wb") as pipe:
            pipe.write(answer)
    finally:
        os._exit(0)
