"""Gates and facts in, verdicts out. Pure; the same input gives the same verdicts.

A verdict's reasons say which parts of the rule decided, with the values that they saw, and what the gate wants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shipline.capabilities.gates.cel import Rule, ask, compile_rule
from shipline.capabilities.gates.facts import APPROVALS, KNOWN, Value, flattened
from shipline.domain.gate import Gate
from shipline.domain.verdict import Answer, Verdict

QUALITY: tuple[Gate, ...] = (
    Gate(
        "tests",
        "tests.passed > 0 && tests.failed == 0 && tests.errors == 0",
        message="every test that runs passes, and some do",
    ),
    Gate(
        "sbom",
        "sbom.present",
        when="artifacts.distributions > 0",
        message="what the release consists of is listed",
    ),
    Gate(
        "provenance",
        "provenance.present",
        when="artifacts.total > 0",
        message="where the release was built from is stated",
    ),
    Gate(
        "signatures",
        "signatures.verified",
        when="artifacts.total > 0",
        message="every statement is signed by a trusted key",
    ),
)
"""The ready-made set for a project that states no gates of its own. It wants what a release of the kind can have."""


def evaluate(gates: Sequence[Gate], facts: Mapping[str, object], now_us: int) -> tuple[Verdict, ...]:
    """One verdict a gate, in their order. `facts` is the tree (`{"tests": {"failed": 0}, …}`).

    Raises ConfigurationError for a rule that cannot be asked and InvalidValue for facts that are not such a tree;
    a fact that is missing is no error: its gate answers UNKNOWN.
    """
    values = flattened(facts)
    return tuple(_verdict(gate, values, now_us) for gate in gates)


def _verdict(gate: Gate, values: Mapping[str, Value], now_us: int) -> Verdict:
    applies = ask(gate.when, values)[0] if gate.when else Answer.PASS
    if applies is Answer.FAIL:
        words = f"the gate applies only when {gate.when}: {_seen(compile_rule(gate.when), values)}"
        return Verdict(gate.name, Answer.PASS, (words,), now_us, _decided_by(gate.when, values))
    if applies is Answer.UNKNOWN:
        unknown = _reasons(gate.when, values, wanted="whether the gate applies is not known")
        return Verdict(gate.name, Answer.UNKNOWN, unknown, now_us, _decided_by(gate.when, values))
    answers, reasons, facts = _ask_all(gate, values)
    if answers != {Answer.PASS} and gate.message:
        reasons = (*reasons, f"the gate wants: {gate.message}")
    answer = next(answer for answer in (Answer.FAIL, Answer.UNKNOWN, Answer.PASS) if answer in answers)
    return Verdict(gate.name, answer, reasons, now_us, facts)


def _ask_all(
    gate: Gate, values: Mapping[str, Value]
) -> tuple[set[Answer], tuple[str, ...], dict[str, str | int | float | bool | None]]:
    """Ask the gate's rule and one more for each role whose approval it wants."""
    wanted = (gate.rule, *(f'{APPROVALS}["{role}"] >= {count}' for role, count in gate.approvals.items()))
    answers = {ask(text, values)[0] for text in wanted}
    reasons = tuple(reason for text in wanted for reason in _reasons(text, values))
    facts = {path: value for text in wanted for path, value in _decided_by(text, values).items()}
    return answers, reasons, facts


def _decided_by(text: str, values: Mapping[str, Value]) -> dict[str, str | int | float | bool | None]:
    return {path: values.get(path) for path in compile_rule(text).facts}


def _reasons(text: str, values: Mapping[str, Value], wanted: str = "") -> tuple[str, ...]:
    """For a rule that holds one sentence; otherwise one for each part of it that does not hold.

    `wanted` ends such a sentence where it is not the gate's own rule that must hold.
    """
    rule = compile_rule(text)
    answer, trouble = ask(text, values)
    if answer is Answer.PASS:
        return (f"{text} holds: {_seen(rule, values)}",)
    sentences = [_part_reason(part, values, wanted) for part in rule.parts]
    return tuple(sentence for sentence in sentences if sentence) or (f"{text} has no answer: {trouble}",)


def _part_reason(part: str, values: Mapping[str, Value], wanted: str) -> str:
    """Why a part keeps the gate shut; "" where it holds."""
    rule = compile_rule(part)
    answer, trouble = ask(part, values)
    end = f"; {wanted}" if wanted else ""
    if answer is Answer.PASS:
        return ""
    if answer is Answer.FAIL:
        return f"{part} does not hold: {_seen(rule, values)}{end}"
    missing = [path for path in rule.facts if path not in values]
    if missing:
        return f"{part} has no answer: {'; '.join(_missing(path) for path in missing)}{end}"
    return f"{part} has no answer: {trouble}{end}"


def _missing(path: str) -> str:
    if path in KNOWN:
        return f"{path} is missing, {KNOWN[path].source}"
    return f"{path} is missing, nobody of this role has approved"


def _seen(rule: Rule, values: Mapping[str, Value]) -> str:
    """The values of a rule's facts, as CEL writes them."""
    shown = [f"{path} is {_shown(values[path]) if path in values else 'missing'}" for path in rule.facts]
    return ", ".join(shown) or "it reads no fact"


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value[:80]!r}" if isinstance(value, str) else str(value)
