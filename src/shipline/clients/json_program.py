"""A program that is asked by a JSON document on standard input, and answers by one on standard output.

Exit codes say what it made of it: 0 done, 3 refused, 75 not now (EX_TEMPFAIL of sysexits.h), anything else failed. What
it wrote to standard error is the reason. It has a deadline, and its output a bound; both end it with whatever it has
started in its process group.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TypeVar

from shipline.clients.programs import without_secrets
from shipline.domain.codec import from_json
from shipline.domain.errors import (
    ConfigurationError,
    InvalidValue,
    RefusedError,
    ShiplineError,
    UnavailableError,
)
from shipline.domain.strict_json import read_json

OUTPUT_BYTES_MAX = 1 << 20
REASON_BYTES_MAX = 4000
REFUSED, NOT_NOW = 3, 75
LOOK_S = 0.05
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where programs run: in `folder`, for the environment `name`, with this process's variables but for what looks
    like a secret; those that `credentials` names are handed down all the same. `given` comes over all of them. What a
    program says of itself goes through `masked` before it is told."""

    folder: Path
    name: str
    credentials: tuple[str, ...]
    given: Mapping[str, str] = field(default_factory=dict, repr=False)
    masked: Callable[[str], str] = str

    def variables(self) -> dict[str, str]:
        """The program's environment. ConfigurationError where a credential is not set."""
        missing = [name for name in self.credentials if os.environ.get(name, "") == ""]
        if missing:
            raise ConfigurationError(
                f"the environment variable {missing[0]} is not set",
                why="`credentials` names it as one that the programs need",
                todo=f"set {missing[0]} (in CI: from its secret store), then run this again",
            )
        handed = {name: os.environ[name] for name in self.credentials}
        return without_secrets(os.environ) | handed | dict(self.given)


def tell(arguments: tuple[str, ...], request: Mapping[str, Any], around: Surroundings, *, timeout_s: float) -> bytes:
    """Run the program with `request` (and the environment's name) on its standard input; returns what it wrote.

    Raises RefusedError, UnavailableError or ShiplineError, with the end of what it said.
    """
    given = json.dumps({**request, "environment": around.name}).encode()
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as reason:
        source.write(given)
        source.seek(0)
        try:
            process = subprocess.Popen(
                arguments,
                cwd=around.folder,
                env=around.variables(),
                stdin=source,
                stdout=answer,
                stderr=reason,
                start_new_session=True,
            )
        except OSError as error:
            raise ShiplineError(
                f"the program {arguments[0][:200]!r} cannot be run",
                why=error.strerror or str(error),
                todo="see that it is there, from the top of the repository, and executable",
            ) from None
        try:
            code = _waited(process, arguments[0], (answer, reason), timeout_s)
        finally:
            _end(process)
        _expect(code, arguments[0], around.masked(_last(reason)))
        answer.seek(0)
        return answer.read(OUTPUT_BYTES_MAX + 1)


def ask(
    arguments: tuple[str, ...], request: Mapping[str, Any], around: Surroundings, kind: type[T], *, timeout_s: float
) -> T:
    """What the program answers, read strictly as a `kind`. ShiplineError where it is not one; else as for `tell`."""
    data = tell(arguments, request, around, timeout_s=timeout_s)
    try:
        return from_json(kind, read_json(data, what="its answer", limit_bytes=OUTPUT_BYTES_MAX))
    except InvalidValue as error:
        raise not_understood(arguments, error.what, error.why) from None


def not_understood(arguments: tuple[str, ...], what: str, why: str = "") -> ShiplineError:
    """The error for an answer that is none."""
    return ShiplineError(
        f"the program {arguments[0][:200]!r} answered what is not understood",
        why=": ".join(part for part in (what, why) if part),
        todo="compare its answer with docs/reference/command-protocol.md",
    )


def checked_command(name: str, arguments: tuple[str, ...]) -> None:
    """Refuse (ConfigurationError) a command without a program."""
    if not arguments or not arguments[0]:
        raise ConfigurationError(f"{name}: a command is a list of arguments that begins with a program")


def _waited(process: subprocess.Popen[bytes], name: str, streams: tuple[IO[bytes], ...], timeout_s: float) -> int:
    waited_s = 0.0
    while True:
        try:
            return process.wait(timeout=min(LOOK_S, timeout_s))
        except subprocess.TimeoutExpired:
            waited_s += LOOK_S
        if any(os.fstat(stream.fileno()).st_size > OUTPUT_BYTES_MAX for stream in streams):
            raise ShiplineError(f"the program {name[:200]!r} wrote more than {OUTPUT_BYTES_MAX} bytes and was ended")
        if waited_s >= timeout_s:
            raise UnavailableError(f"the program {name[:200]!r} was not done after {timeout_s:g} s and was ended")


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _expect(code: int, name: str, reason: str) -> None:
    if code == 0:
        return
    what = f"the program {name[:200]!r}"
    if code == REFUSED:
        raise RefusedError(f"{what} refused", why=reason)
    if code == NOT_NOW:
        raise UnavailableError(f"{what} cannot do it now", why=reason)
    raise ShiplineError(f"{what} ended with exit code {code}", why=reason)


def _last(stream: IO[bytes]) -> str:
    size = os.fstat(stream.fileno()).st_size
    return os.pread(stream.fileno(), REASON_BYTES_MAX, max(0, size - REASON_BYTES_MAX)).decode(errors="replace").strip()
