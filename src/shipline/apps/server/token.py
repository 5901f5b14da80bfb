"""The token that opens the page: made once, kept beside the store, readable by its owner alone."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from shipline.domain.errors import ShiplineError

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
TOKEN_BYTES = 32
FILE_NAME = "web-token"


def load_or_create_token(folder: Path) -> str:
    """The token of `folder`, which is made if there is none. A restart finds the same one.

    One that others could have read, or that is not of our form, is replaced. A file that cannot be read or written:
    ShiplineError.
    """
    path = folder / FILE_NAME
    try:
        return _load(path) or _create(path)
    except OSError as error:
        raise ShiplineError(
            f"the page's token cannot be kept in {path}", why=error.strerror or "", todo="check the file's permissions"
        ) from error


def _load(path: Path) -> str:
    if not path.is_file() or path.is_symlink():
        return ""
    if os.name == "posix" and path.stat().st_mode & 0o077:
        return ""
    text = path.read_bytes()[:100].decode("ascii", "replace").strip()
    return text if TOKEN.fullmatch(text) else ""


def _create(path: Path) -> str:
    """Write a new token. Through a file of its own, so that whoever reads finds the old one or the new one whole."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as written:
        written.write(token + "\n")
    fresh.replace(path)
    return token
