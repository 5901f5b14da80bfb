"""A built site (documentation, most often) as one file: a tar that is the same for the same files.

Names are sorted, nobody owns anything, and all have one time. Links and special files have no place in it.
"""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

from shipline.domain.errors import ShiplineError

KIND = "site"
"""The kind of artifact. Its name is that of package and version, and ends in `-site.tar`."""
FILES_MAX = 100_000
BYTES_MAX = 1024 * 1024 * 1024


def site_name(package: str, version: str) -> str:
    """The artifact's file name, safe whatever the package is called."""
    safe = "".join(char if char.isalnum() or char in "._-" else "_" for char in package).lstrip("._")
    return f"{safe}-{version}-site.tar"


def pack_site(folder: Path, destination: Path, *, time_s: int) -> None:
    """Pack what `folder` holds. ShiplineError for a link, for nothing at all, and for more than is taken back out."""
    paths = sorted((path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()), key=Path.as_posix)
    odd = next((path for path in paths if path.is_symlink() or not path.is_file()), None)
    if odd is not None:
        raise ShiplineError(f"the site holds {odd.relative_to(folder).as_posix()[:80]!r}, which is no plain file")
    if not 0 < len(paths) <= FILES_MAX or sum(path.stat().st_size for path in paths) > BYTES_MAX:
        raise ShiplineError(
            f"the site holds {len(paths)} files; 1 to {FILES_MAX}, of {BYTES_MAX >> 30} GiB together, are taken"
        )
    with tarfile.open(destination, "w", format=tarfile.PAX_FORMAT) as archive:
        for path in paths:
            member = tarfile.TarInfo(path.relative_to(folder).as_posix())
            member.size, member.mtime, member.mode = path.stat().st_size, time_s, 0o644
            with path.open("rb") as file:
                archive.addfile(member, file)


def unpack_site(archive: Path, folder: Path) -> tuple[str, ...]:
    """Unpack into the empty `folder`; returns the names. ShiplineError for what `pack_site` would not have packed."""
    names: list[str] = []
    size = 0
    try:
        with tarfile.open(archive, "r:") as packed:
            for member in packed:
                size += member.size
                names.append(member.name)
                if not member.isfile() or len(names) > FILES_MAX or size > BYTES_MAX or _is_git_s(member.name):
                    raise ShiplineError(f"{archive.name} is no site: it holds {member.name[:80]!r}")
                _write(packed, member, folder)
    except (OSError, EOFError, ValueError, tarfile.TarError) as error:
        raise ShiplineError(f"{archive.name} cannot be unpacked", why=str(error)[:200]) from None
    return tuple(names)


def _write(packed: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Its name has been checked. By hand, since tarfile's own filters are not in every Python 3.11."""
    path = folder.joinpath(*member.name.split("/"))
    path.parent.mkdir(parents=True, exist_ok=True)
    content = packed.extractfile(member)
    assert content is not None, "it is a file"  # noqa: S101 - an invariant, not input
    with path.open("xb") as file:
        shutil.copyfileobj(content, file)


def _is_git_s(name: str) -> bool:
    """True for what git keeps for itself, or would not take."""
    return "\n" in name or any(part.lower() in (".git", "..", ".", "") for part in name.split("/"))
