"""Releases that people and programs ask a server for: what was foretold is begun once, and followed to its end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.automation.commands.taking import AT_ONCE_S, FOLLOW_S, Doer, Wish
from shipline.capabilities.automation.deliveries import see, seen_of
from shipline.capabilities.automation.rules import ASKED, Command
from shipline.capabilities.automation.steps import Carried
from shipline.capabilities.automation.usecases import start_look
from shipline.capabilities.automation.words import Spoken, read_command
from shipline.domain.actor import Actor
from shipline.domain.errors import InvalidValue, RefusedError
from shipline.engine.engine import Engine
from shipline.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked for. `via` is the way that it came by, whose actor it is; `key` is the same where the same request
    comes again. `digest` is that of the plan that was foretold."""

    via: str
    key: str
    digest: str
    spoken: Spoken

    @property
    def about(self) -> str:
        """As a command is about it."""
        return f"{self.via}-{self.key} {self.digest} {self.spoken.line}"

    @staticmethod
    def read(about: str) -> Asking:
        """The other way round. InvalidValue for what is none."""
        name, _, rest = about.partition(" ")
        digest, _, line = rest.partition(" ")
        via, _, key = name.partition("-")
        spoken = read_command(line)
        if not isinstance(spoken, Spoken):
            raise InvalidValue(f"{line[:80]!r} asks for nothing")
        return Asking(via, key, digest, spoken)


def plan_digest(plan: Mapping[str, Any]) -> str:
    """What a plan is known by."""
    return hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()[:32]


def asked_before(tx: Transaction, via: str, key: str, spoken: Spoken) -> str | None:
    """The run of this request, where it came before. RefusedError where its key came with something else."""
    tx.lock(_name(via, key))
    known = seen_of(tx, (_name(via, key),)).get(_name(via, key))
    if known is None:
        return None
    run_id, _, line = known.partition(" ")
    if line != _line_digest(spoken):
        raise RefusedError(
            "this Idempotency-Key was sent with another request", todo="send each request with a key of its own"
        )
    return run_id


def order_asked(tx: Transaction, engine: Engine, asking: Asking) -> str:
    """Have it done, by a run of its own; returns the run's id, that of the first time where it came before."""
    known = asked_before(tx, asking.via, asking.key, asking.spoken)
    if known is not None:
        return known
    run_id = start_look(tx, engine, Command(ASKED, asking.about))
    see(tx, {_name(asking.via, asking.key): f"{run_id} {_line_digest(asking.spoken)}"}, engine.clock.now_us())
    return run_id


def _name(via: str, key: str) -> str:
    return f"asked:{via}-{key}"


def _line_digest(spoken: Spoken) -> str:
    return hashlib.sha256(spoken.line.encode()).hexdigest()[:32]


class AskedTaker:
    """A hand of automation. `actors` are by the way that a request came by."""

    def __init__(self, doer: Callable[[], Doer], actors: Mapping[str, Actor]) -> None:
        self._doer = doer
        self._actors = actors

    def __call__(self, command: Command, memory: dict[str, Any]) -> Carried:
        """One look. RefusedError where something else is due than was foretold, and where it does not go well."""
        asking = Asking.read(command.about)
        actor = self._actors[asking.via]
        because = f"{asking.spoken.line} by {actor}"
        wish, doer = Wish(asking.spoken, actor, because, f"{asking.via}-{asking.key}"), self._doer()
        if "plan" not in memory:
            plan = doer.foretell(wish).plan
            if plan_digest(plan) != asking.digest:
                raise RefusedError("something else is due by now than was foretold", todo="look at it, and ask anew")
            return Carried("Accepted", again_s=AT_ONCE_S, memory={"plan": plan})
        progress = doer.carry(wish, memory["plan"])
        words = "; ".join((progress.headline, *progress.sentences))
        if progress.ended is None:
            return Carried(words, again_s=FOLLOW_S, memory={"plan": progress.plan})
        if not progress.ended:
            raise RefusedError(words, todo="mend it, then ask anew: it goes on from where it stopped")
        return Carried(words, changed=True)
