"""Gates as people write them (TOML) and verdicts as tools read them (JSON)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from shipline.capabilities.gates.cel import compile_rule
from shipline.capabilities.gates.sets import SETS, gates_in
from shipline.domain.codec import to_json
from shipline.domain.errors import ConfigurationError
from shipline.domain.gate import Gate
from shipline.domain.strict_toml import read_toml
from shipline.domain.verdict import Answer, Verdict, combined

SCHEMA = "shipline.verdict/1"
POLICY_BYTES_MAX = 1024 * 1024
GATES_MAX = 500
KEYS = ("name", "rule", "stage", "message", "when", "approvals")
_ROLE = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]{0,60}$")


def verdict_document(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """`{"schema", "verdict", "reasons", "gates"}`: the answer of all together, why, and each gate by itself.

    `reasons` are those of the gates that decided: the ones that block, or all where none does.
    """
    deciding = [verdict for verdict in verdicts if verdict.answer is not Answer.PASS] or verdicts
    return {
        "schema": SCHEMA,
        "verdict": combined(tuple(verdicts)).value,
        "reasons": [f"{verdict.gate}: {reason}" for verdict in deciding for reason in verdict.reasons],
        "gates": [to_json(verdict) for verdict in verdicts],
    }


def read_policy(data: bytes) -> tuple[Gate, ...]:
    """The gates of a policy file: TOML with `[[gate]]` tables, `[gates]` with `sets`, and nothing else.

    Raises ConfigurationError for anything that is not right, misspelt facts included, and for a file without gates,
    which would let everything pass.
    """
    if len(data) > POLICY_BYTES_MAX:
        raise ConfigurationError(f"the policy is larger than {POLICY_BYTES_MAX} bytes")
    try:
        document = read_toml(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ConfigurationError("the policy is not TOML", why=str(error)[:200]) from None
    unknown = sorted(set(document) - {"gate", "gates"})
    if unknown:
        raise ConfigurationError(
            f"the policy has the unknown key {unknown[0][:60]!r}", todo="known: [[gate]] tables, and sets in [gates]"
        )
    ready = _ready_made(document.get("gates", {}))
    own = read_gates(document.get("gate", [])) if "gate" in document or not ready else ()
    for gate in own:
        if gate not in ready and any((gate.stage, gate.name) == (one.stage, one.name) for one in ready):
            raise ConfigurationError(f"a gate set has a gate {gate.name!r}, too", todo="give yours a name of its own")
    return (*ready, *(gate for gate in own if gate not in ready))


def _ready_made(table: object) -> tuple[Gate, ...]:
    """The gates of the sets that `[gates]` names."""
    unknown = sorted(set(table) - {"sets"}) if isinstance(table, Mapping) else ["gates"]
    if not isinstance(table, Mapping) or unknown:
        raise ConfigurationError(
            f"[gates] of a policy has the unknown key {unknown[0][:60]!r}", todo='known key: sets = ["quality"]'
        )
    names = table.get("sets", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigurationError("'sets' of [gates] is a list of names", todo="known ones: " + ", ".join(SETS))
    return gates_in(names)


def read_gates(tables: object) -> tuple[Gate, ...]:
    """The gates of a list of `[[gate]]` tables, as they stand in a policy file and in `shipline.toml`."""
    if not isinstance(tables, list) or not 1 <= len(tables) <= GATES_MAX:
        raise ConfigurationError(f"a policy has 1 to {GATES_MAX} [[gate]] tables", todo="write at least one [[gate]]")
    gates = tuple(_gate(table) for table in tables)
    names = [gate.name for gate in gates]
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise ConfigurationError(f"two gates are named {doubled!r}", todo="give each a name of its own")
    return gates


def _gate(table: object) -> Gate:
    if not isinstance(table, Mapping):
        raise ConfigurationError("a [[gate]] is a table", todo="known keys: " + ", ".join(KEYS))
    unknown = sorted(set(table) - set(KEYS))
    if unknown:
        raise ConfigurationError(
            f"a [[gate]] has the unknown key {unknown[0][:60]!r}", todo="known keys: " + ", ".join(KEYS)
        )
    name = _text(table, "name")
    if not name or not _text(table, "rule"):
        raise ConfigurationError(f"the gate {name[:60]!r} needs a name and a rule")
    gate = Gate(
        name=name,
        rule=_text(table, "rule"),
        stage=_text(table, "stage", "release"),
        message=_text(table, "message"),
        when=_text(table, "when"),
        approvals=_approvals(table.get("approvals", {})),
    )
    for text in (gate.rule, gate.when):
        if text:
            compile_rule(text)
    return gate


def _text(table: Mapping[str, Any], key: str, default: str = "") -> str:
    value = table.get(key, default)
    if not isinstance(value, str):
        raise ConfigurationError(f"{key!r} of a [[gate]] is a text, not {str(value)[:40]!r}")
    return value


def _approvals(value: object) -> dict[str, int]:
    if not isinstance(value, Mapping):
        raise ConfigurationError("'approvals' of a [[gate]] is a table of role = count", todo="{ security = 1 }")
    for role, count in value.items():
        if not _ROLE.match(role) or isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 100:
            raise ConfigurationError(f"'approvals' of a [[gate]] wants 1 to 100 of a role, not {role[:60]} = {count!r}")
    return dict(value)
