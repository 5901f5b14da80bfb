"""Verdicts as statuses of commits on the forge, one a gate, so that the forge can require them.

Said already is said: posting twice changes nothing. That one could not be posted changes no verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.telling import append
from shipline.domain.errors import ShiplineError
from shipline.domain.release import Release
from shipline.domain.verdict import Answer, Verdict
from shipline.engine.workflow import Save, nothing
from shipline.ports.forge import CommitStatus, StatusState
from shipline.store.transaction import Transaction

# What a provider cuts shorter where its forge takes less. From: GitLab, 255 characters of each; GitHub, 140 of these.
CONTEXT_LENGTH_MAX = 255
DESCRIPTION_LENGTH_MAX = 255


@dataclass(frozen=True, slots=True)
class Posting:
    """Where statuses go: the commit that they are about, and the stage whose gates have answered."""

    commit: str | None
    stage: str
    insists: bool = False
    """True where a forge that does not answer now is waited for: nothing is public yet."""


def status_of(verdict: Verdict, stage: str, url: str = "") -> CommitStatus:
    """`shipline/<stage>/<gate>`: what a verdict says, with its first reason. UNKNOWN is a failure: it blocks.

    `url` is where more is told, "" for nowhere.
    """
    context = _line(f"shipline/{stage}/{verdict.gate}", CONTEXT_LENGTH_MAX)
    passes = verdict.answer is Answer.PASS
    words = f"{'' if passes else f'{verdict.answer.value}: '}{verdict.reasons[0] if verdict.reasons else ''}"
    state = StatusState.SUCCESS if passes else StatusState.FAILURE
    return CommitStatus(context, state, _line(words, DESCRIPTION_LENGTH_MAX), url)


def post_verdicts(ground: ReleaseGround, release: Release, verdicts: Sequence[Verdict], posting: Posting) -> Save:
    """Post each verdict, where a forge is configured and the settings say so; what comes back notes that in the log.

    A forge that cannot be reached raises UnavailableError where the posting insists. Whatever else keeps a status from
    being posted is noted: on the forge it is missing then, and what requires it stays shut.
    """
    if ground.forge is None or not ground.posts_statuses or posting.commit is None or not verdicts:
        return nothing
    url = f"{ground.page.rstrip('/')}/releases/{release.id}" if ground.page else ""
    posted, trouble = [], ""
    for verdict in verdicts:
        status = status_of(verdict, posting.stage, url)
        try:
            ground.forge.set_status(posting.commit, status)
        except ShiplineError as error:
            if error.retryable and posting.insists:
                raise
            trouble = error.sentence()
            break
        posted.append(status.context)
    body = {"stage": posting.stage, "commit": posting.commit, "posted": posted, "trouble": trouble}

    def save(tx: Transaction) -> None:
        append(tx, ground.events, release, "VerdictsPosted", body)

    return save


def _line(text: str, length_max: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length_max else f"{line[: length_max - 1]}…"
