"""Which group a commit of the branch states, where its file says one of them runs; and what people have set by hand."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.clients.gitops.file import wanted_texts
from shipline.clients.gitops.groups import Staged, StagedGroups
from shipline.clients.gitops.history import History
from shipline.clients.gitops.repository import GitOpsRepository
from shipline.clients.gitops.settings import GitOpsSettings
from shipline.domain.errors import ConflictError, ShiplineError
from shipline.ports.target import GroupSpec, Role

BY_HAND = "by-hand"
SHOWN, TEXT_MAX = 12, 90


@dataclass(frozen=True, slots=True)
class ByHand:
    """What people have set: an id as of a group, what the file says, and the version that it is as a group.

    `staged` is None where nothing of these texts was ever brought there: nobody knows then what it is.
    """

    id: str
    text: str
    staged: Staged | None


@dataclass(frozen=True, slots=True)
class Stating:
    """The branch as one environment reads it."""

    settings: GitOpsSettings
    repository: GitOpsRepository
    environment: str

    @property
    def place(self) -> str:
        """What its commits call it."""
        return self.settings.place(self.environment)

    def history(self, tip: str) -> History:
        """What its commits say."""
        return self.repository.history(tip, self.place)

    def says(self, commit: str, version: str, digest: str) -> bool:
        """True if the file says in a commit that this version runs. ShiplineError where it cannot be read."""
        there = self.repository.texts(commit)
        return there == wanted_texts(self.settings, there, version, digest)

    def group(self, groups: StagedGroups, tip: str) -> str:
        """The id of the group that the file states at `tip`, "" where it is none of them.

        Of groups of one version it is the one that was applied last, here or by the branch's own word.
        """
        each = sorted(groups.groups.items())
        fits = [name for name, group in each if self.says(tip, group.spec.version, group.digest)]
        newest = self.history(tip).newest
        preferred = (groups.applied, "" if newest is None else newest.group)
        return next((name for name in preferred if name in fits), fits[0] if fits else "")

    def by_hand(self, groups: StagedGroups, tip: str) -> ByHand | None:
        """What the file states that no group is; None where a group is stated, or nothing was ever brought there."""
        history = self.history(tip)
        if (history.newest is None and not groups.accepted) or self.group(groups, tip):
            return None
        name = f"{BY_HAND}-{self.repository.last_change(tip)[:SHOWN]}"
        text = ", ".join(self.repository.texts(tip).values())[:TEXT_MAX]
        for one in history.brought:
            if self.says(tip, one.version, one.digest):
                spec = GroupSpec(name, Role.STABLE, one.package, one.version, groups.size, (one.digest,))
                return ByHand(name, text, Staged(spec, one.digest, 0))
        return ByHand(name, text, None)

    def check_not_changed(self, groups: StagedGroups, tip: str, version: str, digest: str) -> None:
        """ConflictError where people have set something else since Shipline did, unless that is set back.

        Where nothing was brought yet, whatever stands there is taken over.
        """
        history, there = self.history(tip), tuple(self.repository.texts(tip).values())
        newest = history.newest
        known = {groups.accepted} if groups.accepted else set()
        if newest is not None:
            known.add(self._texts_or_nothing(newest.commit))
        wanted = tuple(wanted_texts(self.settings, self.repository.texts(tip), version, digest).values())
        # A squash may have dropped what Shipline's own commit had said: then what was accepted here counts.
        if not known - {()} or {there, wanted} & known or there == wanted:
            return
        change = self.repository.last_change(tip)
        raise ConflictError(
            f"{self.settings.file} says {', '.join(there)[:TEXT_MAX]}, which Shipline did not write",
            why=f"commit {change[:SHOWN]} by {self.repository.author(change)} changed it",
            todo=f"say which is right: shipline env adopt {self.environment} --reason TEXT, or"
            f" shipline env restore {self.environment} --reason TEXT; then deploy",
        )

    def _texts_or_nothing(self, commit: str) -> tuple[str, ...]:
        """What Shipline wrote then; nothing where the settings name another file since."""
        try:
            return tuple(self.repository.texts(commit).values())
        except ShiplineError:
            return ()
