"""Which gates settings ask for: ready-made sets by name, `[[gate]]` tables, and what holds where neither is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipline.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from shipline.configuration.settings import Settings
    from shipline.domain.gate import Gate


def gates_of(settings: Settings) -> tuple[tuple[Gate, str], ...]:
    """The gates that settings ask for, each with where in them it is from, in words.

    Where tests are configured, and no set and no gate of the stage `release` is, the set quality holds.
    Raises ConfigurationError for a gate that has the name of another one in a set.
    """
    from shipline.capabilities.gates import gates_in  # noqa: PLC0415 - brings the CEL library

    named = settings.gates.sets
    implied = bool(settings.test) and not named and all(gate.stage != "release" for gate in settings.gate)
    found = [(gate, f"the set {name}") for name in named for gate in gates_in((name,))]
    found += [
        (gate, "the set quality, which holds where no gate is named") for gate in gates_in(("quality",) * implied)
    ]
    found += [(gate, "a [[gate]]") for gate in settings.gate]
    return tuple(_apart(found))


def _apart(found: list[tuple[Gate, str]]) -> list[tuple[Gate, str]]:
    """Each gate once. Two of one name that differ could not be told apart in verdicts."""
    known: dict[tuple[str, str], tuple[Gate, str]] = {}
    for gate, origin in found:
        before = known.setdefault((gate.stage, gate.name), (gate, origin))
        if before[0] != gate:
            raise ConfigurationError(
                f"the gate {gate.name!r} is in {before[1]}, and another of this name is {origin}",
                todo="give it a name of its own: both are asked",
            )
    return list(known.values())
