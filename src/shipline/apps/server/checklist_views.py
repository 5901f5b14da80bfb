"""Checklists of releases as the pages show them: what has to be ticked, who has said so of it, and what is open."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.apps.server.site import Site
from shipline.capabilities.gates import standing_tick
from shipline.capabilities.releases import checklists_of, evidence_of, ticks_of
from shipline.domain.checklist import Checklist, Tick
from shipline.domain.release import Release
from shipline.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item. `tick` is what was said of it last, None where nothing was: it may also say that it is not done."""

    words: str
    tick: Tick | None

    @property
    def is_done(self) -> bool:
        """True if it is ticked."""
        return self.tick is not None and self.tick.is_done


@dataclass(frozen=True, slots=True)
class ChecklistView:
    """A list for one stage of a release."""

    checklist: Checklist
    items: tuple[ItemView, ...]

    @property
    def open_items(self) -> tuple[str, ...]:
        """Those that are not ticked."""
        return tuple(item.words for item in self.items if not item.is_done)


def checklist_views(
    site: Site, tx: Transaction, release: Release, stages: tuple[str, ...]
) -> tuple[ChecklistView, ...]:
    """The lists that hold for a release at these stages now, in their order."""
    own, rules, now_us = site.checklists(), site.calendar(), site.clock.now_us()
    found = [one for stage in stages for one in checklists_of(own, rules, release, stage, now_us)]
    if not found:
        return ()
    ticks = ticks_of(evidence_of(tx, release.id))
    return tuple(
        ChecklistView(one, tuple(ItemView(item, standing_tick(one, item, ticks)) for item in one.items))
        for one in found
    )
