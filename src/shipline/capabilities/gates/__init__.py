"""Gates: evidence and policy in, verdicts with reasons out.

A gate is a rule in CEL over a declared table of facts. A misspelt fact is an error when the policy is loaded; a fact
that is missing makes UNKNOWN, which blocks. The calendar closes and opens stages by time. Pure: no database, no clock,
no network.
"""

from shipline.capabilities.gates.approvals import (
    NAMESPACE,
    Matter,
    Signed,
    counted,
    objection,
    read_statement,
    statement,
)
from shipline.capabilities.gates.calendar import (
    check_rule,
    judge,
    opens_us,
    periods,
    periods_of,
    shown,
    standing,
)
from shipline.capabilities.gates.checklists import (
    check_checklist,
    checklists_at,
    judge_checklists,
    open_items,
    standing_tick,
)
from shipline.capabilities.gates.documents import POLICY_BYTES_MAX, read_gates, read_policy, verdict_document
from shipline.capabilities.gates.facts import KNOWN, Fact
from shipline.capabilities.gates.feed import CALENDAR_PERIODS_MAX, calendar_document, calendar_feed
from shipline.capabilities.gates.rules import QUALITY, evaluate

__all__ = [
    "CALENDAR_PERIODS_MAX",
    "KNOWN",
    "NAMESPACE",
    "POLICY_BYTES_MAX",
    "QUALITY",
    "Fact",
    "Matter",
    "Signed",
    "calendar_document",
    "calendar_feed",
    "check_checklist",
    "check_rule",
    "checklists_at",
    "counted",
    "evaluate",
    "judge",
    "judge_checklists",
    "objection",
    "open_items",
    "opens_us",
    "periods",
    "periods_of",
    "read_gates",
    "read_policy",
    "read_statement",
    "shown",
    "standing",
    "standing_tick",
    "statement",
    "verdict_document",
]
