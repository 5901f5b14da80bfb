"""Whether a comment is heard, and whether who wrote it may: pure, and closed where anything is not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shipline.capabilities.automation.words import USAGE, Misspoken, Spoken, Verb, read_command
from shipline.ports.forge.answers import Known
from shipline.ports.forge.speakers import Remark, Role, Speaker

OLD_US = 3_600_000_000
"""What was written longer ago is not done any more: nobody expects it, and an old comment may be told of anew."""
EARLY_US = 300_000_000
"""By how much the forge's clock may be before ours."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a comment stands: `exists` is False below what is gone or is not what it was taken for, `fork` True below a
    pull request from another repository. `answered`: Shipline has written its answer already. `account` is Shipline's
    own there, "" where the forge does not say; `tells_own` is True where what it writes can be told from the rest. What
    it writes may be the words of others: comments that are kept alike with another forge.
    """

    exists: bool
    fork: bool
    answered: bool
    account: str
    tells_own: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """A command to be looked at closely: who may is not asked yet."""

    asked: Spoken | Misspoken
    least: Role


@dataclass(frozen=True, slots=True)
class Unheard:
    """Nothing is done and nothing is written, and `why`, for the page and the log alone."""

    why: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """It is not done: why, and what to do. `quiet`: a sign alone says so, since anybody could have written it."""

    why: str
    todo: str = ""
    quiet: bool = False


def hear(remark: Remark, place: Place, allowed: Mapping[Verb, Role], now_us: int) -> Heard | Unheard:
    """Whether a comment is a command that somebody may give here. `allowed` are the verbs that are switched on."""
    comment = remark.comment
    asked = read_command(comment.body)
    if asked is None or asked.verb not in allowed:
        return Unheard("it asks for nothing")
    reasons = {
        "what it stands below is gone": not place.exists,
        "the comment was edited: write a new one": remark.edited,
        "the pull request comes from another repository": place.fork,
        "no account that can be asked about wrote it": comment.author == "",
        "Shipline's own account wrote it": comment.author == place.account,
        "it cannot be told whether Shipline's own account wrote it": not place.tells_own,
        "the comment is too old: write a new one": not -EARLY_US <= now_us - comment.created_us <= OLD_US,
        "the comment was answered already": place.answered,
    }
    why = next((words for words, holds in reasons.items() if holds), "")
    return Unheard(why) if why else Heard(asked, allowed[asked.verb])


def judge(heard: Heard, author: str, speaker: Speaker) -> Refusal | None:
    """Why it is not done for this author; None where they may. A robot is refused whatever it may."""
    asked = heard.asked
    if speaker.robot is not Known.NO:
        return Refusal("a robot wrote it, or the forge does not say that a person did", quiet=True)
    if speaker.role is Role.UNKNOWN:
        return Refusal(
            f"the forge does not tell what {author} may do here",
            "let `shipline doctor` say what Shipline's token lacks, then write it again in a new comment",
        )
    if not speaker.role.reaches(heard.least):
        quiet = not speaker.role.reaches(Role.WRITE)
        why = f"/{asked.verb} takes the role {heard.least} here, and {author} has {speaker.role}"
        return Refusal(why, f"ask somebody who has the role {heard.least}", quiet)
    if isinstance(asked, Misspoken):
        return Refusal(asked.why, f"write it in a new comment as `{USAGE[asked.verb]}`")
    return None
