"""Freezes that people declare while Shipline runs, beside those that the policy's calendar has.

Promises: a declared freeze only closes. It is one more rule of the calendar wherever that is asked, and lifting it
takes nothing away from the policy. It ends by itself, within the longest time that the policy allows. The same request
again changes nothing. Effects: rows and events, no other. Who may declare one is decided at the edge.
"""

from shipline.capabilities.freezes.documents import freezes_document
from shipline.capabilities.freezes.queries import freezes_in_force
from shipline.capabilities.freezes.rules import FreezeOrder, FreezeRules, calendar_rule_of, ends_at, told
from shipline.capabilities.freezes.usecases import declare_freeze, foreseen_lift, lift_freezes

__all__ = [
    "FreezeOrder",
    "FreezeRules",
    "calendar_rule_of",
    "declare_freeze",
    "ends_at",
    "foreseen_lift",
    "freezes_document",
    "freezes_in_force",
    "lift_freezes",
    "told",
]
