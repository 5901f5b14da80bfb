"""What a release stands on: its ports, its folders and the settings that its steps read."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shipline.capabilities.evidence import Envelope, Formats, ScanOrder, read_envelope
from shipline.capabilities.gates import Framework, Waiving
from shipline.capabilities.plans import Show
from shipline.capabilities.releases.outlets import Outlet
from shipline.capabilities.releases.queries import RELEASES
from shipline.capabilities.releases.rules import former_folder_name
from shipline.capabilities.version_files import write_atomically
from shipline.clients.oci_layout import layout_digest
from shipline.clients.released_names import folder_name
from shipline.domain.artifact import Artifact
from shipline.domain.calendar import CalendarRule
from shipline.domain.checklist import Checklist
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import ShiplineError
from shipline.domain.gate import Approver, Gate
from shipline.domain.package import Package
from shipline.domain.release import Release
from shipline.engine.workflow import StepContext
from shipline.ports.builder import Builder
from shipline.ports.command import Commands
from shipline.ports.forge import Forge
from shipline.ports.repository import Repository
from shipline.ports.signer import Signer
from shipline.store.database import Store
from shipline.store.event_writer import EventWriter

ARTIFACTS_FILE = "artifacts.json"
NO_WAIVERS = Waiving()


@dataclass(frozen=True, slots=True)
class TestRun:
    """A test command of the project: see `[[test]]`."""

    __test__ = False

    name: str
    command: tuple[str, ...]
    reports: tuple[str, ...]
    timeout_s: int


@dataclass(frozen=True, slots=True)
class OwnersPlace:
    """Whose CODEOWNERS counts: the forge by whose rules it is read, "" for none that is known, and the commit that has
    it, None for the released one, where nothing is protected."""

    rules: str = ""
    commit: str | None = None


@dataclass(frozen=True, slots=True)
class ReleaseGround:
    """What the releases of one project stand on.

    `folder` holds one folder a release. `packages` are those that the repository has now, `builders` gives what builds
    one. `outlets` are the registries; none: nothing is published. `remote` "": nothing is pushed. `sign_tags` has git
    sign the tags, `moving_tags` are those that follow the releases. `python` is the interpreter for test commands.
    `show` gives how changelogs and release notes look. `forge` None: releases are shown nowhere. `approvers` are those
    whose approvals count; `calendar` is the policy's, `declared` gives the freezes of people as they are when asked;
    `checklists` are those of environments.
    `told_branch` is the branch that a detached HEAD is known to be of, None where nothing tells. `posts_statuses`:
    verdicts become statuses of commits on the forge. `signatures` are the formats in which images are signed; None:
    nothing that is published is signed. `scan` names the scanners that each release is looked at by.
    `frameworks` gives those that every release has to keep. `waiving` is what the policy says of waivers.
    `added_gates` are those of `gates`, by stage and name, that the commit under release alone asks for. `owners` says
    where CODEOWNERS is. `page` is where the project's page is, "" where nobody says.
    """

    store: Store
    events: EventWriter
    repository: Repository
    packages: Callable[[], tuple[Package, ...]]
    builders: Callable[[Package], tuple[Builder, ...]]
    outlets: tuple[Outlet, ...]
    signer: Signer
    commands: Commands
    folder: Path
    commit_message: str
    remote: str
    sign_tags: bool
    moving_tags: tuple[str, ...]
    tests: tuple[TestRun, ...]
    gates: tuple[Gate, ...]
    python: str
    show: Callable[[], Show] = Show
    forge: Forge | None = None
    approvers: tuple[Approver, ...] = ()
    calendar: tuple[CalendarRule, ...] = ()
    checklists: tuple[Checklist, ...] = ()
    told_branch: str | None = None
    posts_statuses: bool = False
    signatures: Formats | None = Formats.BOTH
    scan: ScanOrder = field(default_factory=ScanOrder)
    frameworks: Callable[[], tuple[Framework, ...]] = tuple
    waiving: Waiving = NO_WAIVERS
    added_gates: frozenset[tuple[str, str]] = frozenset()
    owners: Callable[[], OwnersPlace] = OwnersPlace
    page: str = ""
    declared: Callable[[], tuple[CalendarRule, ...]] = tuple

    def calendar_now(self) -> tuple[CalendarRule, ...]:
        """When releases may begin, as it is at this moment."""
        return (*self.calendar, *self.declared())

    @property
    def branch(self) -> str | None:
        """The branch that HEAD is on, or is known to be of; None where it is detached and nothing tells."""
        return self.repository.branch() or self.told_branch

    def release(self, context: StepContext) -> Release:
        """The release that a run is about."""
        with self.store.begin() as tx:
            release = RELEASES.find(tx, str(context.input["release_id"]))
        if release is None:
            raise ShiplineError(f"the release {context.input['release_id']} is not in the store")
        return release

    def kinds_of(self, package: Package) -> tuple[str, ...]:
        """The kinds of artifact that are built of a package; empty where nothing is."""
        return tuple(kind for builder in self.builders(package) for kind in builder.kinds)

    def folder_of(self, release: Release) -> Path:
        """The release's own folder: `dist/`, `reports/`, `evidence/` and the bundle.

        One that was built under the folder's former name, and is there as it was built, stays there.
        """
        own = self.folder / folder_name(release.package, release.version)
        former = self.folder / former_folder_name(release.package, release.version)
        if release.artifacts and former != own and not own.exists():
            built = load_built(former)
            return former if built is not None and built.artifacts == release.artifacts else own
        return own


def package_of(context: StepContext) -> Package:
    """The package that a run releases."""
    return from_json(Package, context.input["package"])


@contextmanager
def exported(ground: ReleaseGround, commit: str, *, tag: str = "") -> Iterator[Path]:
    """The tree of a commit in a folder of its own, gone afterwards: nothing of the work tree gets into a release.

    `tag`: with a `.git` that has it, see Repository.
    """
    with tempfile.TemporaryDirectory(prefix="shipline-source-") as name:
        folder = Path(name) / "source"
        folder.mkdir()
        ground.repository.export(commit, folder, tag=tag)
        yield folder


@dataclass(frozen=True, slots=True)
class Built:
    """What `dist/` holds, and the commit that it was built from."""

    commit: str
    artifacts: tuple[Artifact, ...]


def save_built(folder: Path, built: Built) -> None:
    """Note what `dist/` holds, once all of it is there."""
    write_atomically(folder / ARTIFACTS_FILE, json.dumps(to_json(built), indent=2).encode())


def load_built(folder: Path) -> Built | None:
    """What `dist/` holds; None where no build has ended there."""
    path = folder / ARTIFACTS_FILE
    return from_json(Built, json.loads(path.read_bytes())) if path.is_file() else None


def envelopes_of(ground: ReleaseGround, release: Release) -> dict[str, Envelope]:
    """The signed statements about a release, by the names of their files."""
    folder = ground.folder_of(release) / "evidence"
    return {path.name: read_envelope(path.read_bytes()) for path in sorted(folder.glob("*.dsse.json"))}


def artifact_digest(path: Path, kind: str) -> str:
    """An artifact's identity: the sha256 of its file, for an OCI layout the digest of the image that it holds."""
    return layout_digest(path) if kind == "oci" else digest_of(path)


def digest_of(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
