"""A package that may be released: with its plan, and with what its release writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from shipline.capabilities.plans import MANIFESTS
from shipline.capabilities.releases.batch import Part
from shipline.capabilities.releases.footing import KEY_TRAILER, Share, inside, keyed_shares
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.outlets import channel_of
from shipline.capabilities.releases.rules import with_entries_of
from shipline.capabilities.version_files import lock_paths
from shipline.domain.package import Package
from shipline.domain.release_plan import PackagePlan, RequirementEdit
from shipline.domain.version_file import VersionFile
from shipline.ports.repository import Repository


@dataclass(frozen=True, slots=True)
class Candidate:
    """A package with its plan and with the files that a release of it edits; the changelog relative to the package.

    `beside` is the commit to release from, where the release's commit is to stand beside the branch; `promotes` is the
    version of the release candidate that is made final. `peers` gives all packages of the project, since one release
    commit may be that of several; it is called only where one is met. With `tag_only`, `beside` is tagged as it is, and
    no file may be edited.
    """

    package: Package
    plan: PackagePlan
    version_files: tuple[VersionFile, ...]
    changelog: str
    beside: str | None = None
    promotes: str | None = None
    peers: Callable[[], tuple[Candidate, ...]] = tuple
    tag_only: bool = False

    def share(self, version: str) -> Share:
        """What a release of the package may write, whatever its plan was."""
        return Share(
            package=self.package.name,
            version=version,
            version_files=self.version_files,
            changelog=inside(self.package, self.changelog),
            manifests=tuple(inside(self.package, name) for name in MANIFESTS),
            any_manifest=True,
        )

    def shares_in(self, message: str) -> tuple[Share, ...]:
        """The shares of a release commit by the keys in its message, the own one among them or not."""
        lines = message.splitlines()
        own = f"{KEY_TRAILER}: release:{self.package.name}:"
        has_others = any(line.startswith(f"{KEY_TRAILER}: release:") and not line.startswith(own) for line in lines)
        everyone = (*self.peers(), self) if has_others else (self,)
        return keyed_shares(message, [one.share("") for one in everyone])

    def part(self, ground: ReleaseGround, time_us: int, *, replaces: str = "") -> Part:
        """What the planned release puts into the commit. `replaces` is as in Part; its entries are kept.

        UsageError for a template that does not make a section.
        """
        section = ground.show().released(self.plan, time_us)
        return Part(
            package=self.package,
            version=str(self.plan.next),
            section=with_entries_of(section, replaces) if replaces else section,
            version_files=self.version_files,
            # The notes of a pre-release are part of the final version's section.
            changelog=self.changelog if is_final(self.channel(str(self.plan.next))) and not self.tag_only else "",
            requirements=self.plan.requirements,
            changesets=self.plan.changesets,
            replaces=replaces,
            locks=tuple(locks_of(self.plan.requirements, ground.repository)),
        )

    def channel(self, version: str) -> str:
        """The channel that a version of the package is released on."""
        return channel_of(self.package, version, self.plan.channel)


def locks_of(requirements: Sequence[RequirementEdit], repository: Repository) -> Iterator[str]:
    """The lock files of the repository that may repeat what a release writes into manifests."""
    paths = (path for edit in requirements if edit.after != edit.before for path in lock_paths(edit.path))
    root = repository.root()
    yield from (path for path in dict.fromkeys(paths) if (root / path).is_file() and repository.is_tracked(path))


def is_final(channel: str) -> bool:
    """True for a channel of final versions: `stable`, and the line of a maintenance branch."""
    return channel == "stable" or channel.endswith(".x")
