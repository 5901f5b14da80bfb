"""Assistants, wired: who is asked and what is shown to them, the hand on a server, and what sets it off."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from shipline.bootstrap.places import Place, trusted_settings
from shipline.bootstrap.pulls import fetched
from shipline.capabilities.automation import (
    ALL,
    ASSISTANT,
    FINDINGS_MAX,
    OF_COMMIT,
    AssistantGround,
    AssistantRules,
    AssistantTaker,
    Carried,
    Change,
    Command,
    FileDiff,
    Noticed,
    is_left_out,
    not_now,
    order_look,
)
from shipline.capabilities.releases import records_of_commit
from shipline.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shipline.configuration import AssistantSettings
    from shipline.ports.assistant import Assistant
    from shipline.ports.forge import PullRequest
    from shipline.ports.provider import ProviderContext

FILES_MAX = 300
OPEN_MAX = 500


def has_assistant(place: Place) -> bool:
    """True where somebody is asked: as the protected branch has it, since a pull request must not choose who sees the
    code, nor spend what that costs."""
    return bool(trusted_settings(place).assistant)


def assistant_ground(place: Place) -> AssistantGround:
    """What questions stand on. ConfigurationError where nobody is to be asked, or there is no forge."""
    if not has_assistant(place) or place.forge is None:
        raise ConfigurationError(
            "no assistant is to be asked here", todo="add [forge] and [assistant] to shipline.toml"
        )
    said, assistant = _assistant(place)
    rules = AssistantRules(
        said.tasks, said.leave_out, said.instructions, said.bytes_max, said.tokens_max, said.calls_per_day
    )
    return AssistantGround(place.forge, place.store, place.clock, assistant, rules, partial(_look, place))


def instructions_of(place: Place) -> dict[str, str]:
    """What an assistant is to look at, by glob. ConfigurationError where nothing is said of that."""
    said = _assistant(place)[0].instructions if has_assistant(place) else {}
    if not said:
        raise ConfigurationError("nothing is said of what to look at", todo="add instructions to [assistant]")
    return said


def _assistant(place: Place) -> tuple[AssistantSettings, Assistant]:
    from shipline.configuration import AssistantSettings
    from shipline.configuration.providers import read_listed

    said, kind, settings = read_listed("assistant", AssistantSettings, trusted_settings(place).assistant)
    context = place.context("assistant")
    return said, kind(settings, replace(context, read_secret=partial(_secret, context)))


def _secret(context: ProviderContext, table: dict[str, Any]) -> str:
    from shipline.configuration.given import read_secret

    said, kind, settings = read_secret(table)
    secret: str = kind(settings, context).read(said.key)
    return secret


def _look(place: Place, pull: PullRequest, rules: AssistantRules) -> Change:
    """What it changes since it parted from its base. Nothing of it is run; errors as for `fetched`."""
    base, head = fetched(place, pull)
    parted = place.repository.merge_base((base, head)) or base
    files, size = [], 0
    for path in place.repository.changed_paths(parted, head)[:FILES_MAX]:
        # What is left out is not even read, and neither is what cannot fit any more.
        is_read = size <= rules.bytes_max and not is_left_out(path, rules)
        files.append(FileDiff(path, place.repository.difference(parted, head, path) if is_read else ""))
        size += len(files[-1].hunks)
    return Change(pull.title, tuple(files), tuple(_noticed(place, head, (parted, base))))


def _noticed(place: Place, head: str, bases: tuple[str, str]) -> Iterator[Noticed]:
    records = records_of_commit(place.release_ground, head, tuple(dict.fromkeys(bases)), place.clock.now_us())
    found = [finding for record in records for finding in record.new][:FINDINGS_MAX]
    for number, one in enumerate(found, 1):
        yield Noticed(f"F{number}", one.severity, one.rule, one.title, one.message, one.path or "", one.line)


# --- on a server ---------------------------------------------------------------------------------------------------


class AssistantHand:
    """Asks about one pull request, or has those looked at that nobody was asked about."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def __call__(self, command: Command, memory: dict[str, Any]) -> Carried:
        """One look. Settings that are gone meanwhile end it."""
        here = self._place.afresh()
        if not has_assistant(here):
            return Carried("no assistant is to be asked any more")
        ground = assistant_ground(here)
        if command.about.isdigit():
            return AssistantTaker(lambda: ground)(command, memory)
        due = due_pulls(ground, command.about)
        with here.store.begin() as tx:
            for number in due:
                order_look(tx, self._place.engine, Command(ASSISTANT, str(number)))
        return Carried(f"{len(due)} pull requests are looked at")


def due_pulls(ground: AssistantGround, about: str) -> tuple[int, ...]:
    """The pull requests that a command is about, as far as something is to be asked about them."""
    if about.isdigit():
        pull = ground.forge.find_pull_request(int(about))
        return () if pull is None or not_now(ground, pull) else (pull.number,)
    commit = about.removeprefix(OF_COMMIT)
    pulls = ground.forge.open_pull_requests()[:OPEN_MAX]
    mine = (pull for pull in pulls if about == ALL or pull.head_commit == commit)
    return tuple(pull.number for pull in mine if not not_now(ground, pull))


class AssistantTimer:
    """A chore: has all pull requests looked at once in a while, for those that no hook has told of."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._next_s = float("-inf")

    def __call__(self) -> None:
        """Order the look when it is time. Two nodes that do so have it looked at once."""
        if time.monotonic() < self._next_s or not has_assistant(self._place):
            return
        self._next_s = time.monotonic() + _assistant(self._place)[0].every_s
        with self._place.store.begin() as tx:
            order_look(tx, self._place.engine, Command(ASSISTANT, ALL))
