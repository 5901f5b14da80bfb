"""What hooks did not tell: the forge is looked at, compared with what is known, and each difference is an event. Pure.

A forge drops hooks (more than three tags in one push, a hook that it has disabled, our own outage), so none of them is
relied on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shipline.capabilities.automation.deliveries import RECONCILIATION, NewDelivery
from shipline.capabilities.automation.events import ForgeEvent, PullRequestChanged, PushReceived, ThingState
from shipline.capabilities.automation.reading import Unknown
from shipline.domain.codec import JSON, from_json, to_json
from shipline.ports.forge import PullRequest, PullState

STATES = {PullState.OPEN: ThingState.OPEN, PullState.MERGED: ThingState.MERGED, PullState.CLOSED: ThingState.CLOSED}
KINDS = {"push": PushReceived, "pull_request": PullRequestChanged}


@dataclass(frozen=True, slots=True)
class Looked:
    """What a forge showed. `tips` are the commits of the branches that were looked at, "" for one that is not there;
    `pulls` are the open pull requests to them, `ended` those that were known as open and are not any more."""

    tips: Mapping[str, str]
    pulls: tuple[PullRequest, ...] = ()
    ended: tuple[PullRequest, ...] = ()


def branch_name(branch: str) -> str:
    """What a branch is known by."""
    return f"branch:{branch}"


def pull_name(base: str, number: int) -> str:
    """What a pull request is known by."""
    return f"pull:{base}:{number}"


def signature(title: str, head: str) -> str:
    """What is known of an open pull request: it changes when its words do."""
    return hashlib.sha256(f"{head}\n{title}".encode()).hexdigest()


def differences(looked: Looked, known: Mapping[str, str]) -> Iterator[PushReceived | PullRequestChanged]:
    """What was not known yet, each as the event that a hook should have told."""
    for branch, tip in looked.tips.items():
        before = known.get(branch_name(branch), "")
        if tip != before:
            yield PushReceived(branch, before, tip)
    for pull in looked.pulls:
        if known.get(pull_name(pull.base, pull.number)) != signature(pull.title, pull.head):
            yield _changed(pull, "found")
    for pull in looked.ended:
        yield _changed(pull, "ended")


def _changed(pull: PullRequest, action: str) -> PullRequestChanged:
    return PullRequestChanged(
        number=pull.number,
        action=action,
        state=STATES[pull.state],
        title=pull.title,
        head=pull.head,
        base=pull.base,
        merge_commit=pull.merge_commit or "",
        labels=pull.labels,
    )


def difference_delivery(event: PushReceived | PullRequestChanged, identity: str) -> NewDelivery:
    """An event of our own look, to be kept and taken up as a hook is; `identity` is unlike that of any other."""
    kind = next(name for name, each in KINDS.items() if isinstance(event, each))
    return NewDelivery(RECONCILIATION, identity, kind, json.dumps(to_json(event), ensure_ascii=False).encode())


def known_after(looked: Looked) -> dict[str, str]:
    """What is known once its differences are kept; "" for what is not there any more."""
    tips = {branch_name(branch): tip for branch, tip in looked.tips.items()}
    pulls = {pull_name(pull.base, pull.number): signature(pull.title, pull.head) for pull in looked.pulls}
    return tips | pulls | {pull_name(pull.base, pull.number): "" for pull in looked.ended}


def read_difference(kind: str, document: JSON) -> ForgeEvent | Unknown:
    """The event again. InvalidValue for one of another version."""
    if kind == "push":
        return from_json(PushReceived, document)
    return from_json(PullRequestChanged, document)
