"""Any platform, through four programs of the user's own: `prepare`, `run`, `groups` and `stop`.

Each is given a JSON document and does one thing (`docs/reference/command-protocol.md`). The platform remembers the
groups: `run` hands one over, and `groups` tells it back with how it stands. What is hard to get right is done here:
late calls are fenced off, ids and sizes checked, answers bounded and read strictly.

What the environment gives to its services is in the environment of `run`, whose document names it; the program hands it
on to what it starts. Its words are told without the secrets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from shipline.clients.durable_state import LOCK_TIMEOUT_S, DurableState, check_fence
from shipline.clients.json_program import Surroundings, ask, checked_command, not_understood, tell
from shipline.clients.released_names import check_released
from shipline.domain.codec import to_json
from shipline.domain.errors import ConfigurationError, InvalidValue, ShiplineError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import (
    Endpoint,
    Group,
    GroupSpec,
    Role,
    check_leaving,
    check_same,
    checked_digests,
    checked_group_id,
)

REQUEST, ANSWER = "shipline.target-request/1", "shipline.target-groups/1"
GROUPS_MAX = 1000
TROUBLE_CHARACTERS_MAX = 4000
TIMEOUT_S_MAX = 3600
ADDRESS = re.compile(r"[A-Za-z0-9.-]{1,253}:[0-9]{1,5}|\[[0-9a-fA-F:]{2,39}\]:[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class Handed:
    """A group as it is handed over, and told back: the platform keeps it as it is."""

    id: str
    role: Role
    package: str
    version: str
    size: int
    digests: tuple[str, ...]
    started_us: int


@dataclass(frozen=True, slots=True)
class Told:
    """How a group stands, as a program tells it."""

    group: Handed
    ready: int
    endpoints: tuple[Endpoint, ...] = ()
    trouble: str = ""
    hopeless: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What `groups` prints."""

    schema: str
    groups: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class SavedTarget:
    """What the state file holds: the newest revision."""

    revision: int = 0


