"""Automation: what a forge tells, and what is done about it by itself.

Promises: a delivery that was acknowledged is on the disk, and is taken up however often the process dies; the same one
again changes nothing. An event is a hint and not the truth: it leads to a command, that is a name of what is to be
looked at, and a look does what is missing then. So an event that comes late, twice, out of order or never (`reconcile`
finds what it would have told) leads to the same end. Effects are those of the hands that bootstrap gives.
"""

from shipline.capabilities.automation.deliveries import (
    Delivery,
    DeliveryStatus,
    NewDelivery,
    count_deliveries,
    find_delivery,
    forget_deliveries,
    keep_deliveries,
    latest_deliveries,
    open_pulls_of,
    replay_delivery,
)
from shipline.capabilities.automation.documents import deliveries_document, delivery_document
from shipline.capabilities.automation.events import ForgeEvent
from shipline.capabilities.automation.housekeeping import (
    Housekeeping,
    Labeller,
    LabelRules,
    PullKeeper,
    StaleRules,
    StaleSweep,
    Sweeper,
    TitleJudge,
    Updater,
    UpdateRules,
    keep_all,
    keep_pull,
)
from shipline.capabilities.automation.keeping import (
    AS_SAID,
    CHECKS,
    FEATURES,
    MERGING,
    YES,
    Difference,
    Keeper,
    Kept,
    Kind,
    Plan,
    Thing,
    carry_out,
    keepers_of,
    look,
    plan_document,
    tell_drift,
    with_secrets,
)
from shipline.capabilities.automation.milestones import Done as MilestonesDone
from shipline.capabilities.automation.milestones import Due as MilestonesDue
from shipline.capabilities.automation.milestones import Flow as MilestoneFlow
from shipline.capabilities.automation.milestones import (
    MilestoneGround,
    decide_milestones,
    look_at_milestones,
    tell_ignored,
)
from shipline.capabilities.automation.milestones import Seen as MilestonesSeen
from shipline.capabilities.automation.milestones import carry_out as carry_out_milestones
from shipline.capabilities.automation.reading import FORGES, Unknown, event_name, forge_of_headers, read_event
from shipline.capabilities.automation.reconciling import Looked
from shipline.capabilities.automation.rules import ALL, HOUSEKEEPING, MILESTONES, RELEASE, SYNC, Command, Duties, decide
from shipline.capabilities.automation.signatures import is_signed
from shipline.capabilities.automation.steps import Carried, Hand, LookStep, follow_command
from shipline.capabilities.automation.sync import (
    End,
    Passed,
    Side,
    Sync,
    count_links,
    note_pass,
    recall_passes,
    run_pass,
    want_pass,
)
from shipline.capabilities.automation.usecases import handle_deliveries, order_look, reconcile, subject_of
from shipline.capabilities.automation.workflow import AUTOMATION_WORKFLOW, LOOK, automation_workflow

__all__ = [
    "ALL",
    "AS_SAID",
    "AUTOMATION_WORKFLOW",
    "CHECKS",
    "FEATURES",
    "FORGES",
    "HOUSEKEEPING",
    "LOOK",
    "MERGING",
    "MILESTONES",
    "RELEASE",
    "SYNC",
    "YES",
    "Carried",
    "Command",
    "Delivery",
    "DeliveryStatus",
    "Difference",
    "Duties",
    "End",
    "ForgeEvent",
    "Hand",
    "Housekeeping",
    "Keeper",
    "Kept",
    "Kind",
    "LabelRules",
    "Labeller",
    "LookStep",
    "Looked",
    "MilestoneFlow",
    "MilestoneGround",
    "MilestonesDone",
    "MilestonesDue",
    "MilestonesSeen",
    "NewDelivery",
    "Passed",
    "Plan",
    "PullKeeper",
    "Side",
    "StaleRules",
    "StaleSweep",
    "Sweeper",
    "Sync",
    "Thing",
    "TitleJudge",
    "Unknown",
    "UpdateRules",
    "Updater",
    "automation_workflow",
    "carry_out",
    "carry_out_milestones",
    "count_deliveries",
    "count_links",
    "decide",
    "decide_milestones",
    "deliveries_document",
    "delivery_document",
    "event_name",
    "find_delivery",
    "follow_command",
    "forge_of_headers",
    "forget_deliveries",
    "handle_deliveries",
    "is_signed",
    "keep_all",
    "keep_deliveries",
    "keep_pull",
    "keepers_of",
    "latest_deliveries",
    "look",
    "look_at_milestones",
    "note_pass",
    "open_pulls_of",
    "order_look",
    "plan_document",
    "read_event",
    "recall_passes",
    "reconcile",
    "replay_delivery",
    "run_pass",
    "subject_of",
    "tell_drift",
    "tell_ignored",
    "want_pass",
    "with_secrets",
]
