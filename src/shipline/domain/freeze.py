"""Freeze: a time in which somebody wants nothing to come to a stage, said while Shipline runs."""

from __future__ import annotations

from dataclasses import dataclass, replace

ALL = "all"
"""The stage of a freeze of releases and of every environment that there is then."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """`stage` is `release`, `pull-request`, an environment's name, or ALL.

    It is in force from `begins_us` until `ends_us`, UTC microseconds at full minutes, or until it was lifted:
    `lifted_us`, None where it was not, and `lifted_by`. `key` is the same where the same request came again, "" for
    none.
    """

    id: str
    stage: str
    reason: str
    declared_by: str
    begins_us: int
    ends_us: int
    key: str = ""
    lifted_us: int | None = None
    lifted_by: str = ""

    def is_in_force(self, now_us: int) -> bool:
        """Whether it closes its stage at this time."""
        return self.lifted_us is None and now_us < self.ends_us

    def lifted(self, now_us: int, by: str) -> Freeze:
        """It, ended by somebody."""
        return replace(self, lifted_us=now_us, lifted_by=by)
