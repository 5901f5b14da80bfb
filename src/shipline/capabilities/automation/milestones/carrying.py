"""What is due, done: each effect once, by its natural key. Who is overtaken looks again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from shipline.capabilities.automation.milestones.effects import (
    CloseIssue,
    ClosePull,
    CreateLabel,
    CreateTag,
    DeleteBranch,
    DraftNotes,
    DropDraft,
    EditPull,
    EditTracking,
    Effect,
    MoveBranch,
    OpenPull,
    OpenTracking,
    PutComment,
    ReopenMilestone,
)
from shipline.capabilities.automation.milestones.rules import Due
from shipline.capabilities.automation.milestones.texts import LABEL, MARKER
from shipline.domain.errors import ConflictError, ShiplineError, UnavailableError
from shipline.ports.forge import Forge, hidden
from shipline.ports.forge.answers import ItemState, Thread
from shipline.ports.forge.tracker import IssueChange, IssueDraft, IssueQuery, Label
from shipline.ports.repository import Repository

TURNS_MAX = 200
COLOR = "5319e7"


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, in sentences, and what stands in the way, with what helps."""

    words: tuple[str, ...]
    troubles: tuple[str, ...] = ()
    todo: str = ""


def carry_out(look: Callable[[], Due], forge: Forge, repository: Repository, remote: str) -> Done:
    """Look, do what is due, and look again until nothing is.

    What cannot be done holds up its own milestone alone. A conflict is somebody who was faster: what is so now is
    looked at then; the same conflict twice is none of that kind. Retryable errors are raised.
    """
    words: list[str] = []
    troubles: dict[str, ShiplineError | None] = {}
    failed: set[Effect] = set()
    stuck: set[str] = set()
    for _ in range(TURNS_MAX):
        due = look()
        troubles |= dict.fromkeys(due.troubles)
        open_ones = [(version, effect) for version, effect in due.effects if version not in stuck]
        if not open_ones:
            todo = next((error.todo for error in troubles.values() if error is not None and error.todo), "")
            return Done(tuple(words), tuple(troubles), todo)
        for version, effect in open_ones:
            if version in stuck:
                continue
            try:
                _do(effect, forge, repository, remote)
            except ShiplineError as error:
                if error.retryable:
                    raise
                if isinstance(error, ConflictError) and effect not in failed:
                    failed.add(effect)
                    break
                stuck.add(version)
                troubles[f"{effect.sentence}: {error.sentence()}"] = error
            else:
                words.append(effect.sentence)
    raise UnavailableError("milestones change faster than they can be looked at")


def _do(effect: Effect, forge: Forge, repository: Repository, remote: str) -> None:  # noqa: C901, PLR0912 - a table
    match effect:
        case CreateTag():
            forge.create_tag(effect.name, effect.commit)
        case CreateLabel():
            forge.ensure_label(Label(effect.name, COLOR, "Kept by Shipline: where a release stands"))
        case OpenTracking():
            marker = f"{MARKER}{effect.key}"
            body = effect.body.removeprefix(f"{hidden(marker)}\n")
            within = IssueQuery(labels=(LABEL,))
            forge.create_issue(IssueDraft(effect.title, body, (LABEL,)), marker=marker, within=within)
        case EditTracking():
            state = ItemState.OPEN if effect.is_open else ItemState.CLOSED
            forge.edit_issue(effect.number, IssueChange(title=effect.title, body=effect.body, state=state))
        case PutComment():
            forge.put_comment(Thread.issue(effect.number), marker=effect.marker, body=effect.body)
        case CloseIssue():
            forge.edit_issue(effect.number, IssueChange(state=ItemState.CLOSED))
        case ReopenMilestone():
            known = forge.read_milestone(effect.key)
            if known is not None:
                forge.update_milestone(replace(known, state=ItemState.OPEN))
        case MoveBranch():
            repository.move_branch(remote, effect.name, effect.commit, expected=effect.expected)
        case DeleteBranch():
            forge.delete_branch(effect.name, effect.commit)
        case DraftNotes():
            forge.create_release(
                effect.tag, title=effect.title, notes_markdown=effect.notes, draft=True, prerelease=True
            )
        case DropDraft():
            page = forge.find_release(effect.tag)
            if page is not None and page.draft:
                forge.delete_release(page)
        case OpenPull():
            forge.create_pull_request(head=effect.head, base=effect.base, title=effect.title, body=effect.body)
        case EditPull():
            forge.update_pull_request(effect.number, title=effect.title, body=effect.body)
        case ClosePull():
            forge.close_pull_request(effect.number)
