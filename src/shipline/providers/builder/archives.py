"""What built archives say about themselves, read within bounds: an archive's headers may lie about everything."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import json
import os
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import IO

from packaging.metadata import parse_email

from shipline.clients.bounded_stream import BoundedStream
from shipline.domain.artifact import Artifact
from shipline.domain.errors import ShiplineError

METADATA_BYTES_MAX = 1024 * 1024
UNPACKED_BYTES_MAX = 1024 * 1024 * 1024
MEMBERS_MAX = 100_000  # Before the one that is looked for.
ZIP_DIRECTORY_BYTES_MAX = 64 * 1024 * 1024
# PKWARE APPNOTE 6.3.10, 4.3.16: the end record is 22 bytes, with a comment of at most 65,535 after it.
_END_OF_ZIP = struct.Struct("<4s4H2LH")
_DAMAGE = (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile, tarfile.TarError, NotImplementedError)


def wheel_identity(path: Path) -> tuple[str, str]:
    """Name and version from `*.dist-info/METADATA` (binary distribution format, PEP 427)."""
    try:
        _bound_directory(path)
        with zipfile.ZipFile(path) as archive:
            inside = [name for name in archive.namelist() if name.count("/") == 1]
            found = [name for name in inside if name.endswith(".dist-info/METADATA")]
            if len(found) != 1:
                raise ShiplineError(f"{path.name} holds {len(found)} METADATA files instead of one")
            with archive.open(found[0]) as stream:
                return _from_metadata(path.name, stream)
    except _DAMAGE as error:
        raise _damaged(path, error) from None


def sdist_identity(path: Path) -> tuple[str, str]:
    """Name and version from the PKG-INFO in the sdist's one folder (source distribution format, PEP 643)."""
    with _member(path, "PKG-INFO") as stream:
        return _from_metadata(path.name, stream)


def npm_identity(path: Path) -> tuple[str, str]:
    """Name and version from the package.json in an npm package's one folder."""
    with _member(path, "package.json") as stream:
        data = _bounded(path.name, stream)
    try:
        document = json.loads(data)
        return str(document["name"]), str(document["version"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ShiplineError(f"the package.json in {path.name} states no name and version") from None


def artifact(path: Path, kind: str) -> Artifact:
    """The artifact that `path` is, with its digest and size."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Artifact(name=path.name, kind=kind, digest=f"sha256:{digest}", size=path.stat().st_size)


def _member(path: Path, name: str) -> IO[bytes]:
    """The content of `<folder>/name` in a tar.gz, read as a stream up to it."""
    try:
        with gzip.open(path) as unpacked, _tar(unpacked) as archive:
            for member in itertools.islice(archive, MEMBERS_MAX):
                folder, _, rest = member.name.removeprefix("./").partition("/")
                stream = archive.extractfile(member) if member.isreg() and folder and rest == name else None
                if stream is not None:
                    return io.BytesIO(_bounded(path.name, stream))
    except _DAMAGE as error:
        raise _damaged(path, error) from None
    raise ShiplineError(f"{path.name} holds no {name}")


def _tar(unpacked: gzip.GzipFile) -> tarfile.TarFile:
    return tarfile.open(fileobj=BoundedStream(unpacked, UNPACKED_BYTES_MAX), mode="r:")


def _bound_directory(path: Path) -> None:
    """Refuse a zip whose directory would fill the memory when zipfile reads it whole."""
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - _END_OF_ZIP.size - 65_535))
        tail = stream.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END_OF_ZIP.size:
        raise ValueError("it is no zip archive")
    if _END_OF_ZIP.unpack_from(tail, at)[5] > ZIP_DIRECTORY_BYTES_MAX:
        raise ValueError("its directory is too large")


def _bounded(name: str, stream: IO[bytes]) -> bytes:
    data = stream.read(METADATA_BYTES_MAX + 1)
    if len(data) > METADATA_BYTES_MAX:
        raise ShiplineError(f"the metadata in {name} is larger than {METADATA_BYTES_MAX} bytes")
    return data


def _from_metadata(name: str, stream: IO[bytes]) -> tuple[str, str]:
    metadata, _ = parse_email(_bounded(name, stream))
    if "name" not in metadata or "version" not in metadata:
        raise ShiplineError(f"the metadata in {name} states no name and version")
    return metadata["name"], metadata["version"]


def _damaged(path: Path, error: Exception) -> ShiplineError:
    return ShiplineError(f"{path.name} cannot be read as the archive that it should be", why=str(error)[:200])
