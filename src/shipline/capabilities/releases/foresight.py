"""What `shipline release` would do for a package, step by step, without doing it. Writes nothing, asks no registry.

Files are foreseen by the same functions that the release edits them with, from the same order; the tests hold what was
foreseen against what a release then did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shipline.capabilities.releases.batch import edited_files, in_commit, in_tree, message_of
from shipline.capabilities.releases.candidates import Candidate
from shipline.capabilities.releases.differences import Difference, differences
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.moving_tags import names_to_move, rival_tags
from shipline.capabilities.releases.ordering import brought_order, known_of, new_order, unfinished_first
from shipline.capabilities.releases.pull_request import check_hosted, find_merged, propose
from shipline.capabilities.releases.pull_request_rules import branch_for
from shipline.capabilities.releases.rules import Brought, Decision, Start, decide_merged, decide_start
from shipline.capabilities.releases.usecases import ReleaseOrder
from shipline.capabilities.releases.waiting import held_up
from shipline.capabilities.releases.workflow import release_workflow


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would be done. `files` are those that the release's commit would change; a package that is released with
    another one has none. `steps` are the workflow's steps in their order, each with sentences, none where there is
    nothing to do."""

    package: str
    decision: Decision
    files: tuple[Difference, ...]
    steps: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class ForeseenPullRequest:
    """What the release pull request would say, and the files that its one commit would change."""

    branch: str
    title: str
    text: str
    packages: tuple[tuple[str, str], ...]
    files: tuple[Difference, ...]


def foresee(
    ground: ReleaseGround, candidates: Sequence[Candidate], *, branch: str, merged_alone: bool = False
) -> tuple[Foreseen, ...]:
    """Foresee the releases of packages, in their order. Refuses what `release_package` would refuse to begin.

    `merged_alone`: releases come by pull request, and nothing else is begun but what was merged.
    """
    going, rest = ((), tuple(candidates)) if merged_alone else unfinished_first(ground, candidates)
    listed, leads = (*going, *rest), dict[str, ReleaseOrder]()
    found = []
    for place, candidate in enumerate(listed):
        name, known = candidate.package.name, known_of(ground, candidate)
        merged = find_merged(ground, candidate) if merged_alone else None
        decided = decide_merged(decide_start(known), known, merged) if merged_alone else decide_start(known)
        decision = held_up(ground, candidate, decided, to_end=[one.package.name for one in listed[:place]])
        if decision.start is not Start.NEW or decision.version is None:
            found.append(Foreseen(name, decision, (), ()))
            continue
        if name in leads:
            order = _with_lead(ground, candidate, leads[name])
        elif merged is not None and merged.version == decision.version:
            order = brought_order(ground, candidate, merged, merged=True)
        else:
            fellows = listed[place + 1 :]
            order, _ = new_order(ground, candidate, known, decision.version, branch=branch, fellows=fellows)
            leads |= {part.package.name: order for part in order.others}
        files = () if order.commit is not None else _files(ground, order)
        words = _words(ground, order, files, leads.get(name))
        steps = tuple((step.title, words[step.name]) for step in release_workflow().steps)
        found.append(Foreseen(name, decision, files, steps))
    return tuple(found)


def foresee_pull_request(
    ground: ReleaseGround, candidates: Sequence[Candidate], *, target: str
) -> ForeseenPullRequest | None:
    """Foresee what the pull request to `target` would be, None where there would be none. Asks no forge and no remote.

    ConfigurationError where there could be none.
    """
    _, head = check_hosted(ground)
    proposal = propose(ground, candidates, head)
    if proposal is None:
        return None
    before = ground.repository.read_files(tuple(proposal.files), head)
    files = differences(proposal.files, before.get)
    return ForeseenPullRequest(branch_for(target), proposal.title, proposal.text, proposal.packages, files)


def _with_lead(ground: ReleaseGround, candidate: Candidate, lead: ReleaseOrder) -> ReleaseOrder:
    """The order of a package whose part is in the commit that another one's release makes."""
    own = next(part for part in lead.others if part.package == candidate.package)
    brought = Brought(own.version, lead.base or lead.beside or "HEAD", lead.time_us, own.section)
    return brought_order(ground, candidate, brought)


def _files(ground: ReleaseGround, order: ReleaseOrder) -> tuple[Difference, ...]:
    """What the order's commit would change."""
    if order.beside is not None:
        read = in_commit(ground.repository, order.beside, order.parts)
    else:
        read = in_tree(ground.repository.root())
    return differences(edited_files(order.parts, read), read)


def _words(
    ground: ReleaseGround, order: ReleaseOrder, files: Sequence[Difference], lead: ReleaseOrder | None
) -> dict[str, tuple[str, ...]]:
    """By the step's name."""
    kinds = ground.kinds_of(order.package)
    tagged = ground.repository.find_tag(order.tag) is not None
    outlets = [(outlet.name, outlet.kinds_of(order.package, kinds)) for outlet in ground.outlets]
    going = tuple(f"{name}: {', '.join(some)}" for name, some in outlets if some)
    gates = tuple(gate.name for gate in ground.gates if gate.stage == "release")
    return {
        "edit": tuple(file.path for file in files),
        "commit": tuple(_commit(ground, order, files, lead)),
        "tag": () if tagged else (order.tag + (", signed" if ground.sign_tags else ""),),
        "build": kinds,
        "test": tuple(f"{run.name}: {' '.join(run.command)}" for run in ground.tests),
        "scan": ground.scan.names,
        "prove": ("statements on what is built, signed",) if kinds else (),
        "gate": gates,
        "ask": going,
        "confirm": gates,
        "push": _pushed(ground, order),
        "sign": _signed(ground, order),
        "publish": going,
        "bundle": ("bundle.tar",) if kinds else (),
        "forge": () if ground.forge is None else (f"the page of {order.tag}",),
        "move": _moved(ground, order),
    }


def _commit(
    ground: ReleaseGround, order: ReleaseOrder, files: Sequence[Difference], lead: ReleaseOrder | None
) -> Iterator[str]:
    if lead is not None:
        yield f"in that of {lead.package.name} {lead.version}"
    elif order.commit is None and files:
        where = f"on top of {order.beside[:12]}, beside the branch" if order.beside else f"on {order.branch or 'HEAD'}"
        message, _ = message_of(ground.commit_message, order.parts)
        yield f"{message.splitlines()[0]} ({where})"


def _pushed(ground: ReleaseGround, order: ReleaseOrder) -> tuple[str, ...]:
    if not ground.remote:
        return ()
    with_branch = order.branch is not None and order.beside is None
    return (f"to {ground.remote}: {f'{order.branch}, ' if with_branch else ''}{order.tag}",)


def _signed(ground: ReleaseGround, order: ReleaseOrder) -> tuple[str, ...]:
    if ground.signatures is None:
        return ()
    kinds = ground.kinds_of(order.package)
    images = tuple(one.name for one in ground.outlets if one.images and "oci" in one.kinds_of(order.package, kinds))
    files = ("files, statements and the gates' summary",) if kinds else ()
    return (*files, *(f"the image in {name}" for name in images))


def _moved(ground: ReleaseGround, order: ReleaseOrder) -> tuple[str, ...]:
    tags = rival_tags(ground, order.package.name) if ground.moving_tags else ()
    return names_to_move(ground.moving_tags, order.package, order.version, (*tags, order.tag))
