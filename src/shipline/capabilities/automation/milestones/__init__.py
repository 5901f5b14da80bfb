"""The milestone flow: from a milestone whose title is a version to its release.

Promises: what is so is read from forge and git alone, and each effect has a natural key, so that a look may be repeated
at any time, and by several processes at once. A green commit gets one tag, a red one none, and numbers have no gaps.
"""

from shipline.capabilities.automation.milestones.carrying import Done, carry_out
from shipline.capabilities.automation.milestones.effects import Effect
from shipline.capabilities.automation.milestones.looking import MilestoneGround, look_at_milestones
from shipline.capabilities.automation.milestones.rules import Due, Flow, decide_milestones
from shipline.capabilities.automation.milestones.states import Seen
from shipline.capabilities.automation.milestones.telling import tell_ignored

__all__ = [
    "Done",
    "Due",
    "Effect",
    "Flow",
    "MilestoneGround",
    "Seen",
    "carry_out",
    "decide_milestones",
    "look_at_milestones",
    "tell_ignored",
]
