"""Which version was good before a yanked one.

The store knows of what was released from here. Of all else the git tags and the registries tell: that is all that a
runner with an empty store has.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from shipline.capabilities.plans import Version, scheme_named
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.marks import is_marked
from shipline.capabilities.releases.moving_tags import names_of, version_of
from shipline.capabilities.releases.outlets import Outlet, channel_of
from shipline.capabilities.releases.queries import matching_releases
from shipline.domain.package import Package
from shipline.domain.release import Release, ReleaseStatus

ASKED_MAX = 20
"""How many versions a registry is asked about before it counts as having none that is good."""


def versions_below(version: str, others: Iterable[str], schemes: Iterable[str]) -> tuple[str, ...]:
    """Those of `others` that are lower, the highest first, by the first scheme that reads all; empty where none does.

    Not the newest: a maintenance release may have come after it.
    """
    texts = sorted(set(others))
    for scheme in map(scheme_named, schemes):
        mine, read = scheme.parse(version), [scheme.parse(text) for text in texts]
        known = [one for one in read if one is not None]
        if mine is not None and len(known) == len(read):
            lower = [one for one in known if one.key < mine.key]
            return tuple(one.text for one in sorted(lower, key=lambda one: one.key, reverse=True))
    return ()


class Before:
    """The versions of a package before one of its releases."""

    def __init__(self, ground: ReleaseGround, release: Release) -> None:
        self._ground = ground
        self._release = release

    @cached_property
    def package(self) -> Package | None:
        """The package as the repository has it now; None where it is gone from there."""
        return next((one for one in self._ground.packages() if one.name == self._release.package), None)

    @cached_property
    def _recorded(self) -> dict[str, Release]:
        with self._ground.store.begin() as tx:
            found = matching_releases(tx, package=self._release.package)
        return {one.version: one for one in found}

    @cached_property
    def _tagged(self) -> dict[str, str]:
        """The versions that have a tag, each with its commit."""
        if self.package is None:
            return {}
        named = ((version_of(self.package, tag.name), tag) for tag in self._ground.repository.tags())
        return {version.text: tag.commit for version, tag in named if version is not None}

    @cached_property
    def lower(self) -> tuple[str, ...]:
        """All versions below, the highest first, good or not."""
        schemes = ("semver", "pep440") if self.package is None else (self.package.scheme,)
        return versions_below(self._release.version, {*self._recorded, *self._tagged}, schemes)

    def in_registry(self, outlet: Outlet) -> str | None:
        """The version that the registry's channel should name again: the highest below in the same channel that is
        published there and was not taken back. None where there is none."""
        asked = 0
        for version in self.lower:
            known = self._recorded.get(version)
            if self._channel(version) != self._release.channel:
                continue
            if known is not None:
                if _is_good(known) and any(one.registry == outlet.name for one in known.publications):
                    return version
                continue
            if self._is_marked(version):
                continue
            asked += 1
            if asked > ASKED_MAX:
                return None
            served = outlet.registry.find(self._release.package, version)
            if served and not all(file.yanked for file in served):
                return version
        return None

    def standing_for(self, name: str) -> tuple[str, str] | None:
        """The version, with its commit, that a moving tag of this name should stand on again; None for none."""
        if self.package is None:
            return None
        for version in self.lower:
            parsed = parsed_version(self.package, version)
            commit = self._tagged.get(version)
            stands = parsed is not None and name in names_of(self._ground.moving_tags, self.package, parsed)
            if stands and commit is not None and self._is_public(version):
                return version, commit
        return None

    def previous(self) -> str | None:
        """The commit of the release that came before this one in its own history; None for the first.

        A final version's changes are those since the last final one.
        """
        if self.package is None or self._release.commit is None:
            return None
        reached = {tag.name: tag.commit for tag in self._ground.repository.merged_tags(self._release.commit)}
        if self._release.previous_version is not None:
            commit = reached.get(self.package.tag(self._release.previous_version))
            if commit is not None:
                return commit
        for version in self.lower:
            parsed = parsed_version(self.package, version)
            comes_before = parsed is not None and (parsed.is_stable or self._release.is_prerelease)
            if comes_before and self.package.tag(version) in reached:
                return reached[self.package.tag(version)]
        return None

    def _is_public(self, version: str) -> bool:
        """True if nothing says that it was taken back, or never came out."""
        known = self._recorded.get(version)
        if known is not None:
            return _is_good(known)
        if self._is_marked(version):
            return False
        outlets = [one for one in self._ground.outlets if not one.packages or self._release.package in one.packages]
        served = [outlet.registry.find(self._release.package, version) for outlet in outlets]
        taken_back = any(files and all(file.yanked for file in files) for files in served)
        return not taken_back and (not outlets or any(served))

    def _is_marked(self, version: str) -> bool:
        return self.package is not None and is_marked(self._ground, self.package.tag(version))

    def _channel(self, version: str) -> str:
        known = self._recorded.get(version)
        if known is not None or self.package is None:
            return known.channel if known is not None else ""
        return channel_of(self.package, version, self._release.channel)


def parsed_version(package: Package, version: str) -> Version | None:
    """The version in the package's scheme."""
    return scheme_named(package.scheme).parse(version)


def _is_good(release: Release) -> bool:
    return release.status is ReleaseStatus.PUBLISHED
