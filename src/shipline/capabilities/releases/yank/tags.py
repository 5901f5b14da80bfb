"""The git tags that followed a yanked release, such as `v1` and `latest`: back to the release before."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.moving_tags import names_of
from shipline.capabilities.releases.yank.before import Before, parsed_version
from shipline.domain.release import Release
from shipline.domain.verdict import Answer
from shipline.ports.registry import Finding, YankAnswer

TAGS = "git tags"


@dataclass(frozen=True, slots=True)
class TagsPlace:
    """The tags of the repository: those on the remote where there is one."""

    ground: ReleaseGround
    name: str = TAGS

    def take_back(self, release: Release) -> YankAnswer | None:
        """Move those that stand on the release, and only from there: who moved one meanwhile knew why."""
        before = Before(self.ground, release)
        done, not_done = [], []
        for name, commit in self._standing(release, before).items():
            target = before.standing_for(name)
            if target is not None and commit in (release.commit, target[1]):
                self.ground.repository.move_tag(name, target[1], remote=self.ground.remote, expected=commit)
                done.append(f"{name} stands on {target[0]}")
            elif commit == release.commit:
                not_done.append(f"{name} still stands on {release.version}: no good version before it is known")
        if self.ground.moving_tags and before.package is None:
            not_done.append(f"{release.package} is not in the repository any more: its moving tags are not known")
        return YankAnswer(tuple(done), (), (*not_done, f"the tag {release.tag} stays: others may have it"))

    def look(self, release: Release) -> Finding:
        """Which still stand on it."""
        standing = self._standing(release, Before(self.ground, release))
        names = [name for name, commit in standing.items() if commit == release.commit]
        if not names:
            return Finding(Answer.PASS, "no moving tag stands on it")
        listed = ", ".join(names)
        return Finding(
            Answer.FAIL, f"{listed} still stands on {release.version}", "move or delete it, as its followers need"
        )

    def _standing(self, release: Release, before: Before) -> dict[str, str]:
        """The moving tags of this version that there are, and where they stand."""
        version = None if before.package is None else parsed_version(before.package, release.version)
        if before.package is None or version is None:
            return {}
        names = names_of(self.ground.moving_tags, before.package, version)
        return self.ground.repository.tags_on(self.ground.remote, names) if names else {}
