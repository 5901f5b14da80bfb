"""How far changes move a version where a project has its own rules for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shipline.domain.change import Bump, Change


@dataclass(frozen=True, slots=True)
class BumpRules:
    """`rules` are type, scope and bump; the first that fits holds, "" fits every type or scope. Breaking stays major.

    `types` are those that the project has set up: they begin a change in the body of a commit, as the common ones do.
    While the major version is 0, a breaking change makes the step `breaking_before_1`, a feature `features_before_1`.
    """

    rules: tuple[tuple[str, str, Bump], ...] = ()
    breaking_before_1: Bump = Bump.MINOR
    features_before_1: Bump = Bump.MINOR
    types: tuple[str, ...] = ()

    def applied(self, changes: Mapping[str, tuple[Change, ...]]) -> Mapping[str, tuple[Change, ...]]:
        """The changes by commit, with what the rules say of each."""
        if not self.rules:
            return changes
        return {commit: tuple(map(self._ruled, each)) for commit, each in changes.items()}

    def effective(self, bump: Bump, major: int) -> Bump:
        """The step that is made from a version with this first number.

        SemVer item 4 lets anything change in 0.y.z. That a breaking change moves the minor version there is what Cargo,
        npm's caret ranges and most release tools do; the step to 1.0.0 is a decision of people.
        """
        if major:
            return bump
        return {Bump.MAJOR: self.breaking_before_1, Bump.MINOR: self.features_before_1}.get(bump, bump)

    def _ruled(self, change: Change) -> Change:
        if change.breaking or not change.type:
            return change
        for kind, scope, bump in self.rules:
            if kind in ("", change.type) and scope in ("", change.scope):
                return replace(change, ruled=bump)
        return change


USUAL = BumpRules()
