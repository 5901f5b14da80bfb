"""One finding of the doctor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shipline.configuration.policy import Policy
from shipline.domain.errors import ShiplineError


class State(StrEnum):
    """What a check found: a warning is to be known, what is wrong will stop a command."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `words` say what was found, `todo` what to do about it, "" where nothing is to be done."""

    name: str
    state: State
    words: str
    todo: str = ""


def wrong(name: str, error: ShiplineError) -> Check:
    """The finding that an error is."""
    words = f"{error.what} ({error.why})" if error.why else error.what
    return Check(name, State.WRONG, words, error.todo)


def not_asked(name: str, policy: Policy) -> Check:
    """A place that only the commit which lies here names: no credentials go there, for a pull request may name any."""
    words = f"not asked: {policy.source} does not say the same of it, and credentials would go where a commit says"
    return Check(name, State.WARNING, words, "it is asked once the protected branch says the same")
