"""Sync: what people write on two forges about one repository is kept alike, both ways.

Promises: an effect happens once, whoever dies and however often it is looked; what a pass writes is no news to the next
one; where both sides have changed a text, one of the two becomes a comment, and nothing that people wrote is lost.
It does not sync accounts: a copy is written by our account, and says who wrote it where.
"""

from shipline.capabilities.automation.sync.contents import Kind, Side
from shipline.capabilities.automation.sync.links import count_links, drop_links
from shipline.capabilities.automation.sync.memory import (
    Remembered,
    note_failing,
    note_pass,
    note_trip,
    recall_passes,
    want_pass,
)
from shipline.capabilities.automation.sync.mirroring import Mirroring
from shipline.capabilities.automation.sync.passing import Effect, Passed, Sync, run_pass
from shipline.capabilities.automation.sync.refs import MirrorRules
from shipline.capabilities.automation.sync.shelves import End
from shipline.capabilities.automation.sync.trip import Trip
from shipline.capabilities.automation.sync.trip import look_after as look_after_trip

__all__ = [
    "Effect",
    "End",
    "Kind",
    "MirrorRules",
    "Mirroring",
    "Passed",
    "Remembered",
    "Side",
    "Sync",
    "Trip",
    "count_links",
    "drop_links",
    "look_after_trip",
    "note_failing",
    "note_pass",
    "note_trip",
    "recall_passes",
    "run_pass",
    "want_pass",
]
