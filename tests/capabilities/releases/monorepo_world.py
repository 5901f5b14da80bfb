"""Three npm packages of one repository: `core`, which `web` requires, and `side`, which stands alone."""

from __future__ import annotations

import json
from pathlib import Path

from shipline.capabilities.plans import SNAPSHOT, Monorepo, detect_packages, make_plan
from shipline.capabilities.releases import Candidate, ReleaseGround, release_package, unfinished_first
from shipline.capabilities.releases.rules import Start
from shipline.domain.errors import UnavailableError
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.version_file import VersionFile
from shipline.engine.engine import Engine
from shipline.ports.clock import Clock
from shipline.ports.registry import STABLE, PublishedFile
from shipline.store.database import Store
from shipline.testing.histories import History
from shipline.testing.kills import Countdown
from tests.capabilities.releases.release_world import PERSON, CarefulRegistry, ReleaseWorld, catalogue_of

NAMES = ("core", "side", "web")
MONOREPO = Monorepo()


def manifest(name: str, version: str = "1.0.0", **requires: str) -> str:
    """A package.json."""
    return json.dumps({"name": name, "version": version, "dependencies": requires}, indent=2) + "\n"


def new_monorepo(folder: Path) -> History:
    """All of them released at 1.0.0; then `core` breaks and `side` is mended."""
    history = History(folder)
    top = json.dumps({"name": "top", "private": True, "workspaces": ["packages/*"]})
    files = {
        "package.json": top,
        "packages/core/package.json": manifest("core"),
        "packages/web/package.json": manifest("web", core="^1.0.0"),
        "packages/side/package.json": manifest("side"),
    }
    history.commit("chore: begin", files | {f"packages/{name}/VERSION": "1.0.0\n" for name in NAMES})
    for name in NAMES:
        history.tag(f"{name}@1.0.0")
    history.commit("feat(core)!: say it otherwise", {"packages/core/index.js": "1"})
    history.commit("fix(side): a word", {"packages/side/index.js": "1"})
    return history


class PartlyDown(CarefulRegistry):
    """A registry that answers for all packages, and takes nothing of some."""

    def __init__(self, clock: Clock, breaches: list[str]) -> None:
        super().__init__(clock, breaches)
        self.down_for: set[str] = set()

    def publish(
        self, package: str, version: str, files: tuple[Path, ...], *, channel: str = STABLE
    ) -> tuple[PublishedFile, ...]:
        if package in self.down_for:
            raise UnavailableError(f"there is no room for {package}")
        return super().publish(package, version, files, channel=channel)


class MonorepoWorld(ReleaseWorld):
    """The same world, with what the command line does for several packages. `waiting` says who waited last, and why."""

    waiting: dict[str, str]
    registry: PartlyDown

    def __post_init__(self) -> None:
        super().__post_init__()
        self.registry = PartlyDown(self.world.clock, self.breaches)

    def candidates(self, *names: str, channel: str = "stable") -> tuple[Candidate, ...]:
        """All packages, or those named, with their plans as they are now."""
        repository = self.history.repository
        packages = {package.name: package for package in detect_packages(repository) if package.name in NAMES}
        plan = make_plan(repository, channel=channel, monorepo=MONOREPO)
        beside = plan.commit if channel == SNAPSHOT else None
        found = tuple(
            Candidate(
                packages[each.name],
                each,
                (
                    VersionFile(f"packages/{each.name}/package.json", "npm-package"),
                    VersionFile(f"packages/{each.name}/VERSION", "plain"),
                ),
                "CHANGELOG.md",
                beside=beside,
            )
            for each in plan.packages
            if each.name in packages
        )
        return tuple(
            Candidate(one.package, one.plan, one.version_files, one.changelog, one.beside, peers=lambda: found)
            for one in found
            if not names or one.package.name in names
        )

    def command(
        self,
        *names: str,
        channel: str = "stable",
        store: Store | None = None,
        countdown: Countdown | None = None,
    ) -> list[Release]:
        """`shipline release`: what it has begun or gone on with, as it is then."""
        used = store if store is not None else self.world.store
        ground = self.ground(used, countdown)
        engine = self.world.engine(catalogue_of(ground), used)
        first, rest = unfinished_first(ground, self.candidates(*names, channel=channel))
        released = self._in_turn(ground, engine, first)
        stopped = {one.package for one in released if one.status is not ReleaseStatus.PUBLISHED}
        anew = self.candidates(*names, channel=channel) if first and rest else rest
        return released + self._in_turn(ground, engine, tuple(one for one in anew if one.package.name not in stopped))

    def _in_turn(self, ground: ReleaseGround, engine: Engine, listed: tuple[Candidate, ...]) -> list[Release]:
        released = []
        self.waiting = {}
        for place, one in enumerate(listed):
            decision, release = release_package(ground, engine, one, PERSON, branch="main", fellows=listed[place + 1 :])
            if release is None:
                assert decision.start in (Start.NOTHING, Start.WAIT)
                if decision.waits:
                    self.waiting[one.package.name] = decision.reason
                continue
            self.world.run_until_quiet(engine)
            released.append(self.now(release))
        return released

    def in_turn(self, listed: tuple[Candidate, ...]) -> list[Release]:
        """The release of just these, one after the other."""
        ground = self.ground(self.world.store)
        return self._in_turn(ground, self.world.engine(catalogue_of(ground)), listed)

    def tags_at(self, commit: str = "HEAD") -> list[str]:
        """The tags on a commit."""
        return self.history.git("tag", "--points-at", commit).splitlines()

    def stated(self, name: str, commit: str = "HEAD") -> dict[str, object]:
        """A package's manifest."""
        content: dict[str, object] = json.loads(self.history.git("show", f"{commit}:packages/{name}/package.json"))
        return content
