"""Commands in comments: what is one, who may give it, and that each is carried out once whatever dies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.automation import (
    AUTOMATION_WORKFLOW,
    COMMENT,
    LOOK,
    Command,
    CommandGround,
    CommandTaker,
    Duties,
    Foretold,
    LookStep,
    NewDelivery,
    Progress,
    Spoken,
    Verb,
    Wish,
    automation_workflow,
    decide,
    follow_command,
    handle_deliveries,
    keep_deliveries,
    read_command,
    read_event,
)
from shipline.capabilities.automation.commands import Misspoken
from shipline.domain.errors import RefusedError
from shipline.engine.engine import Catalogue, Engine
from shipline.ports.forge.answers import Thread
from shipline.ports.forge.speakers import Role
from shipline.store.database import Store
from shipline.store.event_writer import EventWriter
from shipline.store.log import read_latest
from shipline.testing.fakes.forge.memory import FakeForge
from shipline.testing.fakes.forge.model import MemoryRefs
from shipline.testing.kills import Countdown, Killed, Mortal, MortalStore
from shipline.testing.world import World

ALLOWED = {Verb.RELEASE: Role.MAINTAIN, Verb.PROMOTE: Role.WRITE}
COMMIT = "a" * 40


# --- what is said --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/release", Spoken(Verb.RELEASE)),
        ("/release v1.4.0 --dry-run\r\nplease", Spoken(Verb.RELEASE, version="1.4.0", dry_run=True)),
        ("/shipline approve production", Spoken(Verb.APPROVE, "production")),
        ("/promote staging --package @acme/quotes", Spoken(Verb.PROMOTE, "staging", package="@acme/quotes")),
        ("/rollback", Spoken(Verb.ROLLBACK)),
        ("/rollback 1.2.0", Spoken(Verb.ROLLBACK, version="1.2.0")),
        ("/rollback production 1.2.0", Spoken(Verb.ROLLBACK, "production", "1.2.0")),
        ("/hotfix production", Spoken(Verb.HOTFIX, "production")),
        (
            "/freeze all 2026-12-18T18:00 --reason --package is late",
            Spoken(Verb.FREEZE, "all", until="2026-12-18T18:00", reason="--package is late"),
        ),
        ("/unfreeze", Spoken(Verb.UNFREEZE)),
    ],
)
def test_a_command_is_read_whole(text: str, expected: Spoken) -> None:
    assert read_command(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "> /release",
        " /release",
        "`/release`",
        "```\n/release\n```",
        "    /release",
        "\n/release",
        "<!-- -->/release",
        "please\n/release",
        "/released",
        "/releases 1.0.0",
        "/RELEASE",
        "/release\u00a01.0.0",
        "\u200b/release",
        "/release \u2014dry-run",
        "/merge",
        "/shipline",
        "//release",
        "/release\t1.0.0",
        "/release " + "1" * 300,
        "",
    ],
)
def test_what_is_not_exactly_a_command_is_none(text: str) -> None:
    """Quoted, shown as code, after other words, hidden, or nearly one."""
    assert read_command(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "/release now",
        "/release 1.0.0 2.0.0",
        "/release --force",
        "/release --package",
        "/promote",
        "/promote staging production",
        "/promote $(id)",
        "/promote --dry-run=1 staging",
        "/rollback a;b",
        "/approve production 1.0.0",
    ],
)
def test_a_command_that_is_written_wrongly_is_told_so(text: str) -> None:
    assert isinstance(read_command(text), Misspoken)


def test_only_a_new_comment_is_looked_at() -> None:
    """An edit, a deletion, the title of an issue, and a milestone lead to nothing, whatever they say."""
    duties = Duties(commands=frozenset({"release"}))

    def commands(event: str, document: dict[str, Any]) -> list[str]:
        found = read_event("github", event, document)
        return [each.key for each in decide(found, duties)]  # type: ignore[arg-type] # It is known.

    about = {"number": 7, "state": "open", "title": "/release", "milestone": {"title": "/release"}}
    comment = {"id": 31, "body": "/release", "user": {"login": "ada"}}
    assert commands("issue_comment", {"action": "created", "issue": about, "comment": comment}) == [
        "comment:issue-7-31"
    ]
    on_pull = about | {"pull_request": {"url": "there"}}
    assert commands("issue_comment", {"action": "created", "issue": on_pull, "comment": comment}) == [
        "comment:pull-7-31"
    ]
    assert commands("issue_comment", {"action": "edited", "issue": about, "comment": comment}) == []
    assert commands("issue_comment", {"action": "deleted", "issue": about, "comment": comment}) == []
    other = comment | {"body": "/promote staging"}
    assert commands("issue_comment", {"action": "created", "issue": about, "comment": other}) == []
    assert commands("issues", {"action": "opened", "issue": about | {"body": "/release"}}) == []
    assert commands("milestone", {"action": "created", "milestone": about | {"description": "/release"}}) == []


# --- what is done --------------------------------------------------------------------------------------------------


class Orders:
    """A place where something is ordered by its key, as releases and rollouts are: it outlives every process."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, str, str]] = []
        self.refuses: RefusedError | None = None

    def foretell(self, wish: Wish) -> Foretold:
        if self.refuses is not None:
            raise self.refuses
        return Foretold(("quotes 1.4.0: features since 1.3.0",), {"version": "1.4.0"})

    def carry(self, wish: Wish, plan: dict[str, Any]) -> Progress:
        order = (wish.key, wish.spoken.line, str(wish.actor))
        if order not in self.begun:
            self.begun.append(order)
            return Progress("releasing quotes 1.4.0", (), None, plan)
        return Progress("released", ("quotes 1.4.0 is released", "@ada <b>"), ended=True, plan=plan)


