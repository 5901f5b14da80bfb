"""Asking about a pull request: once for each commit, within limits, on every forge, whatever dies."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.automation import (
    ASSISTANT,
    AUTOMATION_WORKFLOW,
    LOOK,
    AssistantGround,
    AssistantRules,
    AssistantTaker,
    Change,
    Command,
    Duties,
    FileDiff,
    LookStep,
    automation_workflow,
    decide,
    duo_instructions,
    follow_command,
    order_look,
)
from shipline.capabilities.automation.assistance.asking import DAY_US
from shipline.capabilities.automation.events import ChecksEnded, ChecksState, PullRequestChanged, ThingState
from shipline.clients.yaml_text import read_yaml
from shipline.domain.errors import RefusedError, ShiplineError, UnavailableError
from shipline.engine.engine import Catalogue, Engine
from shipline.ports.forge import CommitStatus, Forge, PullRequest, StatusState
from shipline.store.event_writer import EventWriter
from shipline.testing.fakes.assistant import FakeAssistant, Trouble
from shipline.testing.fakes.forge.memory import FakeForge
from shipline.testing.fakes.forge.model import ForgeModel, MemoryRefs
from shipline.testing.kills import Countdown, Killed, Mortal, MortalStore
from shipline.testing.world import World
from tests.providers.forge.places import KINDS, TOKEN, running

RULES = AssistantRules(("review",), (), {}, 4000, 500, 3)
HUNKS = "@@ -1 +1 @@\n-x\n+if x == None:\n"
COMMITS = tuple(letter * 40 for letter in "abcdef")


def look(pull: PullRequest, _rules: AssistantRules) -> Change:
    return Change(pull.title, (FileDiff("a", HUNKS),))


@dataclass
class Scene:
    """A pull request, number 1, and an assistant that is asked about it."""

    world: World
    model: ForgeModel = field(default_factory=lambda: ForgeModel(MemoryRefs()))
    assistant: FakeAssistant = field(default_factory=FakeAssistant)
    rules: AssistantRules = RULES
    forge: Forge | None = None

    def __post_init__(self) -> None:
        if self.forge is None:
            memory = FakeForge(MemoryRefs({"refs/heads/main": COMMITS[-1], "refs/heads/topic": COMMITS[0]}))
            self.forge, self.model = memory, memory.model
            self.model.open_pull("topic", "main", "feat: more", "")

    @property
    def ground(self) -> AssistantGround:
        assert self.forge is not None
        return AssistantGround(self.forge, self.world.store, self.world.clock, self.assistant, self.rules, look)

    def pushed(self, commit: str) -> None:
        """A new commit comes to the pull request."""
        self.model.move_ref("refs/heads/topic", commit)

    def work(self) -> str:
        """Looks, as a run makes them, until one is the last."""
        (number,) = self.model.pulls
        taker, memory = AssistantTaker(lambda: self.ground), dict[str, Any]()
        while True:
            carried = taker(Command(ASSISTANT, str(number)), memory)
            if carried.again_s is None:
                return carried.words
            memory = carried.memory

    def said(self) -> list[str]:
        return [note.body for note in self.model.notes.values()]


@pytest.fixture
def scene(tmp_path: Path, sqlite_url: str) -> Scene:
    return Scene(World(1, tmp_path, url=sqlite_url))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_one_comment_on_every_forge_and_one_question_a_commit(
    kind: str, tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marked as the assistant's, with its suggestion; kept in its place for the next commit; no status is set."""
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    with running(kind, tmp_path) as place:
        place.model.create_ref("refs/heads/topic", place.commits[1])
        place.model.open_pull("topic", "main", "feat: more", "")
        scene = Scene(World(1, tmp_path / "world", url=sqlite_url), place.model, forge=place.forge)
        scene.work()
        assert scene.work() == "the assistant was asked about this commit"
        assert len(scene.assistant.asked) == 1
        (body,) = scene.said()
        assert body.startswith("<!-- shipline:assistant -->\n**Advice of an assistant** (`small-reviewer`)")
        block = "```suggestion\nif x is None:\n```"
        if kind == "gitea":
            assert f"`a` line 1: compare with is\n\n{block}" in body
        else:
            ((note,),) = [pull.line_notes for pull in place.model.pulls.values()]
            assert "`a` line 1 (a suggestion stands there): compare with is" in body
            assert "**Advice of an assistant** (`small-reviewer`): compare with is\n\n```suggestion" in note.body
            assert (note.path, note.line, "\nif x is None:\n```" in note.body) == ("a", 1, True)
        scene.pushed(place.commits[0])
        scene.assistant.speech = '{"summary": "Nothing."}'
        scene.work()
        (body,) = scene.said()
        assert ("> Nothing." in body, place.commits[0][:9] in body) == (True, True)
        assert place.model.said == []
        scene.world.close()


def test_nothing_is_asked_about_what_is_not_ready_or_not_ours(scene: Scene) -> None:
    (pull,) = scene.model.pulls.values()
    pull.fork = True
    assert "another repository" in scene.work()
    pull.fork, pull.draft = False, True
    assert "draft" in scene.work()
    pull.draft = False
    scene.rules = replace(RULES, tasks=("explain",))
    forge = scene.ground.forge
    forge.set_status(COMMITS[0], CommitStatus("ci", StatusState.PENDING))
    assert "have not ended" in scene.work()
    assert (scene.assistant.asked, scene.said()) == ([], [])
    forge.set_status(COMMITS[0], CommitStatus("ci", StatusState.FAILURE))
    scene.work()
    assert len(scene.said()) == 1


