"""The mark in git of a yanked release: what machines without a store know it by."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.marks import mark_of
from shipline.domain.release import Release
from shipline.domain.verdict import Answer
from shipline.ports.registry import Finding, YankAnswer

MARK = "git mark"


@dataclass(frozen=True, slots=True)
class MarkPlace:
    """The repository: on the remote where there is one."""

    ground: ReleaseGround
    name: str = MARK

    def take_back(self, release: Release) -> YankAnswer | None:
        """Set the mark; None for a release that was never tagged. One that is there already stays where it is."""
        if release.commit is None:
            return None
        mark, where = mark_of(release.tag), self._where()
        if not self._is_there(mark):
            self.ground.repository.move_tag(mark, release.commit, remote=self.ground.remote)
        return YankAnswer((f"the tag {mark} {where} says that it was taken back",))

    def look(self, release: Release) -> Finding:
        """Whether it is there."""
        mark, where = mark_of(release.tag), self._where()
        if self._is_there(mark):
            return Finding(Answer.PASS, f"the tag {mark} is {where}")
        todo = f"set it, or a machine without a store may publish {release.version}: git tag {mark} {release.tag}"
        push = ", then push it" if self.ground.remote else ""
        return Finding(Answer.FAIL, f"the tag {mark} is not {where}", todo + push)

    def _is_there(self, mark: str) -> bool:
        return mark in self.ground.repository.tags_on(self.ground.remote, (mark,))

    def _where(self) -> str:
        return "on the remote" if self.ground.remote else "here"
