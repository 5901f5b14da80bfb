"""Gates and facts in, verdicts out. Pure; the same input gives the same verdicts.

A verdict's reasons say which parts of the rule decided, with the values that they saw, what would make them pass, and
what the gate wants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shipline.capabilities.gates.cel import Rule, ask, compile_rule
from shipline.capabilities.gates.facts import APPROVALS, Value, fact_at, flattened
from shipline.capabilities.gates.remedies import remedy
from shipline.domain.gate import Gate
from shipline.domain.verdict import Answer, Verdict


def evaluate(
    gates: Sequence[Gate],
    facts: Mapping[str, object],
    now_us: int,
    *,
    lacking: Mapping[str, str] | None = None,
    told: Mapping[str, str] | None = None,
) -> tuple[Verdict, ...]:
    """One verdict a gate, in their order. `facts` is the tree (`{"tests": {"failed": 0}, …}`).

    `lacking` says of facts that are missing why, where more is known than that nobody supplied them; `told` says of
    others what stands behind their values.
    Raises ConfigurationError for a rule that cannot be asked and InvalidValue for facts that are not such a tree;
    a fact that is missing is no error: its gate answers UNKNOWN.
    """
    values = flattened(facts)
    return tuple(_verdict(gate, _Seen(values, lacking or {}, told or {}, gate.stage), now_us) for gate in gates)


@dataclass(frozen=True, slots=True)
class _Seen:
    """The facts by path, why others are missing, what stands behind some, and at which stage they are asked for."""

    values: Mapping[str, Value]
    lacking: Mapping[str, str]
    told: Mapping[str, str]
    stage: str


def _verdict(gate: Gate, seen: _Seen, now_us: int) -> Verdict:
    values = seen.values
    applies = ask(gate.when, values)[0] if gate.when else Answer.PASS
    if applies is Answer.FAIL:
        words = f"the gate applies only when {gate.when}: {_shown_facts(compile_rule(gate.when), values)}"
        return Verdict(gate.name, Answer.PASS, (words,), now_us, _decided_by(gate.when, values))
    if applies is Answer.UNKNOWN:
        unknown = _reasons(gate.when, seen, wanted="whether the gate applies is not known")
        return Verdict(gate.name, Answer.UNKNOWN, unknown, now_us, _decided_by(gate.when, values))
    answers, reasons, facts = _ask_all(gate, seen)
    if answers != {Answer.PASS} and gate.message:
        reasons = (*reasons, f"the gate wants: {gate.message}")
    answer = next(answer for answer in (Answer.FAIL, Answer.UNKNOWN, Answer.PASS) if answer in answers)
    return Verdict(gate.name, answer, reasons, now_us, facts)


def rules_of(gate: Gate) -> tuple[str, ...]:
    """The rules that must hold where a gate applies: its own, and one for each role whose approval it wants."""
    return (gate.rule, *(f'{APPROVALS}["{role}"] >= {count}' for role, count in gate.approvals.items()))


def facts_read(gates: Sequence[Gate]) -> frozenset[str]:
    """The paths of all facts that gates ask for."""
    texts = (text for gate in gates for text in (*rules_of(gate), gate.when) if text)
    return frozenset(path for text in texts for path in compile_rule(text).facts)


def _ask_all(
    gate: Gate, seen: _Seen
) -> tuple[set[Answer], tuple[str, ...], dict[str, str | int | float | bool | None]]:
    wanted = rules_of(gate)
    answers = {ask(text, seen.values)[0] for text in wanted}
    reasons = tuple(reason for text in wanted for reason in _reasons(text, seen))
    facts = {path: value for text in wanted for path, value in _decided_by(text, seen.values).items()}
    return answers, reasons, facts


def _decided_by(text: str, values: Mapping[str, Value]) -> dict[str, str | int | float | bool | None]:
    return {path: values.get(path) for path in compile_rule(text).facts}


def _reasons(text: str, seen: _Seen, wanted: str = "") -> tuple[str, ...]:
    """For a rule that holds one sentence; otherwise one for each part of it that does not hold.

    `wanted` ends such a sentence where it is not the gate's own rule that must hold.
    """
    rule = compile_rule(text)
    answer, trouble = ask(text, seen.values)
    if answer is Answer.PASS:
        return (f"{text} holds: {_shown_facts(rule, seen.values)}",)
    sentences = [_part_reason(part, seen, wanted) for part in rule.parts]
    return tuple(sentence for sentence in sentences if sentence) or (f"{text} has no answer: {trouble}; {MEND}",)


MEND = "it passes once the rule has an answer, so mend the rule"


def _part_reason(part: str, seen: _Seen, wanted: str) -> str:
    """Why a part keeps the gate shut, and what would open it; "" where it holds."""
    rule = compile_rule(part)
    answer, trouble = ask(part, seen.values)
    if answer is Answer.PASS:
        return ""
    end = f"; {wanted or remedy(part, seen.values, seen.stage)}"
    if answer is Answer.FAIL:
        behind = "".join(f": {words}" for path in rule.facts if (words := seen.told.get(path)))
        return f"{part} does not hold: {_shown_facts(rule, seen.values)}{behind}{end}"
    missing = [path for path in rule.facts if path not in seen.values]
    if missing:
        end = f"; {wanted}; {remedy(part, seen.values, seen.stage)}" if wanted else end
        return f"{part} has no answer: {'; '.join(_missing(path, seen) for path in missing)}{end}"
    return f"{part} has no answer: {trouble}; {MEND}"


def _missing(path: str, seen: _Seen) -> str:
    return f"{path} is missing, {seen.lacking.get(path) or fact_at(path).source}"


def _shown_facts(rule: Rule, values: Mapping[str, Value]) -> str:
    """The values of a rule's facts, as CEL writes them."""
    shown = [f"{path} is {_shown(values[path]) if path in values else 'missing'}" for path in rule.facts]
    return ", ".join(shown) or "it reads no fact"


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value[:80]!r}" if isinstance(value, str) else str(value)
