"""The shorter way of a hotfix: which gates are asked all the same, and what is on record of the others. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shipline.domain.gate import Gate
from shipline.domain.verdict import Verdict

EXPEDITED = "expedited"
"""The name under which it is kept that, why and by whom the way was shortened."""


@dataclass(frozen=True, slots=True)
class Expedite:
    """What is left out, why, and who asked for that (`subject@issuer`). `approvals` are asked for in its place."""

    reason: str
    by: str
    skip_gates: tuple[str, ...] = ()
    approvals: dict[str, int] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """For the record."""
        left = f"not asked: {', '.join(self.skip_gates)}" if self.skip_gates else "every gate is asked"
        return f"expedited, because {self.reason} ({self.by}); {left}"


def gates_of(gates: Sequence[Gate], stage: str, expedite: Expedite | None) -> tuple[Gate, ...]:
    """The gates of a stage that are asked. One more asks whether it is a hotfix at all, and for its approvals."""
    mine = tuple(gate for gate in gates if gate.stage == stage)
    if expedite is None:
        return mine
    own = Gate(EXPEDITED, "release.hotfix", stage, "only a hotfix is expedited", approvals=expedite.approvals)
    return (own, *(gate for gate in mine if gate.name not in expedite.skip_gates))


def said_of(expedite: Expedite | None, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts, without those that are left out, and with the reason in the one that says so."""
    if expedite is None:
        return tuple(verdicts)
    kept = (verdict for verdict in verdicts if verdict.gate not in expedite.skip_gates)
    return tuple(replace(one, reasons=(expedite.words, *one.reasons)) if one.gate == EXPEDITED else one for one in kept)
