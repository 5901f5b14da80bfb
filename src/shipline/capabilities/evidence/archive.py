"""The container of an evidence bundle: a plain tar (POSIX ustar) with exactly one form for the same files.

Writing sorts the names and fixes owner, mode and time. Reading accepts only what writing would have written, byte for
byte, so that links, devices, absolute paths, extra members and bytes hidden between members have nowhere to stand.
Nothing is compressed, hence nothing can grow when read.
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Mapping

from shipline.domain.errors import InvalidValue

ARCHIVE_BYTES_MAX = 256 * 1024 * 1024
FILES_MAX = 5000
_NAME = re.compile(r"^(?:[A-Za-z0-9_][A-Za-z0-9_.+-]{0,80}/)?[A-Za-z0-9_][A-Za-z0-9_.+!-]{0,90}$")


def pack(files: Mapping[str, bytes]) -> bytes:
    """The archive of `files`. Names have at most one folder. Raises InvalidValue for a name that cannot stand."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            member = tarfile.TarInfo(checked_name(name))
            member.size = len(files[name])
            archive.addfile(member, io.BytesIO(files[name]))
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """The files of an archive that `pack` wrote. Raises InvalidValue for any other bytes."""
    if len(data) > ARCHIVE_BYTES_MAX:
        raise InvalidValue(f"the bundle is larger than {ARCHIVE_BYTES_MAX // (1024 * 1024)} MiB")
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for member in archive:
                if len(files) >= FILES_MAX:
                    raise InvalidValue(f"the bundle holds more than {FILES_MAX} files")
                name = _checked_member(member, files)  # First: reading a link's content follows the link.
                files[name] = _content(archive, member)
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise InvalidValue("the bundle is no tar archive, or it is cut off", why=str(error)[:200]) from None
    if pack(files) != data:
        raise InvalidValue("the bundle is not as Shipline writes it: something was changed, added or hidden in it")
    return files


def checked_name(name: str) -> str:
    """Return `name` if a member may have it; raise InvalidValue otherwise."""
    if not _NAME.match(name) or len(name) > 100:  # ustar keeps 100 bytes of a name in one field.
        raise InvalidValue(f"{name[:80]!r} cannot be the name of a file in a bundle")
    return name


def _checked_member(member: tarfile.TarInfo, seen: Mapping[str, bytes]) -> str:
    if member.type != tarfile.REGTYPE:
        raise InvalidValue(f"{member.name[:80]!r} in the bundle is no plain file")
    if member.name in seen:
        raise InvalidValue(f"{member.name[:80]!r} stands twice in the bundle")
    return checked_name(member.name)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    content = file.read() if file else b""
    if len(content) != member.size:
        raise InvalidValue(f"{member.name[:80]!r} in the bundle is cut off")
    return content
