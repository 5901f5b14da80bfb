"""Commands in comments: what is asked for below an issue or a pull request, by whom, and its answer.

Promises: what is not exactly a command of a person who may give it does nothing; a comment is carried out at most once.
"""

from shipline.capabilities.automation.commands.asking import (
    AskedTaker,
    Asking,
    asked_before,
    order_asked,
    plan_digest,
)
from shipline.capabilities.automation.commands.rules import Heard, Refusal, Unheard, hear, judge
from shipline.capabilities.automation.commands.taking import (
    CommandGround,
    CommandTaker,
    Doer,
    Foretold,
    Progress,
    Wish,
)
from shipline.capabilities.automation.words import USAGE, Misspoken, Spoken, Verb, read_command

__all__ = [
    "USAGE",
    "AskedTaker",
    "Asking",
    "CommandGround",
    "CommandTaker",
    "Doer",
    "Foretold",
    "Heard",
    "Misspoken",
    "Progress",
    "Refusal",
    "Spoken",
    "Unheard",
    "Verb",
    "Wish",
    "asked_before",
    "hear",
    "judge",
    "order_asked",
    "plan_digest",
    "read_command",
]
