"""Assistants: one is asked about a pull request, and what it advises stands below it as one comment.

Promises: nobody is asked who was not configured, about a commit once; bytes, tokens and questions have limits; secrets
of known shapes and files that are left out are never sent. It is advice: it makes no status, opens no gate and gives no
command, whatever a change or an answer says.
"""

from shipline.capabilities.automation.assistance.asking import AssistantGround, AssistantTaker, not_now, sent_about
from shipline.capabilities.automation.assistance.duo import DUO_FILE, duo_instructions
from shipline.capabilities.automation.assistance.questions import (
    FINDINGS_MAX,
    AssistantRules,
    Change,
    FileDiff,
    Noticed,
    is_left_out,
)

__all__ = [
    "DUO_FILE",
    "FINDINGS_MAX",
    "AssistantGround",
    "AssistantRules",
    "AssistantTaker",
    "Change",
    "FileDiff",
    "Noticed",
    "duo_instructions",
    "is_left_out",
    "not_now",
    "sent_about",
]
