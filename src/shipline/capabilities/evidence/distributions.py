"""What a built Python distribution says of itself: METADATA in a wheel, PKG-INFO in an sdist (core metadata
specification, packaging.python.org)."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from packaging.metadata import parse_email
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from shipline.clients.bounded_stream import BoundedStream
from shipline.domain.errors import InvalidValue

METADATA_BYTES_MAX = 4 * 1024 * 1024
MEMBERS_MAX = 50_000
UNPACKED_BYTES_MAX = 1 << 30
UNREADABLE = (
    OSError,  # gzip's errors are among them.
    EOFError,
    ValueError,
    RuntimeError,  # An encrypted member.
    NotImplementedError,  # A compression that is not known.
    zlib.error,
    zipfile.BadZipFile,
    tarfile.TarError,
)


@dataclass(frozen=True, slots=True)
class Distribution:
    """`name` is normalised (PEP 503); `licence` is an SPDX expression, "" where none is stated."""

    name: str
    version: str
    licence: str
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """A wheel or an sdist on disk, and what its metadata says. `sha256` is hex."""

    file_name: str
    sha256: str
    distribution: Distribution


def read_built(path: Path) -> BuiltFile:
    """Read a wheel or an sdist. Raises InvalidValue where it is neither, or states no valid metadata."""
    reader = _reader(path.name)
    try:
        text = reader(path)
    except UNREADABLE as error:
        raise InvalidValue(f"{path.name} cannot be unpacked", why=str(error)[:200]) from None
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return BuiltFile(path.name, sha256, _distribution(text, path.name))


def _reader(name: str) -> Callable[[Path], bytes]:
    if name.endswith(".whl"):
        return _wheel_metadata
    if name.endswith(".tar.gz"):
        return _sdist_metadata
    raise InvalidValue(f"{name[:80]!r} is neither a wheel (.whl) nor an sdist (.tar.gz)")


def _wheel_metadata(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if _is_at(name, ".dist-info", "METADATA")]
        with archive.open(_only(names, path)) as member:
            return _bounded(member.read(METADATA_BYTES_MAX + 1), path.name)


def _sdist_metadata(path: Path) -> bytes:
    with gzip.open(path) as unpacked, _tar(unpacked) as archive:
        for count, member in enumerate(archive):
            if count > MEMBERS_MAX:
                break
            if member.isfile() and _is_at(member.name, "", "PKG-INFO"):
                file = archive.extractfile(member)
                return _bounded(file.read(METADATA_BYTES_MAX + 1) if file else b"", path.name)
    raise InvalidValue(f"{path.name} holds no PKG-INFO at its top")


def _tar(unpacked: gzip.GzipFile) -> tarfile.TarFile:
    return tarfile.open(fileobj=BoundedStream(unpacked, UNPACKED_BYTES_MAX), mode="r:")


def _is_at(member: str, folder_ending: str, name: str) -> bool:
    parts = PurePosixPath(member).parts
    return len(parts) == 2 and parts[0].endswith(folder_ending) and parts[1] == name


def _only(names: list[str], path: Path) -> str:
    if len(names) != 1:
        raise InvalidValue(f"{path.name} holds {len(names)} METADATA files at its top, and must hold one")
    return names[0]


def _bounded(data: bytes, name: str) -> bytes:
    if len(data) > METADATA_BYTES_MAX:
        raise InvalidValue(f"the metadata of {name} is larger than {METADATA_BYTES_MAX} bytes")
    return data


def _distribution(text: bytes, name: str) -> Distribution:
    # Not validated as a whole: what matters here is checked one by one, and old uploads break rules elsewhere.
    raw, _ = parse_email(text)
    try:
        return Distribution(
            name=canonicalize_name(raw.get("name", ""), validate=True),
            version=str(Version(raw.get("version", ""))),
            licence=raw.get("license_expression", ""),
            requirements=tuple(Requirement(need) for need in raw.get("requires_dist", [])),
        )
    except ValueError as error:
        raise InvalidValue(f"the metadata of {name} is not valid", why=str(error)[:200]) from None
