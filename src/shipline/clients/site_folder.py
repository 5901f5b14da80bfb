"""Sites side by side in one folder, of which a web server shows the one that a link leads to.

    FOLDER/sites/NAME      an unpacked site
    FOLDER/groups/GROUP    a link to one of them
    FOLDER/current         a link to a group: what the web server has as its root
    FOLDER/preview         a link to the group that is previewed, where one is

`current` is replaced by a rename, so that every request finds the old site or the new one (POSIX.1-2017, rename).
Whoever reads where the links lead knows what is served, whatever was remembered.
"""

from __future__ import annotations

import os
from pathlib import Path

from shipline.domain.errors import ShiplineError
from shipline.ports.target import GROUP_ID

CURRENT, PREVIEW, GROUPS, SITES = "current", "preview", "groups", "sites"


class SiteFolder:
    """The layout in one folder. The constructor does no I/O. OSErrors become ShiplineErrors that name the place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sites = folder / SITES

    def make(self) -> None:
        """Make sure that the folder is there, readable for others as the umask allows: a web server reads it."""
        try:
            for path in (self.folder, self.sites, self.folder / GROUPS):
                path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._trouble("be made ready", error) from error

    def site_of(self, group_id: str) -> Path:
        """Where a group's site is reached; it need not be there."""
        return self.folder / GROUPS / group_id

    def set_group(self, group_id: str, name: str) -> None:
        """Let a group be the site of this name."""
        self._link(self.site_of(group_id), f"../{SITES}/{name}")

    def remove_group(self, group_id: str) -> None:
        """The site stays. Idempotent."""
        self._unlink(self.site_of(group_id))

    def serving(self) -> str | None:
        """The group that is shown; None where nothing is, or something that is none of ours."""
        try:
            group_id = str((self.folder / CURRENT).readlink()).removeprefix(f"{GROUPS}/")
        except OSError:
            return None
        return group_id if GROUP_ID.fullmatch(group_id) else None

    def show(self, group_id: str) -> None:
        """Show a group from now on."""
        self._link(self.folder / CURRENT, f"{GROUPS}/{group_id}")

    def show_nothing(self) -> None:
        """Take the link away. Idempotent."""
        self._unlink(self.folder / CURRENT)

    def preview(self, group_id: str | None) -> None:
        """Let a group be previewed from now on, None for none. Idempotent."""
        if group_id is None:
            self._unlink(self.folder / PREVIEW)
        else:
            self._link(self.folder / PREVIEW, f"{GROUPS}/{group_id}")

    def _link(self, path: Path, destination: str) -> None:
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            draft.unlink(missing_ok=True)
            draft.symlink_to(destination)
            draft.replace(path)
            _to_disk(path.parent)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise self._trouble(f"get the link {path.name}", error) from error

    def _unlink(self, path: Path) -> None:
        try:
            if path.is_symlink():
                path.unlink()
                _to_disk(path.parent)
        except OSError as error:
            raise self._trouble(f"lose the link {path.name}", error) from error

    def _trouble(self, what: str, error: OSError) -> ShiplineError:
        return ShiplineError(
            f"the folder {self.folder} cannot {what}",
            why=error.strerror or str(error),
            todo="see who may write there, and that nothing else lies where the links go",
        )


def _to_disk(folder: Path) -> None:
    """A rename lasts once its folder is on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
