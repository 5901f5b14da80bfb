"""Housekeeping: what keeps a repository in order on its forge, each an automation of its own.

Promises: level-triggered. A look reads what is so on the forge, a pure rule says what is missing, and only that is
done: what was done already is not done again, whoever died in between and however often it is asked for. A dry run
tells the same things and changes nothing.
"""

from shipline.capabilities.automation.housekeeping.comment import Foreseen, PullSeen, foreseen
from shipline.capabilities.automation.housekeeping.keeping import (
    Backporter,
    Closer,
    Commenter,
    Housekeeping,
    Labeller,
    PullKeeper,
    Reviewers,
    StaleSweep,
    Sweeper,
    TitleJudge,
    Updater,
    Welcomer,
    keep,
    keep_all,
    keep_pull,
)
from shipline.capabilities.automation.housekeeping.labels import LabelRules
from shipline.capabilities.automation.housekeeping.queue import QueueRules, Standing, Trial, told
from shipline.capabilities.automation.housekeeping.queueing import MergeQueue
from shipline.capabilities.automation.housekeeping.reviewers import OwnersNeed
from shipline.capabilities.automation.housekeeping.stale import StaleRules
from shipline.capabilities.automation.housekeeping.updates import UpdateRules

__all__ = [
    "Backporter",
    "Closer",
    "Commenter",
    "Foreseen",
    "Housekeeping",
    "LabelRules",
    "Labeller",
    "MergeQueue",
    "OwnersNeed",
    "PullKeeper",
    "PullSeen",
    "QueueRules",
    "Reviewers",
    "StaleRules",
    "StaleSweep",
    "Standing",
    "Sweeper",
    "TitleJudge",
    "Trial",
    "UpdateRules",
    "Updater",
    "Welcomer",
    "foreseen",
    "keep",
    "keep_all",
    "keep_pull",
    "told",
]
