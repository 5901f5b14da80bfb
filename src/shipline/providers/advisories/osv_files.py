"""OSV databases on this machine: a folder of entries, or of zips of them, as osv.dev publishes one for each ecosystem.

No network is needed. Every entry is looked at; those that cannot be read are an error at the end.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from shipline.clients.osv import ENTRY_BYTES_MAX, pypi_name, read_entry
from shipline.domain.advisory import Advisory
from shipline.domain.errors import InvalidValue, ShiplineError, UsageError
from shipline.ports.advisories import PackageName, UnreadAdvisories
from shipline.ports.provider import ProviderContext

ENTRIES_MAX = 2_000_000
_NAME = re.compile(rb'"name"\s*:\s*"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class OSVFilesSettings:
    """`path` is a folder, or one zip, from the top of the repository or absolute. In a folder every `.json` counts and
    every `.zip` of them, in folders below it too."""

    path: str


class OSVFiles:
    """The Advisories port over files."""

    api_version = 1
    Settings = OSVFilesSettings

    def __init__(self, settings: OSVFilesSettings, context: ProviderContext) -> None:
        self._path = context.root / settings.path

    def about(self, packages: Collection[PackageName]) -> Iterator[Advisory]:
        """See the port."""
        wanted = frozenset(package.compared for package in packages)
        names = {package.name.lower().encode() for package in wanted}
        unread: list[InvalidValue] = []
        seen: set[str] = set()
        count = 0
        for what, data in self._entries():
            count += 1
            if count > ENTRIES_MAX:
                raise ShiplineError(f"the advisories in {self._path} are more than {ENTRIES_MAX}")
            # To read all of them strictly takes minutes. A name with an escape in it is found by reading alone.
            named = _NAME.findall(data)
            if (
                named
                and names.isdisjoint(map(bytes.lower, named))
                and not any(_may_mean(name, names) for name in named)
            ):
                continue
            try:
                advisory = read_entry(data, what)
            except InvalidValue as error:
                unread.append(error)
                continue
            if advisory.id not in seen and any(
                PackageName(one.ecosystem, one.name).compared in wanted for one in advisory.affected
            ):
                seen.add(advisory.id)
                yield advisory
        if count == 0:
            raise UsageError(
                f"there are no advisories in {self._path}",
                todo="put OSV entries there (.json, or .zip of them), or mend path in [advisories]",
            )

        if unread:
            raise UnreadAdvisories(unread[0], len(unread))

    def _entries(self) -> Iterator[tuple[str, bytes]]:
        """Each entry, and what to call it."""
        if self._path.is_file():
            yield from _zipped(self._path)
            return
        for path in sorted(self._path.rglob("*")):
            if path.suffix == ".zip" and path.is_file():
                yield from _zipped(path)
            elif path.suffix == ".json" and path.is_file():
                with path.open("rb") as file:
                    yield path.name, file.read(ENTRY_BYTES_MAX + 1)


def _may_mean(name: bytes, names: Collection[bytes]) -> bool:
    """True for a name that has an escape in it, and for one of PyPI's that is written in another way."""
    return b"\\" in name or pypi_name(name.decode("utf-8", "replace")).encode() in names


def _zipped(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.filename.endswith(".json"):
                    with archive.open(member) as stream:
                        yield f"{path.name}/{member.filename}", stream.read(ENTRY_BYTES_MAX + 1)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
        raise InvalidValue(f"{path} cannot be unpacked", why=str(error)[:200]) from None
