"""What a gate is: where it comes from, what it asks, what supplies that, and what it said last. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.gates.cel import ask, compile_rule
from shipline.capabilities.gates.facts import Value, fact_at
from shipline.capabilities.gates.remedies import remedy, supplied
from shipline.capabilities.gates.rules import facts_read, rules_of
from shipline.domain.codec import to_json
from shipline.domain.gate import Gate
from shipline.domain.verdict import Answer, Verdict

SCHEMA = "shipline.gates/1"


@dataclass(frozen=True, slots=True)
class FactRead:
    """A fact that a gate reads. `value` is what the last verdict saw, None where it was missing or none was given."""

    fact: str
    type: str
    meaning: str
    supply: str
    value: Value | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A gate, told. `origin` says in words where it is from; `last` is its last verdict on a release, None for none,
    and `passes` what would make it another one."""

    gate: Gate
    origin: str
    facts: tuple[FactRead, ...]
    last: Verdict | None
    passes: tuple[str, ...]


def explained(gate: Gate, *, origin: str, last: Verdict | None, version: str | None) -> Explanation:
    """Explain a gate; `last` is what it said about the release of `version`, None where there is none."""
    values: dict[str, Value] = {} if version is None else {"release.version": version}
    values |= {path: value for path, value in (last.facts if last is not None else {}).items() if value is not None}
    facts = []
    for path in sorted(facts_read((gate,))):
        fact, known = fact_at(path), None if last is None else last.facts.get(path)
        facts.append(FactRead(path, fact.type.value, fact.doc, supplied(path, values, gate.stage), known))
    blocks = last is not None and last.answer is not Answer.PASS
    return Explanation(gate, origin, tuple(facts), last, _openings(gate, values) if blocks else ())


def _openings(gate: Gate, values: dict[str, Value]) -> tuple[str, ...]:
    """What would make each part hold that does not; where it is not known whether the gate applies, first of that."""
    texts = (gate.when,) if gate.when and ask(gate.when, values)[0] is Answer.UNKNOWN else rules_of(gate)
    parts = [part for text in texts for part in compile_rule(text).parts]
    return tuple(
        f"{part}: {remedy(part, values, gate.stage)}" for part in parts if ask(part, values)[0] is not Answer.PASS
    )


def explanations_document(
    explanations: Sequence[Explanation], *, policy: str, release: tuple[str, str] | None
) -> dict[str, Any]:
    """`shipline.gates/1`. `policy` says in words where the policy is from, `release` is a package and its version."""
    return {
        "schema": SCHEMA,
        "policy": policy,
        "release": None if release is None else {"package": release[0], "version": release[1]},
        "gates": [
            to_json(one.gate)
            | {
                "origin": one.origin,
                "facts": to_json(one.facts),
                "last": None
                if one.last is None
                else {
                    "answer": one.last.answer.value,
                    "reasons": list(one.last.reasons),
                    "decided_us": one.last.decided_us,
                    "passes": list(one.passes),
                },
            }
            for one in explanations
        ],
    }
