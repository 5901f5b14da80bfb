"""A package index in memory that keeps what it was given, and fails as real ones do when it is told to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from shipline.clients.oci_layout import layout_digest, open_layout
from shipline.domain.errors import ConflictError, RefusedError, UnavailableError
from shipline.domain.verdict import Answer
from shipline.ports.attachments import Image, Subject
from shipline.ports.clock import Clock
from shipline.ports.registry import STABLE, Finding, PublishedFile, YankAnswer
from shipline.testing.fakes.attachments import MemoryAttachments


@dataclass
class RegistryFaults:
    """What goes wrong, until it is set back.

    `down`: nothing is answered. `refuses`: credentials are refused. `fails_after_files`: publishing stops with
    trouble once that many more files are taken (None: never). `hangs_s`: every answer takes that long, and is given
    up after the registry's limit. `loses_answer`: the next publish is carried out whole and then reported as failed.
    """

    down: bool = False
    refuses: bool = False
    fails_after_files: int | None = None
    hangs_s: float = 0.0
    loses_answer: bool = False


class FakeRegistry:
    """The Registry port in memory. `uploads` lists the name of every file taken, in order, for tests that count;
    `pointers` names the version of each package's channels."""

    api_version = 1
    timeout_s = 20.0

    def __init__(self, clock: Clock, kinds: tuple[str, ...] = ()) -> None:
        self.kinds = kinds
        self.faults = RegistryFaults()
        self.uploads: list[str] = []
        self._clock = clock
        self.pointers: dict[tuple[str, str], str] = {}
        self._files: dict[tuple[str, str], dict[str, PublishedFile]] = {}

    def check(
        self, package: str, version: str, files: tuple[Path, ...], *, channel: str = STABLE
    ) -> tuple[Finding, ...]:
        """Whether the credentials are taken."""
        self._reach()
        if self.faults.refuses:
            return (Finding(Answer.FAIL, "the fake registry refuses the credentials", todo="set others"),)
        return (Finding(Answer.PASS, "the fake registry answers"),)

    def find(self, package: str, version: str) -> tuple[PublishedFile, ...]:
        """The files of exactly this version."""
        self._reach()
        return tuple(file for _, file in sorted(self._files.get((package, version), {}).items()))

    def publish(
        self, package: str, version: str, files: tuple[Path, ...], *, channel: str = STABLE
    ) -> tuple[PublishedFile, ...]:
        """Take what is missing, one file at a time, as an index does."""
        self._reach()
        if self.faults.refuses:
            raise RefusedError("the fake registry refused the credentials")
        given = tuple(PublishedFile(path.name, self._digest(path)) for path in files)
        served = self._files.get((package, version), {})
        for file in given:
            known = served.get(file.name, file)
            if known.digest != file.digest:
                raise ConflictError(f"the registry serves another {file.name}: {known.digest}, not {file.digest}")
        for file in given:
            self._take(package, version, file)
        self.pointers[package, channel] = version
        if self.faults.loses_answer:
            self.faults.loses_answer = False
            raise UnavailableError("the fake registry's answer was lost")
        return self.find(package, version)

    def yank(self, package: str, version: str, *, reason: str, back_to: str | None = None) -> YankAnswer:
        """Mark every file as yanked, and let the channels name what was good before."""
        self._reach()
        if self.faults.refuses:
            raise RefusedError("the fake registry refused the credentials")
        served = self._files.get((package, version), {})
        for name, file in served.items():
            served[name] = replace(file, yanked=True)
        for key in [key for key, named in self.pointers.items() if key[0] == package and named == version]:
            if back_to is None:
                del self.pointers[key]
            else:
                self.pointers[key] = back_to
        return YankAnswer(
            (f"{package} {version} is marked as yanked: {reason}",), (), ("copies that are installed stay installed",)
        )

    def verify_yank(self, package: str, version: str) -> Finding:
        """Whether every file is marked."""
        if all(file.yanked for file in self.find(package, version)):
            return Finding(Answer.PASS, "every file is marked as yanked")
        return Finding(Answer.FAIL, "not every file is marked as yanked")

    def install_arguments(self) -> tuple[str, ...]:
        """Nothing installs from memory."""
        return ()

    def _digest(self, path: Path) -> str:
        return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"

    def _reach(self) -> None:
        if self.faults.hangs_s > 0:
            self._clock.sleep(min(self.faults.hangs_s, self.timeout_s))
        if self.faults.down or self.faults.hangs_s > self.timeout_s:
            raise UnavailableError("the fake registry cannot be reached")

    def _take(self, package: str, version: str, file: PublishedFile) -> None:
        served = self._files.setdefault((package, version), {})
        if file.name in served:
            return
        if self.faults.fails_after_files is not None:
            if self.faults.fails_after_files <= 0:
                raise UnavailableError("the fake registry failed while files were uploaded")
            self.faults.fails_after_files -= 1
        served[file.name] = file
        self.uploads.append(file.name)


class FakeImageRegistry(FakeRegistry):
    """A registry of images in memory, and an ImageStore: `hung` holds the images of each package, and what hangs on
    them."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, ("oci",))
        self.hung: dict[str, MemoryAttachments] = {}

    def store(self, package: str, version: str, file: Path) -> Image:
        """Keep the root manifest."""
        self._reach()
        held = self.hung.setdefault(package, MemoryAttachments())
        with open_layout(file) as layout:
            layout.check()
            root = layout.root
            held.manifests[root.digest] = layout.manifests()[-1].content
        return Image(f"registry.example/{package}", version, Subject(root.media_type, root.digest, root.size))

    def attachments(self, package: str) -> MemoryAttachments:
        """What hangs on them."""
        self._reach()
        return self.hung.setdefault(package, MemoryAttachments())

    def publish(
        self, package: str, version: str, files: tuple[Path, ...], *, channel: str = STABLE
    ) -> tuple[PublishedFile, ...]:
        """Keep it, then let the version's tag name it."""
        for file in files:
            self.store(package, version, file)
        return super().publish(package, version, files, channel=channel)

    def _digest(self, path: Path) -> str:
        return layout_digest(path)
