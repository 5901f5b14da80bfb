"""A process that has all of Shipline loaded, and forks once for each command that it is asked for.

Most of what a short command takes is loading modules, and tests run hundreds. A forked process differs from one of its
own start in nothing that tests look at; those that look at the start itself begin one of their own.

    python -m tests.command_server SOCKET

Says `ready` when it is, and ends with its standard input. A request is JSON on one line (`arguments`, `folder`,
`environment`), with the file descriptors of standard output and error; the answer is the process's id on one line, and
its exit code on the next.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import random
import select
import signal
import socket
import sys
import threading
import time
import traceback
from typing import Any, NoReturn

import shipline

# What is loaded late, when it is needed, besides Shipline's own modules.
OTHERS = (
    *("alembic.command", "alembic.runtime.migration", "asyncio", "croniter", "email.message", "http.client"),
    *("sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.pysqlite", "zoneinfo"),
)
LEFT_OUT = ("shipline.__main__", "shipline.apps.server", "shipline.store.migrations", "shipline.testing")
REQUEST_BYTES_MAX = 1 << 20


def main(path: str) -> None:
    """Serve until standard input ends."""
    load()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Nobody waits for those that answer.
        gc.collect()
        gc.freeze()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    listener.close()
                    answer(connection)


def load() -> None:
    """Import what a command may need."""
    found = pkgutil.walk_packages(shipline.__path__, "shipline.")
    for name in (*(each.name for each in found), *OTHERS):
        if not name.startswith(LEFT_OUT):
            importlib.import_module(name)
    assert threading.active_count() == 1, "a thread would not be there after a fork"


def answer(connection: socket.socket) -> NoReturn:
    """Run one command and tell how it ended."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        data, descriptors, _, _ = socket.recv_fds(connection, REQUEST_BYTES_MAX, 2, socket.MSG_CMSG_CLOEXEC)
        while not data.endswith(b"\n"):
            data += connection.recv(REQUEST_BYTES_MAX)
        process = os.fork()
        if process == 0:
            connection.close()
            run(json.loads(data), *descriptors)
        connection.sendall(f"{process}\n".encode())
        _, status = os.waitpid(process, 0)
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    finally:
        os._exit(0)


def run(request: dict[str, Any], out: int, err: int) -> NoReturn:
    """Be the command."""
    code = 1
    try:
        for descriptor, place in ((os.open(os.devnull, os.O_RDONLY), 0), (out, 1), (err, 2)):
            os.dup2(descriptor, place)
            os.close(descriptor)
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        time.tzset()
        random.seed()
        sys.argv = ["shipline", *request["arguments"]]
        try:
            importlib.import_module("shipline.apps.cli.main").main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        threading._shutdown()  # type: ignore[attr-defined]  # as Python does when it ends
        atexit._run_exitfuncs()
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 - what Python itself would print
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1])
