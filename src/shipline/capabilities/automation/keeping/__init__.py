"""Keeping: the repository's settings on the forge, as `[repository]` says them.

Promises: what is said and what is there are compared, and only the difference is carried out; so it may be carried out
again at any time. Nothing is removed but of kinds that are named to be pruned, and never what is not said of a thing
that stays. No value of a secret is in what is compared, shown or told. What the token may not see or do is said by
name, and holds up nothing else.
"""

from shipline.capabilities.automation.keeping.documents import plan_document
from shipline.capabilities.automation.keeping.keepers import AS_SAID, CHECKS, FEATURES, MERGING, YES, Keeper, keepers_of
from shipline.capabilities.automation.keeping.rules import Action, Difference, Kind, Plan, Thing, Unread, with_secrets
from shipline.capabilities.automation.keeping.usecases import Kept, carry_out, look, tell_drift

__all__ = [
    "AS_SAID",
    "CHECKS",
    "FEATURES",
    "MERGING",
    "YES",
    "Action",
    "Difference",
    "Keeper",
    "Kept",
    "Kind",
    "Plan",
    "Thing",
    "Unread",
    "carry_out",
    "keepers_of",
    "look",
    "plan_document",
    "tell_drift",
    "with_secrets",
]
