"""Taking a command: heard, judged, tried without effect, carried out, and answered by a sign and one comment.

Promises: a comment is carried out at most once, however often it is told of, by however many nodes, and whatever dies
meanwhile. Each look ends with one thing done, and the next begins from what the run remembers; what is not known to be
new is not begun. Nothing is written below a comment before it is known that it asks for something here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shipline.capabilities.automation.commands.rules import Heard, Refusal, Unheard, hear, judge
from shipline.capabilities.automation.commands.rules import Place as CommentPlace
from shipline.capabilities.automation.commands.texts import answer, marker
from shipline.capabilities.automation.deliveries import see, seen_of
from shipline.capabilities.automation.rules import Command
from shipline.capabilities.automation.steps import Carried
from shipline.capabilities.automation.words import Spoken, Verb
from shipline.domain.actor import Actor, ActorKind
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import ShiplineError
from shipline.ports.clock import Clock
from shipline.ports.forge import Forge, bears
from shipline.ports.forge.answers import Thread, ThreadKind, is_ours
from shipline.ports.forge.speakers import Reaction, Role
from shipline.store.database import Store
from shipline.store.event_writer import EventWriter

FOLLOW_S = 2.0
AT_ONCE_S = 0.0
WELL_NOT = {"well": False}
"""What is remembered of what has ended otherwise than was asked for: a job says so by its exit code."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody may have done: what was said, by whom, and why as it is kept in the log. `key` is the same for the
    same comment, and for no other."""

    spoken: Spoken
    actor: Actor
    because: str
    key: str


@dataclass(frozen=True, slots=True)
class Foretold:
    """What would be done, in sentences, and `plan` (JSON): exactly that is carried out then, or nothing."""

    sentences: tuple[str, ...]
    plan: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Progress:
    """How it stands. `ended` None while it goes on, else whether it went well. `plan` as for `Foretold`."""

    headline: str
    sentences: tuple[str, ...]
    ended: bool | None
    plan: dict[str, Any]


class Doer(Protocol):
    """The commands themselves, as the command line, the page and the interface have them."""

    def foretell(self, wish: Wish) -> Foretold:
        """Try it, with all that could refuse it, and change nothing. ShiplineError where it would not begin."""
        ...

    def carry(self, wish: Wish, plan: dict[str, Any]) -> Progress:
        """Begin what has not begun of the plan, and see how it stands. Begins nothing twice for one key."""
        ...


@dataclass(frozen=True, slots=True)
class CommandGround:
    """What commands stand on. `allowed` are the verbs that are switched on, with the least role. `issuer` names the
    forge that vouches for who wrote a comment."""

    forge: Forge
    store: Store
    events: EventWriter
    clock: Clock
    allowed: Mapping[Verb, Role]
    issuer: str
    doer: Doer


class CommandTaker:
    """A hand of automation; `ground` gives what is so at each look."""

    def __init__(self, ground: Callable[[], CommandGround]) -> None:
        self._ground = ground

    def __call__(self, command: Command, memory: dict[str, Any]) -> Carried:
        """One look. Trouble that passes is raised, and waited out; any other is the answer."""
        ground, about = self._ground(), command.about
        if not memory:
            return _listen(ground, about)
        if "refusal" in memory:
            return _refuse(ground, about, memory)
        if "plan" not in memory:
            return _try(ground, about, memory)
        return _carry(ground, about, memory)


def _where(about: str) -> tuple[Thread, str]:
    kind, number, key = about.split("-")
    return Thread(ThreadKind(kind), int(number)), key


def _listen(ground: CommandGround, about: str) -> Carried:
    """Whether somebody may want something: nothing is written yet, not even for ourselves."""
    thread, key = _where(about)
    with ground.store.begin() as tx:
        if seen_of(tx, (_name(about),)):
            return Carried("this comment was taken up before")
    remark = ground.forge.remark(thread, key)
    if remark is None:
        return Carried("the comment is gone")
    heard = hear(remark, _place_of(ground, about), ground.allowed, ground.clock.now_us())
    if isinstance(heard, Unheard):
        return Carried(heard.why)
    author = remark.comment.author
    refusal = judge(heard, author, ground.forge.speaker(author))
    remembered = {"author": author, "line": _line(heard)}
    if refusal is not None:
        return Carried("Answering", again_s=AT_ONCE_S, memory=remembered | {"refusal": to_json(refusal)})
    assert isinstance(heard.asked, Spoken)  # noqa: S101 - what is written wrongly was refused
    return Carried("Taking it up", again_s=AT_ONCE_S, memory=remembered | {"spoken": to_json(heard.asked)})


def _line(heard: Heard) -> str:
    return heard.asked.line if isinstance(heard.asked, Spoken) else f"/{heard.asked.verb}"


def _name(about: str) -> str:
    """What a comment that was taken up is known by, for good: its run may be told of it again after its end."""
    return f"command:{about}"


def _place_of(ground: CommandGround, about: str) -> CommentPlace:
    """Where it stands, by what the forge says now."""
    thread, _ = _where(about)
    if thread.kind is ThreadKind.PULL:
        pull = ground.forge.find_pull_request(thread.number)
        exists, fork = pull is not None, pull is not None and pull.fork
    else:
        exists, fork = ground.forge.find_issue(thread.number) is not None, False
    account = ground.forge.account()
    # On GitHub an account that is not told is an app's or a workflow's, whose comments are marked as a robot's.
    tells_own = account != "" or ground.issuer == "github"
    return CommentPlace(exists, fork, exists and _is_answered(ground, thread, about), account, tells_own)


def _is_answered(ground: CommandGround, thread: Thread, about: str) -> bool:
    ours = ground.forge.account()
    answers = (one for one in ground.forge.comments(thread) if bears(one.body, marker(about)))
    return any(is_ours(ours, one.author) for one in answers)


def _taken(ground: CommandGround, about: str, memory: dict[str, Any], kind: str) -> None:
    """Note it for good, once, before anything is written or begun."""
    with ground.store.begin() as tx:
        tx.lock(_name(about))
        if seen_of(tx, (_name(about),)):
            return
        see(tx, {_name(about): kind}, ground.clock.now_us())
        refusal = memory.get("refusal", {})
        body = {"about": about, "author": memory["author"], "said": memory["line"], "why": refusal.get("why", "")}
        ground.events.append(tx, f"automation:comment:{about}", kind, body)


def _refuse(ground: CommandGround, about: str, memory: dict[str, Any]) -> Carried:
    refusal = from_json(Refusal, memory["refusal"])
    _taken(ground, about, memory, "CommandRefused")
    thread, key = _where(about)
    ground.forge.react(thread, key, Reaction.NO)
    if not refusal.quiet:
        _say(ground, about, memory, "refused", tuple(one for one in (refusal.why, refusal.todo) if one))
    return Carried(f"{memory['line']} of {memory['author']} was refused: {refusal.why}", changed=True, memory=WELL_NOT)


def _try(ground: CommandGround, about: str, memory: dict[str, Any]) -> Carried:
    """The dry run, and the first answer."""
    _taken(ground, about, memory, "CommandTaken")
    thread, key = _where(about)
    ground.forge.react(thread, key, Reaction.SEEN)
    wish = _wish(ground, about, memory)
    try:
        foretold = ground.doer.foretell(wish)
    except ShiplineError as error:
        return _refused_by(error, memory)
    if wish.spoken.dry_run:
        _say(ground, about, memory, "a dry run: nothing was done", foretold.sentences)
        ground.forge.react(thread, key, Reaction.YES)
        return Carried(f"{wish.spoken.line}: foretold", changed=True)
    _say(ground, about, memory, "accepted", foretold.sentences)
    return Carried("Accepted", again_s=AT_ONCE_S, memory=memory | {"plan": foretold.plan})


def _carry(ground: CommandGround, about: str, memory: dict[str, Any]) -> Carried:
    wish = _wish(ground, about, memory)
    try:
        progress = ground.doer.carry(wish, memory["plan"])
    except ShiplineError as error:
        return _refused_by(error, memory)
    words = f"{wish.spoken.line}: {progress.headline}"
    said = [progress.headline, *progress.sentences]
    if said != memory.get("said"):
        _say(ground, about, memory, progress.headline, progress.sentences)
    if progress.ended is None:
        return Carried(words, again_s=FOLLOW_S, memory=memory | {"plan": progress.plan, "said": said})
    thread, key = _where(about)
    ground.forge.react(thread, key, Reaction.YES if progress.ended else Reaction.NO)
    return Carried(words, changed=True, memory={} if progress.ended else WELL_NOT)


def _refused_by(error: ShiplineError, memory: dict[str, Any]) -> Carried:
    """What stands in the way is the answer; what passes by itself is waited out by who called."""
    if error.retryable:
        raise error
    refusal = Refusal(error.sentence(), error.todo)
    return Carried("Answering", again_s=AT_ONCE_S, memory=memory | {"refusal": to_json(refusal)})


def _wish(ground: CommandGround, about: str, memory: dict[str, Any]) -> Wish:
    thread, _ = _where(about)
    spoken = from_json(Spoken, memory["spoken"])
    actor = Actor(ActorKind.PERSON, ground.issuer, memory["author"], authenticated=True)
    what = "pull request" if thread.kind is ThreadKind.PULL else "issue"
    because = f"{spoken.line} by {memory['author']} in {what} {thread.number}"
    return Wish(spoken, actor, because, f"{ground.issuer}-comment-{about}")


def _say(ground: CommandGround, about: str, memory: dict[str, Any], headline: str, sentences: tuple[str, ...]) -> None:
    thread, _ = _where(about)
    body = answer(memory["author"], memory["line"], headline, sentences)
    ground.forge.put_comment(thread, marker=marker(about), body=body)