class CommandTarget:
    """Runs the groups of one environment by programs."""

    api_version = 3
    gives = ("variables", "secrets")

    @dataclass(frozen=True, slots=True)
    class Settings:
        """Which programs.

        `prepare`, `run`, `groups` and `stop` are lists of arguments, no shell, run at the top of the repository.
        `artifact_kinds` are the kinds of artifact that they can run; empty: any. `credentials` names the environment
        variables that they get though they look like secrets. `timeout_s` bounds each of them, `prepare_timeout_s` the
        first; in seconds.
        """

        prepare: tuple[str, ...]
        run: tuple[str, ...]
        groups: tuple[str, ...]
        stop: tuple[str, ...]
        artifact_kinds: tuple[str, ...] = ()
        credentials: tuple[str, ...] = ()
        timeout_s: int = 30
        prepare_timeout_s: int = 600

        def __post_init__(self) -> None:
            """Refuse commands that are none, and times that are none."""
            for name in ("prepare", "run", "groups", "stop"):
                checked_command(name, getattr(self, name))
            if not all(0 < limit <= TIMEOUT_S_MAX for limit in (self.timeout_s, self.prepare_timeout_s)):
                raise ConfigurationError(f"timeout_s and prepare_timeout_s are 1 to {TIMEOUT_S_MAX} seconds")

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        self._settings = settings
        self.artifact_kinds = settings.artifact_kinds
        self._clock = context.clock
        self._variables = context.variables
        masked = context.variables.masked
        self._around = Surroundings(context.root, context.environment, settings.credentials, masked=masked)
        # A run asks three times while it holds the lock.
        lock_timeout_s = 3 * settings.timeout_s + LOCK_TIMEOUT_S
        path = context.state / "target.json"
        self._state = DurableState(path, SavedTarget(), context.clock, lock_timeout_s=lock_timeout_s)

    def prepare(self, package: str, version: str, digests: tuple[str, ...]) -> None:
        """Have the version brought to where it will run."""
        check_released(package, version)
        what = {"package": package, "version": version, "digests": list(checked_digests(digests))}
        self._tell(self._settings.prepare, "prepare", what, timeout_s=self._settings.prepare_timeout_s)

    def run(self, spec: GroupSpec, *, revision: int, leaving: tuple[str, ...] = ()) -> Group:
        """Have the group run, and say how it stands."""
        check_released(spec.package, spec.version)
        with self._state.locked():
            self._fence(revision)
            known = {group.id: group for group in self.groups()}.get(spec.id)
            if known is not None:
                check_same(known.spec, spec)
                named = {endpoint.id for endpoint in known.endpoints} & set(leaving)
                if known.endpoints:
                    check_leaving(spec, known.size, known.size - len(named))
            started_us = self._clock.now_us() if known is None else known.started_us
            handed = {**to_json(spec), "started_us": started_us}
            given = self._variables.values()
            self._state.write(SavedTarget(revision))
            request = {"group": handed, "leaving": list(leaving), "revision": revision}
            request |= {"variables": self._variables.plain_names, "secrets": self._variables.secret_names}
            self._tell(self._settings.run, "run", request, given=given)
            found = {group.id: group for group in self.groups()}.get(spec.id)
        if found is None or found.spec != spec:
            raise ShiplineError(
                f"group {spec.id} was run, and is not told as it was handed over",
                todo="let the program `run` keep the whole `group`, and `groups` tell it",
            )
        return found

    def groups(self) -> tuple[Group, ...]:
        """All groups that the platform tells of."""
        command = self._settings.groups
        answer = ask(command, _request("groups", {}), self._around, Answer, timeout_s=self._settings.timeout_s)
        try:
            return tuple(replace(group, trouble=self._variables.masked(group.trouble)) for group in _groups(answer))
        except InvalidValue as error:
            raise not_understood(command, error.what, error.why) from None

    def stop(self, group_id: str, *, revision: int) -> None:
        """Have all copies of the group stopped."""
        checked_group_id(group_id)
        with self._state.locked():
            self._fence(revision)
            self._state.write(SavedTarget(revision))
            self._tell(self._settings.stop, "stop", {"group_id": group_id, "revision": revision})

    def _fence(self, revision: int) -> None:
        check_fence(self._state.read().revision, revision)

    def _tell(
        self,
        command: tuple[str, ...],
        action: str,
        what: dict[str, Any],
        *,
        timeout_s: int | None = None,
        given: dict[str, str] | None = None,
    ) -> None:
        limit_s = self._settings.timeout_s if timeout_s is None else timeout_s
        around = self._around if given is None else replace(self._around, given=given)
        tell(command, _request(action, what), around, timeout_s=limit_s)


def _request(action: str, what: dict[str, Any]) -> dict[str, Any]:
    return {"schema": REQUEST, "action": action, **what}


def _groups(answer: Answer) -> tuple[Group, ...]:
    """The groups by id. InvalidValue for what no platform can mean."""
    if answer.schema != ANSWER:
        raise InvalidValue(f"schema is {answer.schema[:60]!r}, not {ANSWER!r}")
    groups = sorted((_group(told) for told in answer.groups), key=lambda group: group.id)
    if len(groups) > GROUPS_MAX or len({group.id for group in groups}) != len(groups):
        raise InvalidValue(f"there are at most {GROUPS_MAX} groups, each with an id of its own")
    return tuple(groups)


def _group(told: Told) -> Group:
    handed = told.group
    spec = GroupSpec(handed.id, handed.role, handed.package, handed.version, handed.size, handed.digests)
    ids = {checked_group_id(endpoint.id) for endpoint in told.endpoints}
    if len(ids) != len(told.endpoints) or len(ids) > spec.size:
        raise InvalidValue(f"group {spec.id} has at most {spec.size} endpoints, each with an id of its own")
    for endpoint in told.endpoints:
        if not ADDRESS.fullmatch(endpoint.address) or not 0 < int(endpoint.address.rpartition(":")[2]) < 65536:
            raise InvalidValue(f"{endpoint.address[:80]!r} is not a host and a port")
    if not 0 <= told.ready <= spec.size:
        raise InvalidValue(f"group {spec.id} of {spec.size} copies cannot have {told.ready} ready ones")
    return Group(
        id=spec.id,
        role=spec.role,
        package=spec.package,
        version=spec.version,
        size=spec.size,
        ready=told.ready,
        endpoints=told.endpoints,
        started_us=handed.started_us,
        digests=spec.digests,
        trouble=told.trouble[-TROUBLE_CHARACTERS_MAX:],
        hopeless=told.hopeless,
    )
