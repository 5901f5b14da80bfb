"""Secrets in files of this machine, as systemd, Kubernetes and agents of secret managers lay them down."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from shipline.domain.errors import ConfigurationError, InvalidValue, RefusedError
from shipline.domain.variables import VALUE_BYTES_MAX, checked_secret
from shipline.ports.provider import ProviderContext

# Read by the owner and its group, written by the owner alone.
FORBIDDEN = stat.S_IWGRP | stat.S_IRWXO


class FileSecrets:
    """The key is an absolute path: a commit can leave a link in the repository, which leads anywhere."""

    api_version = 1

    @dataclass(frozen=True, slots=True)
    class Settings:
        """It has none."""

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        pass

    def read(self, key: str) -> str:
        """What the file holds, without the end of its last line. It may be a link, as Kubernetes mounts them."""
        path = Path(key)
        if not path.is_absolute():
            raise ConfigurationError(
                f"the path of a secret's file is not absolute: {key[:200]!r}",
                todo="keep it outside of the repository, in /run/secrets for example",
            )
        try:
            with _opened(path) as file:
                _check_shared(path, os.fstat(file.fileno()).st_mode)
                data = file.read(VALUE_BYTES_MAX + 3)  # The end of its last line, and one byte too many.
        except OSError as error:
            raise ConfigurationError(
                f"the secret's file {path} cannot be read",
                why=error.strerror or str(error),
                todo="put it there, readable for the user who carries rollouts out",
            ) from None
        try:
            return checked_secret(data)
        except InvalidValue as error:
            raise ConfigurationError(
                f"what the file {path} holds cannot be given to a service", why=error.what, todo=error.todo
            ) from None


def _opened(path: Path) -> BinaryIO:
    """Open for reading. A pipe that nobody writes to must not hold us up; whatever is no file is refused."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ConfigurationError(f"{path} is not a file", todo="name the file that holds the secret")
    return os.fdopen(descriptor, "rb")


def _check_shared(path: Path, mode: int) -> None:
    if os.name != "nt" and mode & FORBIDDEN:  # Windows keeps rights in access lists instead.
        raise RefusedError(
            f"the secret's file {path} can be reached by other users of this machine",
            why=f"its mode is {stat.S_IMODE(mode):04o}",
            todo=f"run `chmod 600 {path}` (or 640); if others may have read it, change the secret",
        )
