"""Watching: whether the forge's hook to this server works, and what puts it right.

Promises: what is wrong is told in words, once, and when it is over. Nothing is changed on the forge that is not said to
be allowed; what is changed can be changed again. A delivery is asked for again only where the forge says that it never
arrived and it is not kept here, and a few times at most: what it would have told is found by reconciliation too.
"""

from shipline.capabilities.automation.watching.rules import Ail, Finding, Mending, Seen, Wanted, judge, needed_events
from shipline.capabilities.automation.watching.usecases import (
    HookHealth,
    Watched,
    hook_health,
    look_at_hook,
    mend_hook,
    tell_health,
)

__all__ = [
    "Ail",
    "Finding",
    "HookHealth",
    "Mending",
    "Seen",
    "Wanted",
    "Watched",
    "hook_health",
    "judge",
    "look_at_hook",
    "mend_hook",
    "needed_events",
    "tell_health",
]
