"""Files in, values out. Nothing here saves: the rows are the caller's."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from shipline.capabilities.evidence.archive import ARCHIVE_BYTES_MAX
from shipline.capabilities.evidence.bundle import read_bundle
from shipline.capabilities.evidence.keys import PublicKey
from shipline.capabilities.evidence.reports import LIMIT_BYTES, Report, read_report_bytes
from shipline.capabilities.evidence.verification import Verification, verify
from shipline.domain.errors import InvalidValue


def read_report(path: Path, *, limit_bytes: int = LIMIT_BYTES) -> Report:
    """Read the report at `path`, its format found by its content. Raises InvalidValue as its reader does."""
    return read_report_bytes(read_file(path, limit_bytes=limit_bytes), limit_bytes=limit_bytes)


def verify_bundle(path: Path, trusted: Sequence[PublicKey], artifacts: Sequence[Path] = ()) -> Verification:
    """Check the bundle at `path` against keys that the caller trusts, and files at hand against its artifacts.

    Raises InvalidValue where the file is no bundle at all; whatever else is wrong is in the answer.
    """
    bundle = read_bundle(read_file(path, limit_bytes=ARCHIVE_BYTES_MAX))
    return verify(bundle, trusted, {str(artifact): _digest_of_file(artifact) for artifact in artifacts})


def read_file(path: Path, *, limit_bytes: int) -> bytes:
    """The bytes of a plain file of at most `limit_bytes`; a device, a pipe or a larger file is refused unread."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InvalidValue(f"{path} is no plain file")
            if status.st_size > limit_bytes:
                raise InvalidValue(f"{path} is larger than {limit_bytes // (1024 * 1024)} MiB")
            return file.read(limit_bytes)
    except OSError as error:
        raise InvalidValue(f"{path} cannot be read", why=error.strerror or str(error)) from None


def _digest_of_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise InvalidValue(f"{path} cannot be read", why=error.strerror or str(error)) from None
