"""Checklists of releases: what was ticked is kept as evidence, and told in the log."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import rfc8785

from shipline.capabilities.gates import checklists_at, open_items, standing_tick
from shipline.capabilities.releases.queries import EVIDENCE, evidence_of
from shipline.capabilities.releases.telling import append
from shipline.domain.calendar import CalendarRule
from shipline.domain.checklist import Checklist, Tick
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import NothingToDo, RefusedError
from shipline.domain.evidence import Evidence, EvidenceKind
from shipline.domain.release import Release
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction

FORMAT = "shipline.tick/1"
TICKS_MAX = 1000


def checklists_of(
    own: Sequence[Checklist], calendar: Sequence[CalendarRule], release: Release, stage: str, now_us: int
) -> tuple[Checklist, ...]:
    """The lists that hold for a release at a stage now: of `own`, those of environments, and of the trains.

    Of the stage `release` it is the train that it began on.
    """
    if stage != "release":
        return checklists_at(own, calendar, stage, now_us)
    # Pre-releases wait for no train, so none is theirs.
    return checklists_at(own, () if release.is_prerelease else calendar, stage, release.created_us)


def ticks_of(pieces: Sequence[Evidence]) -> tuple[Tick, ...]:
    """The ticks among a release's evidence, the oldest first."""
    return tuple(from_json(Tick, piece.summary) for piece in pieces if piece.kind is EvidenceKind.CHECKLIST)


def tick_item(tx: Transaction, events: EventWriter, release: Release, checklist: Checklist, tick: Tick) -> Tick:
    """Keep that an item is done, or is not; `events` are written by whoever says so.

    NothingToDo where that stands already, RefusedError for an unknown item.
    """
    if tick.item not in checklist.items:
        raise RefusedError(
            f"the checklist of {checklist.name} has no item {tick.item[:60]!r}", todo="; ".join(checklist.items)
        )
    pieces = evidence_of(tx, release.id)
    known = ticks_of(pieces)
    before = standing_tick(checklist, tick.item, known)
    if (before is not None and before.is_done) is tick.is_done:
        by = "" if before is None else f" by {before.by}"
        raise NothingToDo(f"{tick.item!r} is {'ticked' if tick.is_done else 'open'} already{by}")
    if len(known) >= TICKS_MAX:
        raise RefusedError(f"{release.package} {release.version} has {TICKS_MAX} ticks already")
    # Of two in one microsecond it must be plain which came last.
    said = replace(tick, at_us=max([tick.at_us, *(one.at_us + 1 for one in known)]))
    summary = to_json(said)
    piece = Evidence(
        id=events.ids.new("evd"),
        release_id=release.id,
        kind=EvidenceKind.CHECKLIST,
        tool="shipline",
        format=FORMAT,
        digest=f"sha256:{hashlib.sha256(rfc8785.dumps(summary)).hexdigest()}",
        created_us=said.at_us,
        summary=summary,
    )
    EVIDENCE.save(tx, piece)
    left = open_items(checklist, (*known, said))
    body = {"checklist": checklist.name, "stage": checklist.stage, "item": said.item, "note": said.note}
    body_now = body | {"coordinator": checklist.coordinator, "left": len(left), "evidence_id": piece.id}
    append(tx, events, release, "ChecklistItemTicked" if said.is_done else "ChecklistItemCleared", body_now)
    return said