def test_what_is_asked_in_a_day_has_an_end(scene: Scene) -> None:
    for commit in COMMITS[:3]:
        scene.pushed(commit)
        scene.work()
    scene.pushed(COMMITS[3])
    with pytest.raises(RefusedError, match="asked 3 times today"):
        scene.work()
    scene.world.clock.jump_to(scene.world.clock.now_us() + DAY_US)
    scene.work()
    assert len(scene.assistant.asked) == 4


def test_trouble_that_passes_is_waited_out_and_counted_and_has_an_end(scene: Scene) -> None:
    scene.rules = replace(RULES, calls_per_day=50)
    scene.assistant.troubles = [Trouble.LIMITED, Trouble.DOWN, Trouble.HANGS, Trouble.DOWN, Trouble.DOWN]
    for _ in range(5):
        with pytest.raises(UnavailableError):
            scene.work()
    with pytest.raises(RefusedError, match="gave no answer"):
        scene.work()
    assert scene.work() == "the assistant was asked about this commit"
    assert (len(scene.assistant.asked), scene.said()) == (5, [])


@pytest.mark.parametrize("trouble", [Trouble.REFUSES, Trouble.RUBBISH, Trouble.CUT_OFF])
def test_an_answer_that_is_none_is_told_once_and_not_asked_for_again(scene: Scene, trouble: Trouble) -> None:
    scene.assistant.troubles = [trouble]
    with pytest.raises(ShiplineError) as caught:
        scene.work()
    assert not caught.value.retryable
    assert scene.work() == "the assistant was asked about this commit"
    assert scene.said() == []


class Reviewer(FakeAssistant):
    """Like Duo."""

    reviewer = "GitLabDuo"


def test_one_that_reviews_by_itself_is_asked_for_its_review(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On GitLab, once for each commit; nothing is sent and nothing is written."""
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    with running("gitlab", tmp_path) as place:
        place.model.create_ref("refs/heads/topic", place.commits[1])
        pull = place.model.open_pull("topic", "main", "feat: more", "")
        place.model.people.append("GitLabDuo")
        scene = Scene(World(1, tmp_path / "world", url=sqlite_url), place.model, Reviewer(), forge=place.forge)
        scene.work()
        scene.work()
        assert (pull.reviewers, scene.assistant.asked, scene.said()) == (["GitLabDuo"], [], [])
        scene.world.close()


def test_its_instructions_are_a_file() -> None:
    """As GitLab documents it."""
    listed = {"name": "*.rb", "fileFilters": ["*.rb"], "instructions": "1. Short.\n2. Plain.\n"}
    assert read_yaml(duo_instructions({"*.rb": "1. Short.\n2. Plain.\n"})) == {"instructions": [listed]}


def test_what_leads_to_a_question() -> None:
    duties = Duties(assistant=True)

    def event(*, draft: bool = False, from_fork: bool = False) -> PullRequestChanged:
        state = ThingState.OPEN
        return PullRequestChanged(7, "opened", state, "t", "topic", "main", "a", "", draft, from_fork)

    assert decide(event(), duties) == (Command(ASSISTANT, "7"),)
    assert decide(event(draft=True), duties) == decide(event(from_fork=True), duties) == decide(event(), Duties()) == ()
    ended = ChecksEnded("a" * 40, ChecksState.FAILURE, "ci")
    assert decide(ended, duties) == (Command(ASSISTANT, f"commit:{'a' * 40}"),)


def engine_of(scene: Scene, countdown: Countdown | None = None) -> Engine:
    """A process; with a countdown, one that dies."""
    world, ground, store = scene.world, scene.ground, scene.world.store
    if countdown is not None:
        store = MortalStore(store, countdown)
        forge = Mortal(ground.forge, countdown, name="forge", effects=("put_comment", "suggest"))
        assistant = Mortal(scene.assistant, countdown, name="assistant", effects=("ask",))
        ground = replace(ground, forge=forge, assistant=assistant, store=store)
    events, made = EventWriter(world.ids, world.clock), list[Engine]()
    actions = {f"{AUTOMATION_WORKFLOW}.{LOOK}": LookStep({ASSISTANT: AssistantTaker(lambda: ground)}, events)}
    observers = {AUTOMATION_WORKFLOW: lambda tx, run: follow_command(tx, made[0], run)}
    made.append(world.engine(Catalogue({AUTOMATION_WORKFLOW: automation_workflow()}, actions, observers), store))
    return made[0]


def test_a_process_may_die_anywhere(scene: Scene) -> None:
    """There is one comment, and an answer that was kept is never asked for again."""
    scene.rules = replace(RULES, calls_per_day=10_000)
    fatal, is_over = 0, False
    while not is_over:
        fatal += 1
        scene.pushed(f"{fatal:040x}")
        scene.assistant.asked.clear()
        countdown = Countdown(fatal)
        try:
            mortal = engine_of(scene, countdown)
            with mortal.store.begin() as tx:
                order_look(tx, mortal, Command(ASSISTANT, "1"))
            scene.world.run_until_quiet(mortal)
            is_over = True
        except Killed:
            engine = engine_of(scene)
            with engine.store.begin() as tx:
                order_look(tx, engine, Command(ASSISTANT, "1"))
            scene.world.run_until_quiet(engine)
        (body,) = scene.said()
        assert f"`{fatal:040x}"[:10] in body, countdown.passed[-1:]
        asked_again = len(scene.assistant.asked) == 2
        is_lost = "after assistant.ask" in countdown.passed and countdown.passed[-1] in (
            "after assistant.ask",
            "before commit",
        )
        assert not asked_again or is_lost, countdown.passed
    assert fatal > 10, "there were fewer places to die than are known"
    scene.world.close()
