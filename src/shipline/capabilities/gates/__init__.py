"""Gates: evidence and policy in, verdicts with reasons out.

A gate is a rule in CEL over a declared table of facts. A misspelt fact is an error when the policy is loaded; a fact
that is missing makes UNKNOWN, which blocks. Pure: no database, no clock, no network.
"""

from shipline.capabilities.gates.documents import POLICY_BYTES_MAX, read_gates, read_policy, verdict_document
from shipline.capabilities.gates.facts import KNOWN, Fact
from shipline.capabilities.gates.rules import QUALITY, answer_of, evaluate

__all__ = [
    "KNOWN",
    "POLICY_BYTES_MAX",
    "QUALITY",
    "Fact",
    "answer_of",
    "evaluate",
    "read_gates",
    "read_policy",
    "verdict_document",
]
