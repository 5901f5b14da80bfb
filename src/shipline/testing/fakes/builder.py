"""A builder without an ecosystem: a tar of the source, which states its version in a file named VERSION."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

from shipline.domain.artifact import Artifact
from shipline.domain.errors import ShiplineError
from shipline.ports.builder import BuildRequest


class FakeBuilder:
    """The Builder port over plain tar: every file of the package's folder, in the order of names, at one time.

    `fails` makes the next builds fail, leaving half an archive behind as a real one may.
    """

    api_version = 1
    ecosystem = "python"
    asks_git = False
    kinds: tuple[str, ...] = ("file",)

    def __init__(self) -> None:
        self.fails = False
        self.builds = 0

    def build(self, request: BuildRequest, *, source: Path, output: Path) -> tuple[Artifact, ...]:
        """One tar."""
        version = request.version
        folder = source / request.package.path
        path = output / f"{request.package.name}-{version}.tar"
        if self.fails:
            path.write_bytes(b"half")
            raise ShiplineError("the fake builder was told to fail")
        stated = (folder / "VERSION").read_text().strip()
        if stated != version:
            raise ShiplineError(f"{path.name} states version {stated}, not {version}")
        with tarfile.open(path, "w") as archive:
            for file in sorted(file for file in folder.rglob("*") if file.is_file()):
                member = tarfile.TarInfo(file.relative_to(folder).as_posix())
                member.size = file.stat().st_size
                member.mtime = request.source_date_epoch_s
                with file.open("rb") as stream:
                    archive.addfile(member, stream)
        self.builds += 1
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return (Artifact(name=path.name, kind="file", digest=f"sha256:{digest}", size=path.stat().st_size),)
