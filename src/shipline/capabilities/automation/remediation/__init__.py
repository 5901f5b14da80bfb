"""Remediation: what is found leads to issues by itself, and to pull requests that mend it, until it is gone.

Promises: what is so is read from the record, from advisories and from the forge; each effect has a natural key, so that
a look may be repeated, cut off anywhere, and made by two at once. Only whoever found something says that it is gone;
what a person has closed stays closed. Texts of scanners do nothing in what is written.
"""

from shipline.capabilities.automation.remediation.carrying import Note, Trouble, carry
from shipline.capabilities.automation.remediation.effects import Hands, Told
from shipline.capabilities.automation.remediation.flaws import Flaw, FlawKind, Rule, Step, Thing
from shipline.capabilities.automation.remediation.looking import Found, find_flaws, issues_of, known_since, note_known
from shipline.capabilities.automation.remediation.proposing import bumps_of, ground_of, pulls_of
from shipline.capabilities.automation.remediation.pulls import Proposed, decide_pulls, remedies
from shipline.capabilities.automation.remediation.rules import HOUR_US, Due, Seen, decide_issues, things_of
from shipline.capabilities.automation.remediation.telling import tell_escalated

__all__ = [
    "HOUR_US",
    "Due",
    "Flaw",
    "FlawKind",
    "Found",
    "Hands",
    "Note",
    "Proposed",
    "Rule",
    "Seen",
    "Step",
    "Thing",
    "Told",
    "Trouble",
    "bumps_of",
    "carry",
    "decide_issues",
    "decide_pulls",
    "find_flaws",
    "ground_of",
    "issues_of",
    "known_since",
    "note_known",
    "pulls_of",
    "remedies",
    "tell_escalated",
    "things_of",
]
