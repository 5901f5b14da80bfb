"""The milestone flow by itself: what is green, how tags are numbered, who is killed, and who is overtaken."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Lock

import pytest

from shipline.capabilities.automation import (
    Command,
    Duties,
    MilestoneFlow,
    MilestoneGround,
    MilestonesDone,
    MilestonesDue,
    carry_out_milestones,
    decide,
    decide_milestones,
    look_at_milestones,
)
from shipline.capabilities.automation.events import ChecksEnded, ChecksState, MilestoneChanged, ThingState
from shipline.capabilities.automation.milestones.tags import Checked, Checks, due_commits, read_tags
from shipline.capabilities.releases import Stated
from shipline.domain.package import Package
from shipline.ports.forge import Ref, StatusState
from shipline.ports.forge.answers import ItemState
from shipline.testing.fakes.forge.memory import FakeForge
from shipline.testing.fakes.forge.model import GitRefs, Page
from shipline.testing.fakes.forge.model import Said as StatusSaid
from shipline.testing.histories import History, repository_at
from shipline.testing.kills import Killed

NOW_US = 1_800_000_000_000_000
HOUR_US = 3_600_000_000
PACKAGE = Package("quotes")


class MortalForge(FakeForge):
    """Dies after the next change once `is_mortal`."""

    is_mortal = False
    one_by_one = Lock()

    def create_tag(self, name: str, commit: str) -> Ref:
        with self.one_by_one:  # As a forge does it.
            return super().create_tag(name, commit)

    def _answer(self) -> None:
        super()._answer()
        if self.is_mortal:
            raise Killed("after a change")


@dataclass
class Place:
    """A forge in memory over a real bare repository, and a copy to work in."""

    person: History
    forge: MortalForge
    copy: Path

    def push(self, message: str, state: StatusState | None = StatusState.SUCCESS) -> str:
        commit = self.person.commit(message, {"MORE": message})
        self.person.git("push", "--quiet", "origin", "main")
        if state is not None:
            self.forge.model.say(StatusSaid(0, commit, "tests", state, "", ""))
        return commit

    def ground(self) -> MilestoneGround:
        repository = repository_at(self.copy)

        def state(version: str, base: str, section: str = "") -> Stated:
            files = {"VERSION": f"{version}\n".encode()}
            commit = repository.commit_beside(base, files, f"chore: {version}", key=f"release:{version}", time_us=0)
            return Stated(commit, section)

        return MilestoneGround(
            forge=self.forge,
            repository=repository,
            remote="origin",
            package=PACKAGE,
            flow=MilestoneFlow("main", "main", reopens=False),
            on_the_way=state,
            final=lambda version, _tag, base: state(version, base, "notes"),
            stated=lambda commit: repository.read_files(("VERSION",), commit).get("VERSION", b"").decode().strip(),
        )

    def work(self, *, mortal: bool = False) -> MilestonesDone:
        """All that is due; a mortal process dies after each change, and another one goes on."""
        while True:
            ground = self.ground()
            self.forge.is_mortal = mortal
            try:
                return carry_out_milestones(partial(self.due, ground), self.forge, ground.repository, "origin")
            except Killed:
                continue
            finally:
                self.forge.is_mortal = False

    def due(self, ground: MilestoneGround) -> MilestonesDue:
        return decide_milestones(look_at_milestones(ground, NOW_US), ground.flow)

    def tags(self, channel: str = "-dev.") -> list[tuple[int, str]]:
        """Numbers and commits on the forge."""
        refs = self.forge.model.refs
        assert isinstance(refs, GitRefs)
        found = ((name.partition(channel), commit) for name, commit in refs.all().items())
        return sorted((int(parts[2]), commit) for parts, commit in found if parts[2])


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return made(tmp_path)


def made(folder: Path) -> Place:
    person, bare, copy = History(folder / "person"), folder / "forge.git", folder / "copy"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
    person.git("remote", "add", "origin", str(bare))
    found = Place(person, MortalForge(GitRefs(bare)), copy)
    found.push("chore: begin")
    subprocess.run(["git", "clone", "--quiet", str(bare), str(copy)], check=True)
    for name in ("user.name", "user.email"):
        subprocess.run(["git", "-C", str(copy), "config", name, "robot@example.com"], check=True)
    return found


def checked(states: Sequence[Checks], age_us: int) -> list[Checked]:
    return [Checked(str(place), NOW_US - age_us, state) for place, state in enumerate(states)]


@pytest.mark.parametrize(
    ("states", "age_us", "due", "waits"),
    [
        ((Checks.GREEN, Checks.RED, Checks.GREEN), 0, ("0", "2"), False),
        ((Checks.GREEN, Checks.PENDING, Checks.GREEN), 0, ("0",), True),
        ((Checks.GREEN, Checks.PENDING, Checks.GREEN), 7 * HOUR_US, ("0", "2"), False),
        ((Checks.PENDING, Checks.GREEN), -HOUR_US, ("1",), False),
        ((Checks.SILENT, Checks.GREEN), 0, ("1",), False),
        ((Checks.GREEN, Checks.SILENT), 0, ("0",), True),
        ((Checks.GREEN, Checks.SILENT), HOUR_US, ("0",), False),
    ],
)
def test_what_is_tagged_and_what_is_waited_for(
    states: tuple[Checks, ...],
    age_us: int,
    due: tuple[str, ...],
    waits: bool,  # noqa: FBT001 - a case
) -> None:
    assert due_commits(checked(states, age_us), NOW_US) == (due, waits)


def test_tags_of_others_are_left_out_and_a_gap_is_seen() -> None:
    names = ("v1.0.0", "v1.1.0-dev.0", "v1.1.0-dev.2", "v1.1.0-rc.1", "w2.0.0", "vague", "v1.1.0-beta.1")
    tags = read_tags(PACKAGE, dict.fromkeys(names, "c"))
    assert (list(tags.finals), [one.number for one in tags.development["1.1.0"]]) == (["1.0.0"], [0, 2])
    assert not tags.are_whole()


def test_events_lead_to_a_look_at_milestones() -> None:
    duties = Duties(milestones="develop")
    wanted = (Command("milestones", "develop"),)
    assert decide(MilestoneChanged(1, "closed", ThingState.CLOSED, "1.0.0"), duties) == wanted
    assert decide(ChecksEnded("c", ChecksState.FAILURE, "ci", ()), duties) == wanted
    assert decide(ChecksEnded("c", ChecksState.SUCCESS, "ci", ("topic",)), duties) == ()


def lived(folder: Path, *, mortal: bool) -> Place:
    """A whole cycle; the release itself is made by hand."""
    place = made(folder)
    model = place.forge.model
    stone = model.create_stone("1.0.0", "", None, unique=True)
    issue = model.create_item("Say more", "", [], stone.key)
    place.work(mortal=mortal)
    place.push("feat: more")
    place.push("fix: broken", StatusState.FAILURE)
    place.push("feat: well")
    place.work(mortal=mortal)
    model.change_stone(stone.key, unique=True, state=ItemState.CLOSED)
    place.work(mortal=mortal)
    model.change_item(issue.number, title=None, body=None, state=ItemState.CLOSED)
    place.work(mortal=mortal)
    (pull,) = model.pulls.values()
    place.person.git("fetch", "--quiet", "origin", pull.head)
    commit = place.person.merge("FETCH_HEAD", "Merge it")
    place.person.git("push", "--quiet", "origin", "main")
    model.merge(pull.number, commit)
    model.create_ref("refs/tags/v1.0.0", commit)
    model.create_page(Page(0, "v1.0.0", "1.0.0", "", draft=False, prerelease=False), one_a_tag=True)
    place.work(mortal=mortal)
    return place


def test_a_kill_after_each_change_neither_doubles_nor_loses_one(tmp_path: Path) -> None:
    """Each change of a whole cycle is followed by a kill; what was done in all is what is done undisturbed."""
    undisturbed, killed = lived(tmp_path / "a", mortal=False), lived(tmp_path / "b", mortal=True)
    # A tracking issue that is written anew after a kill may be written in more steps than one.
    counts = [Counter(undisturbed.forge.model.effects), Counter(killed.forge.model.effects)]
    assert counts[0] == counts[1]
    for place in (undisturbed, killed):
        model = place.forge.model
        assert [number for number, _ in place.tags()] == [0, 1, 2]
        assert [number for number, _ in place.tags("-rc.")] == [1]
        assert {item.state for item in model.items.values()} == {ItemState.CLOSED}
        assert model.refs.get("refs/heads/milestone/1.0.0") is None
        assert place.work() == MilestonesDone(())


def test_several_at_once_leave_no_gap_and_double_nothing(place: Place) -> None:
    """Three that know nothing of each other, in three copies."""
    place.forge.model.create_stone("1.0.0", "", None, unique=True)
    place.work()
    greens = [place.push(f"feat: {number}") for number in range(6)]
    place.push("fix: broken", StatusState.FAILURE)
    others = [replace(place, copy=place.copy.with_name(f"copy-{number}")) for number in range(3)]
    for other in others:
        shutil.copytree(place.copy, other.copy)
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(Place.work, others))
    assert [one.troubles for one in done] == [()] * 3
    assert place.tags()[1:] == list(enumerate(greens, start=1))


def test_what_people_committed_to_the_branch_is_not_lost(place: Place) -> None:
    place.forge.model.create_stone("1.0.0", "", None, unique=True)
    place.work()
    place.person.git("fetch", "--quiet", "origin", "milestone/1.0.0")
    place.person.git("switch", "--quiet", "--detach", "FETCH_HEAD")
    theirs = place.person.commit("fix: by hand", {"HAND": "1"})
    place.person.git("push", "--quiet", "origin", "HEAD:milestone/1.0.0")
    place.person.git("switch", "--quiet", "main")
    place.push("feat: more")
    (trouble,) = place.work().troubles
    assert "people have committed to milestone/1.0.0" in trouble
    assert place.forge.model.refs.get("refs/heads/milestone/1.0.0") == theirs


def test_a_repository_without_a_green_commit_is_waited_for(place: Place) -> None:
    place.forge.model.said.clear()
    place.forge.model.create_stone("1.0.0", "", None, unique=True)
    place.work()
    assert (place.tags(), look_at_milestones(place.ground(), NOW_US).waits) == ([], True)