class Scene:
    """A forge with an issue, its people, and engines that take commands."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.forge = FakeForge(MemoryRefs({"refs/heads/main": COMMIT}))
        self.model = self.forge.model
        self.orders = Orders()
        self.allowed = dict(ALLOWED)
        self.issue = self.model.create_item("something is wrong", "/release", [], author="ada").number
        self.thread = Thread.issue(self.issue)
        self.model.allow("ada", "maintain")
        self.model.allow("grace", "write")

    def engine(self, countdown: Countdown | None = None) -> Engine:
        """A process; with a countdown, one that dies."""
        world, forge, doer, store = self.world, self.forge, self.orders, self.world.store
        if countdown is not None:
            store = MortalStore(store, countdown)
            forge = Mortal(forge, countdown, name="forge", effects=("react", "put_comment"))  # type: ignore[assignment]
            doer = Mortal(doer, countdown, name="doer", effects=("foretell", "carry"))  # type: ignore[assignment]
        events = EventWriter(world.ids, world.clock)

        def ground() -> CommandGround:
            return CommandGround(forge, store, events, world.clock, self.allowed, "github", doer)

        made: list[Engine] = []
        actions = {f"{AUTOMATION_WORKFLOW}.{LOOK}": LookStep({COMMENT: CommandTaker(ground)}, events)}
        observers = {AUTOMATION_WORKFLOW: lambda tx, run: follow_command(tx, made[0], run)}
        made.append(
            self.world.engine(Catalogue({AUTOMATION_WORKFLOW: automation_workflow()}, actions, observers), store)
        )
        return made[0]

    def say(self, body: str, author: str = "ada", thread: Thread | None = None) -> str:
        """A comment of this moment; its key."""
        key = self.model.speak(thread or self.thread, author, body)
        self.model.note(int(key)).created_us = self.world.clock.now_us()
        return key

    def hook(self, key: str, store: Store | None = None, *, again: bool = False) -> None:
        """The forge tells of a comment."""
        note = self.model.note(int(key))
        issue: dict[str, Any] = {"number": note.thread.number} | (
            {"pull_request": {}} if note.thread.kind == "pull" else {}
        )
        said = {"id": note.key, "body": note.body, "user": {"login": note.author}}
        payload = json.dumps({"action": "created", "issue": issue, "comment": said}).encode()
        new = NewDelivery("github", f"{key}-again" if again else key, "issue_comment", payload)
        keep_deliveries(store or self.world.store, [new], self.world.clock.now_us())

    def settle(self, engine: Engine | None = None) -> None:
        """Until nothing waits and nothing is under way."""
        used = engine or self.engine()
        duties = Duties(commands=frozenset(self.allowed))
        while handle_deliveries(used.store, used, lambda: duties):
            pass
        self.world.run_until_quiet(used)

    def answers(self) -> list[str]:
        """What Shipline has written."""
        return [note.body for note in self.model.notes.values() if note.author == "robot"]

    def told(self, body: str, author: str = "ada", thread: Thread | None = None) -> tuple[tuple[str, ...], list[str]]:
        """A comment is written and told of; the signs below it, and what was answered in all."""
        key = self.say(body, author, thread)
        self.hook(key)
        self.settle()
        return self.model.signs(key), self.answers()


@pytest.fixture
def scene(tmp_path: Path, sqlite_url: str) -> Iterator[Scene]:
    world = World(1, tmp_path, url=sqlite_url)
    yield Scene(world)
    world.close()


def test_a_command_is_accepted_followed_and_done(scene: Scene) -> None:
    """One comment, kept up to date, and two signs; by whom it was asked for is in the order and in the log."""
    signs, (answer,) = scene.told("/release 1.4.0\nNow, please.")
    assert signs == ("eyes", "+1")
    assert answer.startswith("<!-- shipline:command issue-1-")
    assert "`/release 1.4.0` by `ada`: **released**\n\n- quotes 1.4.0 is released\n" in answer
    assert "@ada" not in answer
    assert "<b>" not in answer
    ((key, line, actor),) = scene.orders.begun
    assert (line, actor) == ("/release 1.4.0", "ada@github")
    assert key.startswith("github-comment-issue-1-")
    kinds = [each.event.kind for each in read_latest(scene.world.store, 10, f"automation:comment:{key[15:]}")]
    assert kinds == ["CommandTaken", "AutomationActed"]
    # Told of once more, by the forge or by a person: nothing.
    before = len(scene.model.effects)
    scene.hook(key.rpartition("-")[2], again=True)
    scene.settle()
    assert (len(scene.orders.begun), len(scene.model.effects)) == (1, before)


def test_a_pull_request_of_the_repository_itself_is_a_place_to_ask(scene: Scene) -> None:
    """Its title and text ask for nothing."""
    scene.model.create_ref("refs/heads/topic", COMMIT)
    pull = scene.model.open_pull("topic", "main", "/release", "/release")
    signs, (answer,) = scene.told("/promote staging", "grace", Thread.pull(pull.number))
    assert signs == ("eyes", "+1")
    assert "**released**" in answer
    assert [line for _, line, _ in scene.orders.begun] == ["/promote staging"]


def test_a_dry_run_tells_and_does_nothing(scene: Scene) -> None:
    signs, (answer,) = scene.told("/release --dry-run")
    assert (signs, scene.orders.begun) == (("eyes", "+1"), [])
    assert "a dry run: nothing was done" in answer
    assert "quotes 1.4.0: features since 1.3.0" in answer


def test_what_stands_in_the_way_is_answered_with_what_to_do(scene: Scene) -> None:
    scene.orders.refuses = RefusedError("the gate coverage is closed", why="71 %", todo="add tests")
    signs, (answer,) = scene.told("/release")
    assert (signs, scene.orders.begun) == (("eyes", "-1"), [])
    assert "**refused**\n\n- the gate coverage is closed: 71 %\n- add tests" in answer
    signs, answers = scene.told("/promote")
    assert signs == ("-1",)
    assert "/promote ENVIRONMENT" in answers[1]


def test_who_may_not_is_refused_and_strangers_get_a_sign_alone(scene: Scene) -> None:
    """Whoever may read may write comments: none of that makes Shipline write one."""
    signs, (answer,) = scene.told("/release", "grace")
    assert signs == ("-1",)
    assert "takes the role maintain here, and grace has write" in answer
    assert scene.told("/promote staging", "stranger") == (("-1",), [answer])
    scene.model.allow("machine", "admin", robot=True)
    assert scene.told("/release", "machine") == (("-1",), [answer])
    scene.model.hide_roles()
    signs, answers = scene.told("/release", "ada")
    assert (signs, answers) == (("-1",), [answer])
    assert scene.orders.begun == []


def test_what_nobody_may_ask_for_is_passed_over_in_silence(scene: Scene) -> None:
    """Not switched on, edited, of Shipline's own account, below a fork's pull request, too old, or gone."""
    effects: list[str] = []

    def silence(key: str) -> None:
        effects[:] = scene.model.effects
        scene.hook(key)
        scene.settle()
        assert scene.model.effects == effects

    silence(scene.say("/rollback production"))
    edited = scene.say("a word")
    scene.model.reword(edited, "/release")
    silence(edited)
    silence(scene.say("/release", "robot"))
    scene.model.open_pull("topic", "main", "/release", "/release", fork=True)
    (number,) = scene.model.pulls
    silence(scene.say("/release", thread=Thread.pull(number)))
    # The same told of as if it stood below an issue.
    key = scene.say("/release", thread=Thread.pull(number))
    about = f"issue-{number}-{key}"
    carried = CommandTaker(
        lambda: CommandGround(
            scene.forge,
            scene.world.store,
            EventWriter(scene.world.ids, scene.world.clock),
            scene.world.clock,
            scene.allowed,
            "github",
            scene.orders,
        )
    )(Command(COMMENT, about), {})
    assert carried.again_s is None
    old = scene.say("/release")
    scene.world.clock.jump_to(scene.world.clock.now_us() + 2 * 3_600_000_000)
    silence(old)
    gone = scene.say("/release")
    scene.hook(gone)
    scene.model.delete_note(int(gone))
    before = list(scene.model.effects)
    scene.settle()
    assert scene.model.effects == before
    assert scene.orders.begun == []


def test_a_process_may_die_anywhere(tmp_path: Path, sqlite_url: str) -> None:
    """Before and after each commit and each effect: nothing is lost and nothing is done twice."""
    scene = Scene(World(1, tmp_path, url=sqlite_url))
    kills, fatal, is_over = 0, 0, False
    while not is_over:
        fatal += 1
        countdown = Countdown(fatal)
        key = scene.say("/release")
        scene.hook(key)
        try:
            scene.settle(scene.engine(countdown))
            is_over = True
        except Killed:
            kills += 1
        scene.settle()
        mine = [each for each in scene.orders.begun if each[0].endswith(f"-{key}")]
        assert len(mine) == 1, (fatal, countdown.passed[-1:])
        assert scene.model.signs(key) == ("eyes", "+1"), (fatal, countdown.passed[-1:])
        ours = [body for body in scene.answers() if f"-{key} -->" in body]
        assert len(ours) == 1, (fatal, countdown.passed[-1:])
        assert "**released**" in ours[0]
    assert kills > 30, "there were fewer places to die than are known"
    scene.world.close()


def test_two_nodes_and_a_redelivery_do_it_once(tmp_path: Path, postgresql_url: str) -> None:
    scene = Scene(World(3, tmp_path, url=postgresql_url))
    nodes = (scene.engine(), scene.engine())
    duties = Duties(commands=frozenset(scene.allowed))
    key = scene.say("/release")
    for again in (False, True):
        scene.hook(key, again=again)
        for node in nodes:
            handle_deliveries(node.store, node, lambda: duties)
            node.sweep()
    for node in nodes:
        scene.settle(node)
    assert len(scene.orders.begun) == len(scene.answers()) == 1
    scene.world.close()
