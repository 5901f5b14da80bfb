"""The log's signing key as a file: made once, readable by its owner alone, never shown.

On SQLite it lies beside the database. A PostgreSQL store serves several machines, so there its path is a setting and
each machine has a copy: the log keeps its public key and takes no checkpoint by another.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from shipline.domain.errors import ConfigurationError, ShiplineError
from shipline.store.database import Store
from shipline.store.notes import KEY_SIZE, NoteSigningKey

FILE_NAME = "log.key"
FILE_BYTES_MAX = 1000


def log_key_path(store: Store, setting: Path | None = None) -> Path:
    """Where the key of this store's log is. Raises ConfigurationError on PostgreSQL without a setting."""
    if setting is not None:
        return setting
    if store.path is None:
        raise ConfigurationError(
            "a log on PostgreSQL needs the path of its signing key",
            todo="set SHIPLINE_LOG_KEY to a file; it is made on first use, the other machines get a copy of it",
        )
    return store.path.parent / FILE_NAME


def load_log_key(path: Path) -> NoteSigningKey | None:
    """The key in the file, None where there is no file. Raises ShiplineError if it is open to others, or no key."""
    try:
        with path.open("rb") as file:
            if os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077:
                todo = f"make it yours alone (chmod 600 {path}), and think of a new log if others may have read it"
                raise ConfigurationError(f"the log's signing key {path} can be read by others", todo=todo)
            return NoteSigningKey.parse(file.read(FILE_BYTES_MAX).decode("utf-8", "replace"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error) from error


def load_or_create_log_key(path: Path) -> NoteSigningKey:
    """The key in the file, made where there is none. Of several processes that make one at once, one wins."""
    key = load_log_key(path)
    if key is not None:
        return key
    made = NoteSigningKey(name=f"shipline/{secrets.token_hex(8)}", seed=secrets.token_bytes(KEY_SIZE))
    try:
        _write_new(path, made.secret_text() + "\n")
    except OSError as error:
        raise _unusable(path, error) from error
    written = load_log_key(path)
    if written is None:
        raise ShiplineError(f"the log's signing key {path} is gone again", todo="see what else works in that folder")
    return written


def _write_new(path: Path, text: str) -> None:
    """Write a file whole, unless it exists: under another name first, so that nobody reads half a key."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _unusable(path: Path, error: OSError) -> ShiplineError:
    return ShiplineError(
        f"the log's signing key {path} cannot be used",
        why=error.strerror or "",
        todo="check the path and its permissions",
    )
