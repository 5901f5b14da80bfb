"""What `shipline release` would do for a package, step by step, without doing it. Writes nothing, asks no registry.

Files are foreseen by the same functions that the release edits them with, from the same order; the tests hold what was
foreseen against what a release then did.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from shipline.capabilities.plans import prepend, without_package
from shipline.capabilities.releases.footing import inside
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.moving_tags import names_to_move, rival_tags
from shipline.capabilities.releases.ordering import Candidate, check_new, known_of, order_of
from shipline.capabilities.releases.rules import Decision, Start, decide_start
from shipline.capabilities.releases.usecases import ReleaseOrder
from shipline.capabilities.releases.workflow import release_workflow
from shipline.capabilities.version_files import edits_to, own_file, write_requirement


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would be done. `files` are the contents that the release's commit would give them, None for one that it
    deletes; `steps` the workflow's steps in their order, each with sentences, none where there is nothing to do."""

    package: str
    decision: Decision
    files: dict[str, bytes | None]
    steps: tuple[tuple[str, tuple[str, ...]], ...]


def foresee(ground: ReleaseGround, candidate: Candidate, *, branch: str, now_us: int) -> Foreseen:
    """Foresee the release of a package. Refuses what `release_package` would refuse before it begins."""
    known = known_of(ground, candidate)
    decision = decide_start(known)
    name = candidate.package.name
    if decision.start is not Start.NEW or decision.version is None:
        return Foreseen(name, decision, {}, ())
    tag = check_new(ground, candidate, known, decision.version, branch=branch)
    order = order_of(ground, candidate, decision.version, tag, now_us)
    files = {} if order.commit is not None else _files(ground, order)
    words = _words(ground, order, files)
    return Foreseen(name, decision, files, tuple((step.title, words[step.name]) for step in release_workflow().steps))


def _files(ground: ReleaseGround, order: ReleaseOrder) -> dict[str, bytes | None]:
    root = ground.repository.root()
    edits = edits_to(root, [(file, order.version) for file in order.version_files])
    files: dict[str, bytes | None] = {edit.path: edit.after for edit in edits}
    for edit in (each for each in order.requirements if each.after != each.before):
        before = files.get(edit.path) or own_file(root, edit.path).read_bytes()
        files[edit.path] = write_requirement(edit.path, before, edit.name, edit.after)
    for name in order.changesets:
        files[name] = without_package(name, own_file(root, name).read_bytes(), order.package.name)
    if order.changelog:
        path = posixpath.normpath(inside(order.package, order.changelog))
        place = own_file(root, path)
        text = place.read_text("utf-8") if place.exists() else ""
        files[path] = prepend(text, order.section, order.version).encode()
    return files


def _words(ground: ReleaseGround, order: ReleaseOrder, files: dict[str, bytes | None]) -> dict[str, tuple[str, ...]]:
    """By the step's name."""
    kinds = ground.kinds_of(order.package)
    outlets = [(outlet.name, outlet.kinds_of(order.package, kinds)) for outlet in ground.outlets]
    going = tuple(f"{name}: {', '.join(some)}" for name, some in outlets if some)
    return {
        "edit": tuple(sorted(files)),
        "commit": tuple(_commit(ground, order, files)),
        "tag": () if order.commit is not None else (order.tag + (", signed" if ground.sign_tags else ""),),
        "build": kinds,
        "test": tuple(f"{run.name}: {' '.join(run.command)}" for run in ground.tests),
        "prove": ("statements on what is built, signed",) if kinds else (),
        "gate": tuple(gate.name for gate in ground.gates if gate.stage == "release"),
        "ask": going,
        "push": _pushed(ground, order),
        "publish": going,
        "bundle": ("bundle.tar",) if kinds else (),
        "forge": () if ground.forge is None else (f"the page of {order.tag}",),
        "move": _moved(ground, order),
    }


def _commit(ground: ReleaseGround, order: ReleaseOrder, files: dict[str, bytes | None]) -> Iterator[str]:
    if order.commit is None and files:
        where = f"on top of {order.beside[:12]}, beside the branch" if order.beside else f"on {order.branch or 'HEAD'}"
        words = ground.commit_message.replace("{package}", order.package.name).replace("{version}", order.version)
        yield f"{words} ({where})"


def _pushed(ground: ReleaseGround, order: ReleaseOrder) -> tuple[str, ...]:
    if not ground.remote:
        return ()
    with_branch = order.branch is not None and order.beside is None
    return (f"to {ground.remote}: {f'{order.branch}, ' if with_branch else ''}{order.tag}",)


def _moved(ground: ReleaseGround, order: ReleaseOrder) -> tuple[str, ...]:
    tags = rival_tags(ground, order.package.name) if ground.moving_tags else ()
    return names_to_move(ground.moving_tags, order.package, order.version, (*tags, order.tag))
