"""The Mirror port in memory, over the refs of two fake forges; `parents` is the history that both share."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from shipline.domain.errors import RefusedError, UnavailableError
from shipline.ports.mirror import API_VERSION, REFS_MAX, Move, Pushed
from shipline.testing.fakes.forge.model import ForgeModel, MemoryRefs


@dataclass
class FakeMirror:
    """`models` are the forges by side, their refs in memory. `down` sides are out of reach."""

    models: Mapping[str, ForgeModel]
    parents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    here: set[str] = field(default_factory=set)
    down: set[str] = field(default_factory=set)
    api_version = API_VERSION

    def _refs(self, side: str) -> dict[str, str]:
        if side in self.down:
            raise UnavailableError(f"{side} cannot be reached")
        refs = self.models[side].refs
        assert isinstance(refs, MemoryRefs), "a mirror in memory is between forges in memory"
        return refs.refs

    def refs(self, side: str) -> dict[str, str]:
        """As the model has them."""
        found = dict(self._refs(side))
        if len(found) > REFS_MAX:
            raise RefusedError(f"{side} has more than {REFS_MAX} branches and tags")
        return found

    def fetch(self, side: str, wanted: Mapping[str, str]) -> frozenset[str]:
        """What still stands where it was seen."""
        now = self._refs(side)
        self.here |= {oid for ref, oid in wanted.items() if now.get(ref) == oid}
        return frozenset(wanted.values()) & self.here

    def contains(self, ancestor: str, descendant: str) -> bool:
        """By the parents."""
        waiting, looked = [descendant], set[str]()
        while waiting:
            commit = waiting.pop()
            if commit == ancestor:
                return True
            if commit not in looked:
                looked.add(commit)
                waiting += self.parents.get(commit, ())
        return False

    def push(self, side: str, moves: Collection[Move]) -> tuple[Pushed, ...]:
        """One by one."""
        return tuple(self._pushed(side, move) for move in moves)

    def _pushed(self, side: str, move: Move) -> Pushed:
        model, now = self.models[side], self._refs(side)
        if now.get(move.ref) != move.expected:
            return Pushed(move.ref, moved=True)
        if not model.may_write:
            raise RefusedError(f"{side} does not allow this")
        if move.ref.removeprefix("refs/heads/") in model.protected:
            return Pushed(move.ref, refused=f"{move.ref} is protected: changes come by pull request")
        if move.commit is None:
            model.delete_ref(move.ref)
        elif move.expected is None:
            model.create_ref(move.ref, move.commit)
        else:
            model.move_ref(move.ref, move.commit)
        return Pushed(move.ref)

    def commit(self, side: str, ref: str) -> str:
        """Somebody commits above what a ref stands on, or the default branch; like none before."""
        model, refs = self.models[side], self._refs(side)
        parent = refs.get(ref) or refs[f"refs/heads/{model.default_branch}"]
        made = hashlib.sha1(f"{side} {ref} {parent} {len(self.parents)}".encode()).hexdigest()  # noqa: S324 - an id
        self.parents[made] = (parent,)
        if ref in refs:
            model.move_ref(ref, made)
        else:
            model.create_ref(ref, made)
        return made

    def forget(self, but: Collection[str]) -> None:
        """The rest goes."""
        self.here &= set(but)
