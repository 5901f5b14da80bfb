"""Reading and replacing files of the work tree: plain ones of bounded size alone, and each whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from shipline.capabilities.version_files.kinds import MIB
from shipline.domain.errors import RefusedError, ShiplineError

BYTES_MAX = 64 * MIB


def content_of(root: Path, path: str) -> bytes:
    """The content of the file `path`, relative to `root`. ShiplineError where there is none that can be read."""
    file = own_file(root, path)
    try:
        with file.open("rb") as opened:
            content = opened.read(BYTES_MAX + 1)
    except OSError as error:
        raise ShiplineError(
            f"{path} cannot be read", why=error.strerror or "", todo="check that it is a file and its permissions"
        ) from None
    if len(content) > BYTES_MAX:
        raise ShiplineError(f"{path} is larger than {BYTES_MAX // MIB} MiB")
    return content


def own_file(root: Path, path: str) -> Path:
    """A file of the repository. RefusedError where a link leads to it: what stands elsewhere would be committed."""
    file = root / path
    if file.resolve() != root.resolve() / path or not file.resolve().is_relative_to(root.resolve()):
        raise RefusedError(
            f"{path} is a link, or lies behind one",
            why="a release edits plain files of the repository alone: what a link leads to would be published with it",
            todo="put a plain file in its place, or name the file itself in shipline.toml",
        )
    return file


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file's content whole or not at all; its permissions stay."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(path.stat().st_mode if path.exists() else 0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
