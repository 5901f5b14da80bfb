"""From what is so of milestones to what is missing: pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shipline.capabilities.automation.milestones import texts
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
from shipline.capabilities.automation.milestones.states import BranchSeen, Left, MilestoneSeen, Seen

BRANCH_PREFIX = "milestone/"


@dataclass(frozen=True, slots=True)
class Flow:
    """How the flow is to be: the branches, and what becomes of a milestone that was closed with open issues."""

    development: str
    release_branch: str
    reopens: bool


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done, in this order, each with the version that it is for; `troubles` stand in the way of more."""

    effects: tuple[tuple[str, Effect], ...]
    troubles: tuple[str, ...] = ()


def branch_of(version: str) -> str:
    """The branch that is merged to release a version."""
    return f"{BRANCH_PREFIX}{version}"


def decide_milestones(seen: Seen, flow: Flow) -> Due:
    """All that is missing. The same again gives nothing, once it was done."""
    effects: list[tuple[str, Effect]] = []
    if not seen.has_label and any(one.tracking is None for one in seen.milestones):
        effects.append(("", CreateLabel(texts.LABEL)))
    for left in seen.left:
        effects += [(left.tracking.version, each) for each in _end(left)]
    for one in seen.milestones:
        effects += [(one.version, each) for each in _of_milestone(one, seen, flow)]
    return Due(tuple(effects), tuple(_troubles(seen)))


def _troubles(seen: Seen) -> Iterator[str]:
    for one in seen.milestones:
        if not one.branch.is_ours and one.content is not None and not one.is_tagged:
            yield (
                f"people have committed to {branch_of(one.version)}, and an update would lose that:"
                " merge it as it is, or delete the branch"
            )


def _of_milestone(one: MilestoneSeen, seen: Seen, flow: Flow) -> Iterator[Effect]:
    for tag in one.new_tags:
        yield CreateTag(tag.name, tag.commit)
    if one.tracking is not None and one.tracking.version != one.version:
        yield from _dropped(branch_of(one.tracking.version), seen.former.get(one.key, BranchSeen()))
    if one.is_tagged:
        yield from _after_release(one, seen, flow)
        return
    if one.tracking is None:
        yield OpenTracking(one.key, texts.tracking_title(one.version), _body(one, flow))
    if one.is_closed and one.open_issues:
        yield from _held(one, flow)
    if one.is_closed and not one.open_issues and not one.is_merged:
        yield from _ready(one, flow)
    elif not one.is_merged:
        yield from _under_way(one)
    if one.tracking is not None:
        yield from _kept(one, flow, is_open=True)


def _body(one: MilestoneSeen, flow: Flow) -> str:
    return texts.tracking_body(one, release_branch=flow.release_branch, branch=branch_of(one.version))


def _kept(one: MilestoneSeen, flow: Flow, *, is_open: bool) -> Iterator[Effect]:
    """The tracking issue, where it says something else."""
    known, title, body = one.tracking, texts.tracking_title(one.version), _body(one, flow)
    if known is None:
        return
    says = (known.title, texts.unified(known.body), known.is_open)
    if says != (title, texts.unified(body), is_open):
        yield EditTracking(known.number, title, body, is_open)


def _moved(one: MilestoneSeen) -> Iterator[Effect]:
    """The branch, where it stands elsewhere. What people have committed to it is not lost."""
    content, branch = one.content, one.branch
    if content is not None and branch.is_ours and branch.tip != content.commit:
        yield MoveBranch(branch_of(one.version), content.commit, branch.tip, f"stating {content.version}")


def _under_way(one: MilestoneSeen) -> Iterator[Effect]:
    """An open milestone: what was prepared for its release is taken back."""
    yield from _moved(one)
    if one.branch.pull is not None:
        yield ClosePull(one.branch.pull.number)
    yield from (DropDraft(tag) for tag in one.branch.drafts)


def _held(one: MilestoneSeen, flow: Flow) -> Iterator[Effect]:
    """Closed with open issues."""
    if one.tracking is not None:
        words = texts.held_words(one, reopens=flow.reopens)
        if texts.unified(words) not in texts.unified(one.held_said):
            yield PutComment(one.tracking.number, texts.held_marker(one.key), words)
        if flow.reopens:
            yield ReopenMilestone(one.key, one.title)


def _ready(one: MilestoneSeen, flow: Flow) -> Iterator[Effect]:
    """Closed, with nothing open: candidate, draft, branch, pull request."""
    candidate, content = one.candidate, one.content
    if candidate is None or content is None:
        return
    if one.makes_candidate:
        yield CreateTag(candidate.name, candidate.commit)
    yield from (DropDraft(tag) for tag in one.branch.drafts if tag != candidate.name)
    if candidate.name not in one.branch.drafts:
        yield DraftNotes(candidate.name, f"{one.version} (draft)", content.notes)
    yield from _moved(one)
    title, body, pull = texts.pull_title(one.version), texts.pull_body(one, content.notes), one.branch.pull
    if pull is None:
        yield OpenPull(branch_of(one.version), flow.release_branch, title, body)
    elif (pull.title, texts.unified(pull.body)) != (title, texts.unified(body)):
        yield EditPull(pull.number, title, body)


def _after_release(one: MilestoneSeen, seen: Seen, flow: Flow) -> Iterator[Effect]:
    """The version is out: its issues say so. The tracking issue is closed last, and nothing is looked at after that."""
    if one.page_url is None:
        yield from _kept(one, flow, is_open=True)
        return
    for issue in one.issues:
        if not issue.is_told:
            yield PutComment(issue.number, texts.released_marker(one.version), f"Released: {one.page_url}")
        if issue.is_open:
            yield CloseIssue(issue.number)
    yield from _dropped(branch_of(one.version), one.branch)
    if one.brings_back == "forward":
        words = f"which has {one.version}"
        yield MoveBranch(flow.development, seen.release_tip, seen.development_tip, words)
    elif one.brings_back == "pull":
        title = f"chore: bring {one.version} back to {flow.development}"
        body = f"{flow.development} has commits of its own, so {one.version} comes to it by this pull request.\n"
        yield OpenPull(flow.release_branch, flow.development, title, body)
    yield from _kept(one, flow, is_open=False)


def _dropped(name: str, branch: BranchSeen) -> Iterator[Effect]:
    """What was made for a version that is not to come any more, or is out. Tags stay."""
    if branch.pull is not None:
        yield ClosePull(branch.pull.number)
    yield from (DropDraft(tag) for tag in branch.drafts)
    if branch.tip is not None and branch.is_ours:
        yield DeleteBranch(name, branch.tip)


def _end(left: Left) -> Iterator[Effect]:
    """A milestone that is gone, or has a title that is no version."""
    tracking = left.tracking
    yield from _dropped(branch_of(tracking.version), left.branch)
    words = f"The milestone of {tracking.version} is gone, or its title is no version any more: nothing is released.\n"
    yield PutComment(tracking.number, f"{texts.MARKER}{tracking.key}:gone", words)
    yield EditTracking(tracking.number, tracking.title, tracking.body, is_open=False)
