"""What every part of the forge in memory stands on: its model, and what goes wrong."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.domain.errors import RefusedError, UnavailableError
from shipline.ports.forge import Budget, GitAccess
from shipline.testing.fakes.forge.model import ForgeModel, MemoryRefs, Refs
from shipline.testing.fakes.forge.quota import Quota


@dataclass
class ForgeFaults:
    """What goes wrong, until it is set back. `down`: nothing is answered. `loses_answer`: the next change is made, and
    reported as failed."""

    down: bool = False
    loses_answer: bool = False


class MemoryAccess:
    """A model, and the way to it."""

    api_version = 2

    def __init__(self, refs: Refs | None = None) -> None:
        self.faults = ForgeFaults()
        self.quota: Quota | None = None
        self.model = ForgeModel(refs if refs is not None else MemoryRefs())

    def account(self) -> str:
        """The model's."""
        self._reach()
        return self.model.account

    def git_access(self) -> GitAccess:
        """There is no git in memory: an address that leads nowhere."""
        return GitAccess(f"http://localhost/{self.model.repository}.git", "Authorization: Basic c2VjcmV0")

    def unkept(self) -> frozenset[str]:
        """Nothing is missing in memory."""
        return frozenset()

    def budget(self) -> Budget:
        """There is no limit in memory."""
        return Budget()

    def _reach(self) -> None:
        if self.faults.down:
            raise UnavailableError("the fake forge cannot be reached")

    def _write(self) -> None:
        self._reach()
        if not self.model.may_write:
            raise RefusedError("the fake forge does not allow this")

    def _make(self) -> None:
        """Something is to be made, of which a forge takes so many in a time."""
        self._write()
        wait_s = 0 if self.quota is None else self.quota.take("POST")
        if wait_s:
            raise UnavailableError(f"the fake forge takes no more for {wait_s} s")

    def _answer(self) -> None:
        if self.faults.loses_answer:
            self.faults.loses_answer = False
            raise UnavailableError("the fake forge's answer was lost")
