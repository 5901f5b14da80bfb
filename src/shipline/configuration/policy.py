"""What the commit under release does not decide about itself: gates, environments, the branches to release from.

They are read from the protected branch, or from where whoever runs the machine says (`SHIPLINE_POLICY`). The
`shipline.toml` that lies here may add gates, and take away and change nothing: a commit that loosens a gate counts
once it is on the protected branch, which is where people look at changes before they are taken in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from shipline.configuration.asked_gates import gates_of
from shipline.configuration.load import load_settings, parse_settings
from shipline.configuration.root import FILE_NAME
from shipline.configuration.settings import CalendarSettings, ChannelSettings, EnvironmentSettings, Settings
from shipline.configuration.waiving import WaivingSettings
from shipline.domain.calendar import CalendarRule, PeriodKind
from shipline.domain.checklist import Checklist
from shipline.domain.errors import ConfigurationError
from shipline.domain.gate import Approver, Gate, Waiver
from shipline.ports.repository import Repository

POLICY_VARIABLE = "SHIPLINE_POLICY"
REMOTE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
USUAL_REMOTE = "origin"  # The name that `git clone` gives.
DURATION = re.compile("([0-9]+)(min|h|d)")
UNITS_S = {"min": 60, "h": 3600, "d": 86_400}
HERE = f"{FILE_NAME} as it lies here"
NAME_TOLD_MAX = 150  # Characters by which gates are told apart on every forge.


@dataclass(frozen=True, slots=True)
class Policy:
    """What decides. `source` says in words where it is from; `left_out` are sentences on what here does not count.

    `branch` is the only one to release from beside those of the `channels`, "" for any. `trusted` are the settings that
    decide, None where nothing is protected; `commit` holds them, None where a file of the machine's does. `origins`
    says of each gate, by stage and name, where it is from.
    """

    gates: tuple[Gate, ...]
    environments: tuple[EnvironmentSettings, ...]
    branch: str
    source: str
    left_out: tuple[str, ...] = ()
    channels: tuple[ChannelSettings, ...] = ()
    calendar: tuple[CalendarRule, ...] = ()
    approvers: tuple[Approver, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    waiving: WaivingSettings = field(default_factory=WaivingSettings)
    trusted: Settings | None = None
    commit: str | None = None
    origins: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def checklists(self) -> tuple[Checklist, ...]:
        """Those of the environments; a train's is a part of the calendar."""
        return tuple(
            Checklist(one.name, one.name, one.checklist, one.coordinator) for one in self.environments if one.checklist
        )

    @property
    def added_gates(self) -> frozenset[tuple[str, str]]:
        """The gates that the settings here alone ask for, by stage and name; none where nothing is protected."""
        if self.trusted is None:
            return frozenset()
        there = {(gate.stage, gate.name) for gate, _ in gates_of(self.trusted)}
        return frozenset((gate.stage, gate.name) for gate in self.gates) - there

    def posts_statuses(self, own: Settings) -> bool:
        """Whether verdicts are posted to the forge: the protected branch may say so, or this commit."""
        return own.gates.statuses or (self.trusted is not None and self.trusted.gates.statuses)

    def page(self, own: Settings) -> str:
        """Where the project's page is, as the protected branch says, or else this commit."""
        return (self.trusted.gates.page if self.trusted is not None else "") or own.gates.page

    def knows(self, table: str, value: object) -> bool:
        """Whether what decides has this table, or this entry of a list of tables, just so.

        Where it has not, a commit alone names the place, and with it the credentials that would be sent there.
        """
        if self.trusted is None:
            return True
        known = getattr(self.trusted, table)
        return value in known if isinstance(known, tuple) else bool(value == known)


