"""Asking an assistant about a pull request, once for each newest commit, and writing what it advises.

Promises: what was asked about a commit is noted before it is sent, so whatever dies meanwhile, an answer that came is
never asked for again, and one that was lost is asked for ATTEMPTS_MAX times at most; every question counts for its day.
The only effect on the forge is one comment with its suggestions, or the request for a review. What an assistant says
makes no status, and no gate knows of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.automation.assistance.answers import read_advice
from shipline.capabilities.automation.assistance.questions import EXPLAIN, AssistantRules, Change, Sent, question_of
from shipline.capabilities.automation.assistance.texts import MARKER, comment_text, suggestions_of
from shipline.capabilities.automation.deliveries import see, seen_of
from shipline.capabilities.automation.housekeeping.queue import theirs
from shipline.capabilities.automation.rules import Command
from shipline.capabilities.automation.steps import Carried
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import ConflictError, RefusedError, ShiplineError
from shipline.ports.assistant import Assistant
from shipline.ports.clock import Clock
from shipline.ports.forge import Forge, PullRequest, PullState, StatusState
from shipline.ports.forge.answers import Thread
from shipline.ports.forge.reviews import Suggestion
from shipline.store.database import Store

ATTEMPTS_MAX = 5
DAY_US = 86_400_000_000
DONE = "done"
DAY = "assistant:day"


@dataclass(frozen=True, slots=True)
class AssistantGround:
    """What questions stand on. `look` shows what a pull request changes, and what was found anew in it."""

    forge: Forge
    store: Store
    clock: Clock
    assistant: Assistant
    rules: AssistantRules
    look: Callable[[PullRequest, AssistantRules], Change]


class AssistantTaker:
    """A hand of automation about one pull request; `ground` gives what is so at each look."""

    def __init__(self, ground: Callable[[], AssistantGround]) -> None:
        self._ground = ground

    def __call__(self, command: Command, memory: dict[str, Any]) -> Carried:
        """One look: asks, or writes what an earlier look was told. Trouble that passes is raised and waited out."""
        ground = self._ground()
        pull = ground.forge.find_pull_request(int(command.about))
        if pull is not None and pull.state is PullState.OPEN and memory.get("commit") == pull.head_commit:
            return _write(ground, pull, memory)
        why = not_now(ground, pull)
        if why or pull is None:
            return Carried(why)
        if ground.assistant.reviewer:
            return _request(ground, pull)
        return _ask(ground, pull)


def not_now(ground: AssistantGround, pull: PullRequest | None) -> str:
    """Why nothing is asked about a pull request, "" where something is.

    Nothing of a fork is sent: a stranger would spend what asking costs. A finding can be explained once it was found.
    """
    if pull is None or pull.state is not PullState.OPEN or not pull.head_commit:
        return "the pull request is not open"
    if pull.fork:
        return "the pull request comes from another repository"
    if pull.draft:
        return "the pull request is a draft"
    with ground.store.begin() as tx:
        noted = seen_of(tx, (_name(pull),)).get(_name(pull), "")
    if noted == f"{pull.head_commit} {DONE}":
        return "the assistant was asked about this commit"
    if EXPLAIN in ground.rules.tasks and not ground.assistant.reviewer:
        checks = ground.forge.checks(pull.head_commit)
        if any(each.state is StatusState.PENDING for each in theirs(checks)):
            return "the checks of this commit have not ended"
    return ""


def sent_about(ground: AssistantGround, pull: PullRequest) -> Sent | None:
    """What would be sent about a pull request. Asks nobody but git and the store."""
    return question_of(ground.look(pull, ground.rules), ground.rules)


def _name(pull: PullRequest) -> str:
    return f"assistant:pull:{pull.number}"


def _request(ground: AssistantGround, pull: PullRequest) -> Carried:
    """Make it a reviewer, which it stays: what it reviews anew after that is its own affair."""
    ground.forge.request_reviewers(pull.number, (ground.assistant.reviewer,))
    _note(ground, pull)
    return Carried(f"{ground.assistant.name} was asked to review pull request {pull.number}", changed=True)


def _ask(ground: AssistantGround, pull: PullRequest) -> Carried:
    sent = sent_about(ground, pull)
    if sent is None:
        _note(ground, pull)
        return Carried("nothing of this pull request may be sent")
    _count(ground, pull)
    try:
        said = ground.assistant.ask(sent.question)
        advice = read_advice(said, sent, ground.rules.tasks)
    except ShiplineError as error:
        if not error.retryable:
            _note(ground, pull)
        raise
    name, commit, apart = ground.assistant.name, pull.head_commit, ground.forge.takes_suggestions()
    suggestions = [to_json(one) for one in suggestions_of(name, commit, advice, sent)] if apart else []
    body = comment_text(name, commit, advice, sent, apart=apart)
    memory = {"commit": commit, "body": body, "suggestions": suggestions}
    return Carried("Writing what it says", again_s=0.0, memory=memory)


def _write(ground: AssistantGround, pull: PullRequest, memory: dict[str, Any]) -> Carried:
    """Each thing is looked for before it is written. A suggestion that finds no place stays a remark."""
    for said in memory["suggestions"]:
        with contextlib.suppress(ConflictError):
            ground.forge.suggest(pull.number, from_json(Suggestion, said))
    ground.forge.put_comment(Thread.pull(pull.number), marker=MARKER, body=str(memory["body"]))
    _note(ground, pull)
    return Carried(f"an assistant's advice stands below pull request {pull.number}", changed=True)


def _note(ground: AssistantGround, pull: PullRequest) -> None:
    with ground.store.begin() as tx:
        see(tx, {_name(pull): f"{pull.head_commit} {DONE}"}, ground.clock.now_us())


def _count(ground: AssistantGround, pull: PullRequest) -> None:
    """Count a question before it is put. RefusedError, and nothing is counted, where there were enough of them."""
    now_us = ground.clock.now_us()
    today = str(now_us // DAY_US)
    with ground.store.begin() as tx:
        tx.lock(DAY)
        known = seen_of(tx, (DAY, _name(pull)))
        day, _, calls = known.get(DAY, "").partition(" ")
        asked = int(calls) if day == today else 0
        commit, _, attempts = known.get(_name(pull), "").partition(" ")
        tried = int(attempts) if commit == pull.head_commit and attempts != DONE else 0
        if tried >= ATTEMPTS_MAX:
            see(tx, {_name(pull): f"{pull.head_commit} {DONE}"}, now_us)
        elif asked < ground.rules.calls_per_day:
            see(tx, {DAY: f"{today} {asked + 1}", _name(pull): f"{pull.head_commit} {tried + 1}"}, now_us)
            return
    if tried >= ATTEMPTS_MAX:
        raise RefusedError(f"the assistant gave no answer about pull request {pull.number} {ATTEMPTS_MAX} times")
    raise RefusedError(
        f"the assistant was asked {asked} times today, which is all that is allowed",
        todo="wait until tomorrow (UTC), or raise calls_per_day in [assistant]",
    )
