"""What stands in `shipline.toml`, for who needs the words alone, or one of them: the tables take longer to be read."""

from __future__ import annotations

import re
from pathlib import Path

from shipline.configuration.root import FILE_NAME
from shipline.domain.errors import ConfigurationError

SIZE_MAX = 1 << 20
STORE_LINE = r"""^store[ \t]*=[ \t]*(["'])([^"'\n]*)\1"""  # Not compiled before it is needed: plans come by here.
TABLE_LINE = r"^[ \t]*\["


def content_of(path: Path) -> bytes:
    """The bytes of a file of settings, at most one more than SIZE_MAX. ConfigurationError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(SIZE_MAX + 1)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read", why=error.strerror or "", todo="check that it is a file and its permissions"
        ) from error


def written_settings(root: Path) -> bytes:
    """What the project's `shipline.toml` says, in its own bytes; none where there is no file, which says the same.

    Raises ConfigurationError where the file cannot be read.
    """
    path = root / FILE_NAME
    return content_of(path) if path.exists() else b""


def store_named(root: Path) -> str:
    """The `store` that the project's `shipline.toml` names, "" for none, whatever else is wrong with the file.

    For what must reach the store though the settings are refused. In a file that is not even TOML, it is the line that
    sets it. Raises ConfigurationError where the file cannot be read.
    """
    written = written_settings(root)[:SIZE_MAX]
    if b"store" not in written and b"\\" not in written:
        return ""  # Without an escape the key has no other spelling, and most files need not be read for it.
    from shipline.domain.strict_toml import read_toml  # noqa: PLC0415 - see above

    content = written.decode("utf-8-sig", "replace")
    try:
        named = read_toml(content).get("store", "")
    except (ValueError, RecursionError):
        top = re.split(TABLE_LINE, content, maxsplit=1, flags=re.MULTILINE)[0]
        line = re.search(STORE_LINE, top, re.MULTILINE)
        named = line.group(2) if line is not None else ""
    return named if isinstance(named, str) else ""