def read_policy(own: Settings, repository: Repository | None, *, folder: str, named: str) -> Policy:
    """The policy for the project in `folder` ("." for the top) of a repository, None where there is none.

    `named` is the value of SHIPLINE_POLICY, "" where it is not set. Raises ConfigurationError where what it names is
    not there, or where a policy cannot be read: what is not known is no permission.
    """
    if named and Path(named).is_absolute():
        return tightened(_from_file(Path(named)), own, f"{named}, which {POLICY_VARIABLE} names")
    if repository is None:
        return tightened(None, own, HERE)
    for reference in (named,) if named else _references(own):
        commit = repository.find_commit(reference)
        if commit is not None:
            shown = reference.removeprefix("refs/remotes/").removeprefix("refs/heads/").removesuffix("/HEAD")
            policy = tightened(_from_commit(repository, commit, folder), own, f"{FILE_NAME} of {shown} ({commit[:7]})")
            return replace(policy, commit=commit)
    if named:
        raise ConfigurationError(
            f"{POLICY_VARIABLE} names {named[:80]!r}, and there is no such branch here",
            why="gates and environments are read from there",
            todo="fetch it first (in CI, let the checkout fetch it), or name another: a branch, or the absolute path "
            "of a file",
        )
    return tightened(None, own, HERE)


def protected_commit(own: Settings, repository: Repository) -> str | None:
    """The protected branch's newest commit that is known here, None where no such branch is."""
    found = (repository.find_commit(reference) for reference in _references(own))
    return next((commit for commit in found if commit is not None), None)


def tightened(trusted: Settings | None, own: Settings, source: str) -> Policy:
    """The policy of `trusted`, with what `own` asks for on top. None: nothing is protected, and `own` is all."""
    if trusted is None:
        all_gates = gates_of(own)
        return Policy(
            tuple(gate for gate, _ in all_gates),
            own.environment,
            own.release.branch,
            source,
            (),
            own.channel,
            _calendar(own),
            own.approver,
            own.waiver,
            own.waiving,
            origins=_origins(all_gates, source),
        )
    there = gates_of(trusted)
    gates = tuple(gate for gate, _ in there)
    added = tuple((_beside(gate, gates), words) for gate, words in gates_of(own) if gate not in gates)
    return Policy(
        gates=(*gates, *(gate for gate, _ in added)),
        environments=trusted.environment,
        branch=trusted.release.branch or own.release.branch,
        source=source,
        left_out=tuple(_left_out(trusted, own)),
        channels=trusted.channel,
        calendar=(*_calendar(trusted), *_freezes_of(own, trusted)),
        approvers=trusted.approver,
        waivers=trusted.waiver,
        waiving=trusted.waiving,
        trusted=trusted,
        origins=_origins(there, source) | _origins(added, HERE),
    )


def _origins(gates: Iterable[tuple[Gate, str]], source: str) -> dict[tuple[str, str], str]:
    return {(gate.stage, gate.name): f"{words} of {source}" for gate, words in gates}


def _references(own: Settings) -> Iterator[str]:
    """Where the protected branch may be known from, the surest first: what others have taken in comes before ours."""
    remotes = dict.fromkeys(name for name in (USUAL_REMOTE, own.release.remote) if REMOTE_NAME.fullmatch(name))
    for remote in remotes:
        yield f"refs/remotes/{remote}/HEAD"
    if own.release.branch:
        for remote in remotes:
            yield f"refs/remotes/{remote}/{own.release.branch}"
        yield f"refs/heads/{own.release.branch}"


def _from_file(path: Path) -> Settings:
    if path.name != FILE_NAME or not path.is_file():
        raise ConfigurationError(
            f"{POLICY_VARIABLE} names {path}, and there is no such file",
            why="gates and environments are read from there",
            todo=f"name the absolute path of a {FILE_NAME}, or a branch",
        )
    return load_settings(path.parent)


def _from_commit(repository: Repository, commit: str, folder: str) -> Settings | None:
    """The settings that a commit holds; None where it holds none, so that nothing is protected yet."""
    path = FILE_NAME if folder == "." else f"{folder}/{FILE_NAME}"
    content = repository.read_files((path,), commit).get(path)
    return None if content is None else parse_settings(content)


