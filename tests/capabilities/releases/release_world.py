"""One package of a World: real git, and registries that outlive the engine, watched for bytes that change."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from shipline.capabilities import releases
from shipline.capabilities.evidence import ScanOrder
from shipline.capabilities.gates import Framework
from shipline.capabilities.plans import make_plan
from shipline.capabilities.releases import Candidate, Outlet, ReleaseGround, TestRun, release_package
from shipline.capabilities.releases.rules import Decision
from shipline.clients.oci_artifact import ArtifactFile, OCIArtifact, write_artifact
from shipline.clients.oci_layout import layout_name
from shipline.domain.actor import Actor, ActorKind
from shipline.domain.artifact import Artifact
from shipline.domain.calendar import CalendarRule
from shipline.domain.gate import Approver, Gate
from shipline.domain.package import Package
from shipline.domain.release import Release
from shipline.domain.version_file import VersionFile
from shipline.engine.engine import Catalogue, Engine
from shipline.engine.journal import Run
from shipline.ports.attachments import Image
from shipline.ports.builder import BuildRequest
from shipline.ports.clock import Clock
from shipline.ports.registry import PublishedFile
from shipline.store.database import Store
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction
from shipline.testing.fakes.builder import FakeBuilder
from shipline.testing.fakes.command import Call, Ending, FakeCommands
from shipline.testing.fakes.forge.memory import FakeForge
from shipline.testing.fakes.forge.model import GitRefs
from shipline.testing.fakes.registry import FakeImageRegistry, FakeRegistry
from shipline.testing.fakes.signer import MemorySigner
from shipline.testing.histories import History
from shipline.testing.kills import Countdown, Mortal
from shipline.testing.world import World

PERSON = Actor(ActorKind.PERSON, "tests", "ann")
PACKAGE = Package("quotes", ecosystem="python")
TESTS = TestRun("unit", ("check", "{reports}"), ("junit.xml",), 60)
GATES = (
    Gate("tests pass", "tests.total > 0 && tests.failed == 0 && tests.errors == 0"),
    Gate("proof", "provenance.present && signatures.verified"),
)
JUNIT = '<testsuite name="unit" tests="3" failures="{failed}" errors="0" skipped="0">{cases}</testsuite>'
REPOSITORY_EFFECTS = ("commit_paths", "create_tag", "push", "move_tag", "move_branch")
FORGE_EFFECTS = ("create_release", "update_release", "upload_asset", "create_pull_request", "set_status")
REGISTRY_EFFECTS = ("publish", "yank")
ATTACHMENTS_EFFECTS = ("write_blob", "write_tagged", "write_referrer")


class PairBuilder(FakeBuilder):
    """As the Python builder: a wheel and an sdist, by their names."""

    kinds = ("wheel", "sdist")

    def build(self, request: BuildRequest, *, source: Path, output: Path) -> tuple[Artifact, ...]:
        package, version = request.package, request.version
        (made,) = super().build(request, source=source, output=output)
        built = []
        for name in (f"{package.name}-{version}-py3-none-any.whl", f"{package.name}-{version}.tar.gz"):
            path = output / name
            shutil.copyfile(output / made.name, path)
            built.append(Artifact(name, made.kind, made.digest, made.size))
        (output / made.name).unlink()
        return tuple(built)


class ImageBuilder(FakeBuilder):
    """An image that holds the source."""

    ecosystem = ""
    kinds = ("oci",)

    def build(self, request: BuildRequest, *, source: Path, output: Path) -> tuple[Artifact, ...]:
        (made,) = super().build(request, source=source, output=output)
        path = output / layout_name(request.package.name, request.version)
        file = ArtifactFile(output / made.name, "application/x-tar")
        image = write_artifact(OCIArtifact((file,)), path, epoch_s=request.source_date_epoch_s)
        (output / made.name).unlink()
        return (Artifact(path.name, "oci", image, path.stat().st_size),)


class GitBuilder(PairBuilder):
    """As the Python builder where git alone states the version."""

    asks_git = True

    def build(self, request: BuildRequest, *, source: Path, output: Path) -> tuple[Artifact, ...]:
        asked = ["git", "-C", str(source), "describe", "--exact-match"]
        told = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
        (source / "VERSION").write_text(told.rpartition("v")[2])
        shutil.rmtree(source / ".git")
        return super().build(request, source=source, output=output)


class CarefulRegistry(FakeRegistry):
    """A registry that notices a file that is served with other bytes than before."""

    def __init__(self, clock: Clock, breaches: list[str]) -> None:
        super().__init__(clock)
        self._breaches = breaches
        self._seen: dict[str, str] = {}

    def _take(self, package: str, version: str, file: PublishedFile) -> None:
        super()._take(package, version, file)
        if self._seen.setdefault(file.name, str(file.digest)) != file.digest:
            self._breaches.append(f"{file.name} was published with other bytes")

    def served(self) -> dict[str, list[str]]:
        """The files of each version, whatever is the matter with the registry."""
        return {version: sorted(files) for (_, version), files in self._files.items()}


class CarefulImages(FakeImageRegistry):
    """A registry of images that notices one whose tag names it before it is signed."""

    def __init__(self, clock: Clock, breaches: list[str]) -> None:
        super().__init__(clock)
        self._breaches = breaches

    def _take(self, package: str, version: str, file: PublishedFile) -> None:
        super()._take(package, version, file)
        held = self.hung[package]
        if not {f"{str(file.digest).replace(':', '-')}.sig"} & set(held.tags) or not held.referrers(str(file.digest)):
            self._breaches.append(f"{file.name} was tagged and not signed yet")


@dataclass
class MortalImages:
    """An ImageStore whose attachments are places to die as well."""

    registry: Any
    mortal: Callable[[Any], Any]

    def store(self, package: str, version: str, file: Path) -> Image:
        stored: Image = self.registry.store(package, version, file)
        return stored

    def attachments(self, package: str) -> Any:
        return self.mortal(self.registry.attachments(package))


@dataclass
class ReleaseWorld:
    """What outlives an engine: a repository on disk, two registries, the project's tests. `breaches` stays empty.

    `imaged`: an image is built, too, and goes to a third one.

    `shown`: releases are shown on `forge`. `tag_only`: no file states the version, and HEAD is tagged as it is.
    """

    world: World
    folder: Path
    remote: str = ""
    moving_tags: tuple[str, ...] = ()
    failing: int = 0
    silent: bool = False
    gates: tuple[Gate, ...] = GATES
    shown: bool = False
    packages: tuple[Package, ...] = (PACKAGE,)
    calendar: tuple[CalendarRule, ...] = ()
    tag_only: bool = False
    approvers: tuple[Approver, ...] = ()
    branch: str = "main"
    statuses: bool = False
    page: str = ""
    imaged: bool = False
    scan: ScanOrder = field(default_factory=ScanOrder)
    frameworks: tuple[Framework, ...] = ()
    added_gates: frozenset[tuple[str, str]] = frozenset()
    breaches: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if (self.folder / "repository" / ".git").exists():
            self.history = _as_it_is(self.folder / "repository")
        else:
            self.history = new_repository(self.folder / "repository")
        # Without a remote the forge is where this repository is, as if all were pushed at once.
        self.forge = FakeForge(GitRefs(Path(self.remote) if self.remote else self.history.folder / ".git"))
        self.registry = CarefulRegistry(self.world.clock, self.breaches)
        self.mirror = CarefulRegistry(self.world.clock, self.breaches)
        self.images = CarefulImages(self.world.clock, self.breaches)
        self.commands = FakeCommands(self.world.clock, {"check": self._check})

    def _check(self, call: Call) -> Ending:
        if self.silent:
            return Ending(exit_code=2, output="the runner broke")
        cases = "".join(
            f'<testcase classname="t" name="t{number}">{"<failure/>" if number < self.failing else ""}</testcase>'
            for number in range(3)
        )
        report = Path(call.arguments[0]) / "junit.xml"
        content = JUNIT.format(failed=self.failing, cases=cases)
        return Ending(exit_code=1 if self.failing else 0, files={report: content})

    def ground(self, store: Store, countdown: Countdown | None = None) -> ReleaseGround:
        """The ground of one process; with a countdown each effect is a place to die."""

        def mortal(provider: object, name: str, effects: tuple[str, ...]) -> Any:
            return provider if countdown is None else Mortal(provider, countdown, name=name, effects=effects)

        builder = mortal(GitBuilder() if self.tag_only else PairBuilder(), "builder", ("build",))
        more: tuple[FakeBuilder, ...] = ()
        images: tuple[Outlet, ...] = ()
        if self.imaged:
            self.registry.kinds = self.mirror.kinds = ("wheel", "sdist", "file")
            registry = mortal(self.images, "images", (*REGISTRY_EFFECTS, "store"))
            store_of = MortalImages(registry, lambda hung: mortal(hung, "attachments", ATTACHMENTS_EFFECTS))
            more, images = (ImageBuilder(),), (Outlet("images", registry, ("quotes",), store_of),)
        return ReleaseGround(
            store=store,
            events=EventWriter(self.world.ids, self.world.clock),
            repository=mortal(self.history.repository, "git", REPOSITORY_EFFECTS),
            packages=lambda: self.packages,
            builders=lambda package: () if package.ecosystem == "plain" else (builder, *more),
            outlets=(
                Outlet("index", mortal(self.registry, "index", REGISTRY_EFFECTS)),
                Outlet("mirror", mortal(self.mirror, "mirror", REGISTRY_EFFECTS), ("quotes",)),
                *images,
            ),
            signer=mortal(MemorySigner(), "signer", ("sign",)),
            commands=self.commands,
            folder=self.folder / "releases",
            commit_message="chore(release): {package} {version}",
            remote=self.remote,
            sign_tags=False,
            moving_tags=self.moving_tags,
            tests=(TESTS,),
            gates=self.gates,
            calendar=self.calendar,
            approvers=self.approvers,
            python="python",
            scan=self.scan,
            forge=mortal(self.forge, "forge", FORGE_EFFECTS) if self.shown else None,
            posts_statuses=self.statuses,
            page=self.page,
            frameworks=lambda: self.frameworks,
            added_gates=self.added_gates,
        )

    def engine(self, store: Store | None = None, countdown: Countdown | None = None) -> Engine:
        """A new process."""
        ground = self.ground(store if store is not None else self.world.store, countdown)
        return self.world.engine(catalogue_of(ground), store)

    def candidate(self, package: Package = PACKAGE) -> Candidate:
        """The package with its plan as it is now."""
        (plan,) = make_plan(self.history.repository, (package,)).packages
        if self.tag_only:
            return Candidate(package, plan, (), "CHANGELOG.md", beside=self.history.repository.head(), tag_only=True)
        version_file = VersionFile((PurePosixPath(package.path) / "VERSION").as_posix(), "plain")
        return Candidate(package, plan, (version_file,), "CHANGELOG.md")

    def order(self, package: Package = PACKAGE) -> tuple[Decision, Release | None]:
        """`shipline release`, up to where the engine takes over."""
        ground = self.ground(self.world.store)
        return release_package(ground, self.engine(), self.candidate(package), PERSON, branch=self.branch)

    def settle(self) -> None:
        """One process works until nothing is left to do."""
        self.world.run_until_quiet(self.engine())

    def released(self) -> Release:
        """A release, and where it comes to rest."""
        _, release = self.order()
        assert release is not None
        self.settle()
        return self.now(release)

    def now(self, release: Release) -> Release:
        """The release as the store has it."""
        with self.world.store.begin() as tx:
            found = releases.RELEASES.find(tx, release.id)
        assert found is not None
        return found

    def commit(self, message: str) -> str:
        """Somebody's change, an hour later."""
        self.world.clock.sleep(3600)
        return self.history.commit(message, {"quotes.txt": message})

    def digests(self, version: str) -> set[str | None]:
        """What the registry serves."""
        return {file.digest for file in self.registry.find("quotes", version)}


def new_remote(folder: Path) -> str:
    """An empty repository to push to."""
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(folder)], check=True)
    return str(folder)


def new_repository(folder: Path) -> History:
    """A package that was never released."""
    history = History(folder)
    history.commit("chore: begin", {"VERSION": "0.0.0\n", "quotes.txt": "none"})
    history.commit("feat: say something", {"quotes.txt": "one"})
    return history


def _as_it_is(folder: Path) -> History:
    history = History.__new__(History)
    history.folder = folder
    history._second = 1_790_000_000
    return history


def catalogue_of(ground: ReleaseGround) -> Catalogue:
    """The workflows of the room."""

    def observe(tx: Transaction, run: Run) -> None:
        releases.follow_run(tx, ground.events, run)

    workflows = {workflow.name: workflow for workflow in releases.WORKFLOWS}
    return Catalogue(workflows, releases.actions(ground), {releases.RELEASE_WORKFLOW: observe})


def digest(path: Path) -> str:
    """The sha256 of a file."""
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
