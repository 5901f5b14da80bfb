"""The forge in memory passes the suite that the real providers pass."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shipline.ports.forge import ForgeRelease
from shipline.ports.forge.answers import Thread
from shipline.ports.forge.reviews import Opinion
from shipline.testing.conformance.forge import ForgeConformance, Speech, Tracker
from shipline.testing.fakes.forge.memory import FakeForge
from shipline.testing.fakes.forge.model import MemoryRefs
from shipline.testing.fakes.forge.refs import Changed


class TestFakeForge(ForgeConformance):
    @pytest.fixture
    def forge(self, commit: str) -> FakeForge:
        refs = MemoryRefs({"refs/heads/main": commit})
        refs.changed = [Changed("a", "M", 1, 1)]
        return FakeForge(refs)

    @pytest.fixture
    def commit(self) -> str:
        return "a" * 40

    @pytest.fixture
    def other_commit(self) -> str:
        return "b" * 40

    @pytest.fixture
    def merge(self, forge: FakeForge) -> Callable[[int, str], None]:
        return forge.model.merge

    @pytest.fixture
    def tracker(self, forge: FakeForge) -> Tracker:
        return forge.model

    @pytest.fixture
    def suggested(self, forge: FakeForge) -> Callable[[int], list[tuple[str, int, int]]]:
        return lambda number: [(one.path, one.line, one.last_line) for one in forge.model.pull(number).line_notes]

    @pytest.fixture
    def open_from_fork(self, forge: FakeForge) -> Callable[[str], None]:
        def opened(head: str) -> None:
            forge.model.open_pull(head, "main", "theirs", "", fork=True)

        return opened

    @pytest.fixture
    def open_of_stranger(self, forge: FakeForge) -> Callable[[str], int]:
        return lambda body: forge.model.create_item("theirs", body, [], author="stranger").number

    @pytest.fixture
    def comment_of_stranger(self, forge: FakeForge) -> Callable[[Thread, str], None]:
        return lambda thread, body: (forge.model.add_note(thread, body, author="stranger"), None)[1]

    @pytest.fixture
    def speech(self, forge: FakeForge) -> Speech:
        return forge.model

    @pytest.fixture
    def review(self, forge: FakeForge) -> Callable[[int, str, Opinion], None]:
        return lambda number, author, opinion: (forge.model.review(number, author, opinion), None)[1]

    @pytest.fixture
    def lose_answer(self, forge: FakeForge) -> Callable[[], None]:
        return lambda: setattr(forge.faults, "loses_answer", True)

    @pytest.fixture
    def cut_off(self, forge: FakeForge) -> Callable[[ForgeRelease, str], None]:
        def cut(release: ForgeRelease, name: str) -> None:
            forge.model.add_file(forge.model.page(int(release.key)), name, b"on", unique=True).whole = False

        return cut

    @pytest.fixture
    def forbid(self, forge: FakeForge) -> Callable[[], None]:
        return lambda: setattr(forge.model, "may_write", False)

    @pytest.fixture
    def break_forge(self, forge: FakeForge) -> Callable[[], None]:
        return lambda: setattr(forge.faults, "down", True)