def _calendar(settings: Settings) -> tuple[CalendarRule, ...]:
    return tuple(calendar_rule(table) for table in settings.calendar)


def _freezes_of(own: Settings, trusted: Settings) -> tuple[CalendarRule, ...]:
    """What this commit adds to the calendar. Only a freeze tightens: one more window opens a stage more often."""
    added = (table for table in own.calendar if table not in trusted.calendar)
    return tuple(calendar_rule(table) for table in added if table.kind is PeriodKind.FREEZE)


def calendar_rule(table: CalendarSettings) -> CalendarRule:
    """A `[[calendar]]` table as the rule that it states."""
    lasts = DURATION.fullmatch(table.lasts)
    return CalendarRule(
        name=table.name,
        kind=table.kind,
        stages=table.stages,
        timezone=table.timezone,
        begins=table.begins,
        ends=table.ends,
        cron=table.cron,
        lasts_s=int(lasts[1]) * UNITS_S[lasts[2]] if lasts is not None else 0,
        coordinator=table.coordinator,
        checklist=table.checklist,
        exemptions=table.exemptions,
    )


def _beside(gate: Gate, others: tuple[Gate, ...]) -> Gate:
    """A gate that this commit adds; its verdicts are told from those of the one that it meant to replace.

    On a forge, too: there names that differ in blanks, in capitals or far behind may be the same, and a PASS of the one
    would stand where the other has said FAIL.
    """
    taken = any((other.stage, _on_a_forge(other.name)) == (gate.stage, _on_a_forge(gate.name)) for other in others)
    return replace(gate, name=f"{gate.name[:NAME_TOLD_MAX]} (as changed here)") if taken else gate


def _on_a_forge(name: str) -> str:
    printable = "".join(sign if sign.isprintable() else " " for sign in name)
    return " ".join(printable.split())[:NAME_TOLD_MAX].casefold()


def _left_out(trusted: Settings, own: Settings) -> Iterator[str]:
    yield from _left_out_of_sets(trusted, own)
    kept = [gate for gate in trusted.gate if gate not in own.gate]
    for gate in kept:
        yield f"the gate {gate.name!r} of {gate.stage} counts as it is there, though it is not so here"
    there = {environment.name: environment for environment in trusted.environment}
    here = {environment.name: environment for environment in own.environment}
    for name in {**there, **here}:
        if name not in there:
            yield f"the environment {name!r} is not there yet, so it does not count"
        elif there[name] != here.get(name):
            yield f"the environment {name!r} counts as it is there, though it is not so here"
    if trusted.approver != own.approver:
        yield "the approvers are those that are named there, and others are named here"
    if (trusted.waiver, trusted.waiving) != (own.waiver, own.waiving):
        yield "findings are waived as it is said there, and it is said otherwise here"
    yield from _left_out_of_calendar(trusted, own)
    if trusted.channel != own.channel:
        yield "the channels of branches count as they are there, and they are not so here"
    if trusted.release.branch not in ("", own.release.branch):
        yield f"releases are made from {trusted.release.branch}, whatever is said here"


def _left_out_of_sets(trusted: Settings, own: Settings) -> Iterator[str]:
    for name in trusted.gates.sets:
        if name not in own.gates.sets:
            yield f"the gate set {name!r} counts as it is named there, though it is not named here"
    for name in trusted.compliance.required:
        if name not in own.compliance.required:
            yield f"the framework {name!r} is required as it is there, though it is not so here"


def _left_out_of_calendar(trusted: Settings, own: Settings) -> Iterator[str]:
    for table in trusted.calendar:
        if table not in own.calendar:
            yield f"the {table.kind.value} {table.name!r} counts as it is there, though it is not so here"
    for table in own.calendar:
        if table not in trusted.calendar and table.kind is not PeriodKind.FREEZE:
            yield f"the {table.kind.value} {table.name!r} is not there yet, so it does not count"
