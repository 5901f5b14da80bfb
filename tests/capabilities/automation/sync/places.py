"""Two forges that are kept alike, and what a person sees of both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from shipline.capabilities.automation.sync import End, Mirroring, MirrorRules, Passed, Side, Sync, run_pass
from shipline.capabilities.automation.sync.contents import text_of
from shipline.capabilities.automation.sync.releases import FILES_BEGIN
from shipline.capabilities.automation.sync.shelves import NOTICE
from shipline.ports.forge.answers import Thread
from shipline.ports.forge.pulls import PullState
from shipline.testing.fakes.forge.memory import FakeForge
from shipline.testing.fakes.forge.model import ForgeModel, Page, Pull
from shipline.testing.fakes.forge.people import People
from shipline.testing.fakes.forge.quota import Quota
from shipline.testing.fakes.mirror import FakeMirror
from shipline.testing.world import World

ROOT = "0" * 40


class Two:
    """Forges in memory, with people on each."""

    def __init__(self, seed: int, folder: Path, url: str | None = None) -> None:
        self.world = World(seed, folder, url=url)
        self.forges = {side: FakeForge() for side in Side}
        for number, side in enumerate(Side):
            self.forges[side].model._last = number * 100_000  # So that no number is right by chance.
        self.people = {
            side: People(self.forges[side].model, Random(f"{seed} {side}"), f"ada-{side}")  # noqa: S311 - of a test
            for side in Side
        }
        ends = {side: End(f"forge {side.value}", self.forges[side], "robot") for side in Side}
        self.mirror = FakeMirror({side.value: forge.model for side, forge in self.forges.items()})
        for forge in self.forges.values():
            forge.quota = Quota(self.world.clock, limit=1_000_000)
            forge.model.refs.put("refs/heads/main", ROOT)
        mirroring = Mirroring(self.mirror, MirrorRules())
        self.sync = Sync(self.world.store, self.world.clock, ends, removals_max=10_000, mirroring=mirroring)

    def close(self) -> None:
        self.world.close()

    @property
    def models(self) -> tuple[ForgeModel, ForgeModel]:
        """What they know."""
        return self.forges[Side.HERE].model, self.forges[Side.THERE].model

    def issue(self, title: str, body: str) -> tuple[ForgeModel, ForgeModel, int, int]:
        """Both forges, and the numbers of an issue that is on both."""
        here, there = self.models
        first = here.create_item(title, body, [], author="ada").number
        self.run()
        return here, there, first, next(iter(there.items))

    def edit(self, count: int) -> None:
        for number in range(count):
            self.people[tuple(Side)[number % 2]].edit()

    def run(self, **changes: Any) -> Passed:
        """Until no limit is reached any more: the clock jumps."""
        passed = run_pass(replace(self.sync, **changes), full=True)
        while passed.again_us is not None:
            self.world.clock.sleep((passed.again_us - self.world.clock.now_us()) / 1e6)
            more = run_pass(replace(self.sync, **changes), full=True)
            passed = Passed(passed.effects + more.effects, more.troubles, more.again_us)
        return passed

    def counts(self) -> dict[Side, int]:
        return {side: len(self.forges[side].model.effects) for side in Side}

    def shown(self, side: Side) -> dict[str, Any]:
        """What a forge shows, without its numbers."""
        model = self.forges[side].model
        threads = []
        for item in model.items.values():
            stone = None if item.milestone is None else model.stones[item.milestone].title
            notes = sorted(_text(note.body) for note in model.notes_of(Thread.issue(item.number)))
            threads.append((item.title, _text(item.body), item.state, sorted(item.labels), stone, notes))
        stones = [(one.title, one.description.strip(), one.state) for one in model.stones.values()]
        badges = [(one.name, one.color, one.description) for one in model.badges.values()]
        pages = [(one.tag, one.title, _text(one.notes.split(FILES_BEGIN)[0]), one.prerelease) for one in _pages(model)]
        return {
            "issues": sorted(map(repr, threads)),
            "milestones": sorted(map(repr, stones)),
            "labels": sorted(badges),
            "releases": sorted(pages),
            "pulls": sorted(repr(_pull(model, one)) for one in model.pulls.values() if one.state is PullState.OPEN),
            "refs": self.mirror.refs(side.value),
        }


def _pull(model: ForgeModel, pull: Pull) -> tuple[object, ...]:
    told = model.notes_of(Thread.pull(pull.number))
    notes = sorted(_text(note.body) for note in told if not note.body.startswith(NOTICE))
    return (pull.head, pull.base, pull.title, text_of(pull.body, "http://127.0.0.1"), notes)


def _pages(model: ForgeModel) -> list[Page]:
    return [page for page in model.pages.values() if not page.draft]


def _text(body: str) -> str:
    return text_of(body).replace("<!-- of shipline-sync", "<!-- shipline-sync")
