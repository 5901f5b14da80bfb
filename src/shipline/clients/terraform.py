"""Terraform (1.5 or later, or OpenTofu) for revisions of a configuration that stand side by side in one folder.

    FOLDER/revisions/NAME     a revision: its files, and what `init` made of them
    FOLDER/groups/GROUP       its plan, what the plan is, and how planning and applying went
    FOLDER/terraform.tfstate  the state, where the configuration names no backend

A plan is told by its digest and by what it changes; values stay out, since they may be secrets. Planning and applying
are programs that outlive the engine: one that is killed in the midst of an apply costs the state. Formats: Terraform's
JSON output format 1.x, developer.hashicorp.com/terraform/internals/json-format.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipline.clients import exit_recorder
from shipline.clients.detached import Detached, Program
from shipline.clients.detached_launcher import RECORD, sync_folder, write_durably
from shipline.clients.json_program import Surroundings
from shipline.clients.programs import run_program
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import InvalidValue, ShiplineError, UnavailableError
from shipline.domain.strict_json import read_json
from shipline.ports.clock import Clock

INIT_TIMEOUT_S, SHOW_TIMEOUT_S = 600.0, 60.0
SHOWN_BYTES_MAX, RECORD_BYTES_MAX = 256 << 20, 8 << 20
CHANGES_MAX = 10_000
LOG_BYTES_MAX = 4 << 20
LOCK_TIMEOUT = "-lock-timeout=60s"
OVERRIDE = "shipline_override.tf.json"
OUTPUT_CHARACTERS_MAX = 2000
LOOK = "look"


@dataclass(frozen=True, slots=True)
class Revision:
    """What a group stands for: the name of its folder, and the variables that it is planned with."""

    name: str
    variables: dict[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """What a plan does to one resource: `actions` are create, read, update, delete, forget."""

    address: str
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan: the digest of its file (`sha256:…`), the Terraform that made it, and what it changes."""

    digest: str
    terraform_version: str
    changes: tuple[Change, ...]

    def words(self) -> str:
        """As Terraform sums it up."""
        counts = {
            word: sum(word in change.actions for change in self.changes) for word in ("create", "update", "delete")
        }
        return f"{counts['create']} to add, {counts['update']} to change, {counts['delete']} to destroy"


class TerraformFolder:
    """The layout and the program. The constructor does no I/O."""

    def __init__(self, folder: Path, program: str, around: Surroundings, clock: Clock) -> None:
        self.revisions = folder / "revisions"
        self._folder = folder
        self._program = program
        self._around = around
        self._clock = clock

    def group(self, group_id: str) -> Path:
        """A group's folder."""
        return self._folder / "groups" / group_id

    def make(self) -> None:
        """For this user alone: plans and states hold what is secret."""
        for path in (self._folder, self.revisions, self._folder / "groups"):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def initialise(self, name: str, backend: dict[str, str], *, upgrade: bool) -> None:
        """Make a revision ready to be planned. Its lock file is obeyed, and changed only with `upgrade`."""
        place = self.revisions / name
        locks = ("-upgrade",) if upgrade else ("-lockfile=readonly",)
        options = (
            "-input=false",
            "-no-color",
            *locks,
            *(f"-backend-config={key}={value}" for key, value in backend.items()),
        )
        self._run(place, ("init", *options), INIT_TIMEOUT_S)
        kind = _backend_of(place)
        if kind == "local":
            raise ShiplineError(
                "the configuration names a local backend",
                why="each revision would have a state of its own there",
                todo=f"leave it out: the state is kept in {self._folder}; or name a remote one",
            )
        if kind == "":
            state = {"terraform": {"backend": {"local": {"path": str(self._folder / "terraform.tfstate")}}}}
            (place / OVERRIDE).write_text(json.dumps(state))
            self._run(place, ("init", "-reconfigure", *options[:3]), INIT_TIMEOUT_S)

    def set_group(self, group_id: str, revision: Revision) -> None:
        """Note what a group stands for."""
        self.group(group_id).mkdir(mode=0o700, exist_ok=True)
        write_durably(self.group(group_id) / "group.json", json.dumps(to_json(revision)))

    def revision(self, group_id: str) -> Revision:
        """What a group stands for. ShiplineError where it is not here."""
        found: Revision | None = self._record(group_id, "group.json", Revision)
        if found is None:
            raise ShiplineError(
                f"group {group_id} is not in {self._folder}",
                todo="let target and traffic of the environment name the same folder",
            )
        return found

    def start_plan(self, group_id: str, name: str = "plan", *, options: tuple[str, ...] = ()) -> None:
        """Begin to plan a group's revision against what stands now; one that is being made goes on. `options` make
        another kind of plan of it: one that destroys, or one that only looks."""
        process = self.process(group_id, name)
        if process.pid() is not None:
            return
        folder, revision = self.group(group_id), self.revision(group_id)
        for path in (folder / name, folder / f"{name}.json", folder / f"{name}.code"):
            path.unlink(missing_ok=True)
        variables = [f"-var={key}={value}" for key, value in revision.variables.items()]
        asked = ["-input=false", "-no-color", *(options or (LOCK_TIMEOUT,)), *variables, f"-out={folder / name}"]
        self._start(group_id, name, revision, ["plan", *asked])

    def forget_apply(self, group_id: str) -> None:
        """Forget how an apply of the group has ended, on disk when this returns; before another one is noted as begun.

        Only while none is under way. Whoever finds a new one noted, and its starter killed, would otherwise take the
        end of the one before for its own.
        """
        folder, run = self.group(group_id), self.process(group_id, "apply").folder
        for path in (folder / "apply.code", run / RECORD):
            path.unlink(missing_ok=True)
        for each in (folder, run):
            if each.is_dir():
                sync_folder(each)

    def start_apply(self, group_id: str, name: str = "plan") -> None:
        """Begin to apply a plan of a group, and nothing else: Terraform refuses it if what stands has changed since."""
        options = ["-input=false", "-no-color", LOCK_TIMEOUT, str(self.group(group_id) / name)]
        self._start(group_id, "apply", self.revision(group_id), ["apply", *options])

    def was_started(self, group_id: str) -> bool:
        """True if an apply has run since `forget_apply`: a process writes its record before it becomes the program."""
        return (self.process(group_id, "apply").folder / RECORD).exists()

    def process(self, group_id: str, name: str) -> Detached:
        """The program that plans (by the plan's name) or applies (`apply`)."""
        return Detached(self.group(group_id) / f"{name}-run", self._clock)

    def code(self, group_id: str, name: str) -> int | None:
        """The exit code of such a program, None while it has none, or was ended before it had one."""
        try:
            return int((self.group(group_id) / f"{name}.code").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def output_end(self, group_id: str, name: str) -> str:
        """Its last words."""
        return self.process(group_id, name).output_end()[-OUTPUT_CHARACTERS_MAX:]

    def plan(self, group_id: str, name: str = "plan") -> Plan | None:
        """A plan that was made whole, None where there is none. What it changes is read once and kept beside it."""
        known: Plan | None = self._record(group_id, f"{name}.json", Plan)
        path = self.group(group_id) / name
        if known is not None or self.code(group_id, name) != 0 or not path.exists():
            return known if path.exists() else None
        made = self._shown(path, self.revision(group_id))
        write_durably(self.group(group_id) / f"{name}.json", json.dumps(to_json(made)))
        return made

    def start_look(self, group_id: str) -> None:
        """Begin to look what of a revision that stands was changed by hand.

        Without the state's lock: nothing is written, and nobody who applies has to wait.
        """
        self.start_plan(group_id, LOOK, options=("-refresh-only", "-lock=false"))

    def looked(self, group_id: str) -> tuple[Change, ...] | None:
        """What the last look has found, once it has ended; it is forgotten then. None where there was none.

        UnavailableError where it could not look, with Terraform's last words.
        """
        folder, code = self.group(group_id), self.code(group_id, LOOK)
        if code is None:
            return None
        try:
            if code != 0:
                raise UnavailableError(
                    f"{self._program} cannot tell what stands of group {group_id}", why=self.output_end(group_id, LOOK)
                )
            return read_look(self._document(folder / LOOK, self.revision(group_id)))
        except InvalidValue as error:
            raise ShiplineError("what a look has found is not understood", why=error.what) from None
        finally:
            for path in (folder / LOOK, folder / f"{LOOK}.code"):
                path.unlink(missing_ok=True)

    def _start(self, group_id: str, name: str, revision: Revision, arguments: list[str]) -> None:
        code = str(self.group(group_id) / f"{name}.code")
        chosen = [self._program, f"-chdir={self.revisions / revision.name}", *arguments]
        argv = (sys.executable, "-I", exit_recorder.__file__, code, *chosen)
        self.process(group_id, name).start(Program(argv, self._variables(), LOG_BYTES_MAX))

    def _record(self, group_id: str, name: str, kind: type[Any]) -> Any:
        path = self.group(group_id) / name
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return from_json(kind, read_json(data, what=str(path), limit_bytes=RECORD_BYTES_MAX))
        except InvalidValue as error:
            raise ShiplineError(error.what, why=error.why) from None

    def _shown(self, path: Path, revision: Revision) -> Plan:
        try:
            return read_plan(self._document(path, revision), digest_of(path))
        except InvalidValue as error:
            raise ShiplineError("what a plan changes is not understood", why=error.what) from None

    def _document(self, path: Path, revision: Revision) -> bytes:
        arguments = (self._program, f"-chdir={self.revisions / revision.name}", "show", "-json", "-no-color", str(path))
        with tempfile.TemporaryFile() as shown:
            try:
                done = subprocess.run(
                    arguments,
                    env=self._variables(),
                    stdin=subprocess.DEVNULL,
                    stdout=shown,
                    stderr=subprocess.DEVNULL,
                    timeout=SHOW_TIMEOUT_S,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise ShiplineError("a plan could not be read", why=str(error)) from None
            shown.seek(0)
            data = shown.read(SHOWN_BYTES_MAX + 1)
        if done.returncode != 0:
            raise ShiplineError(f"{self._program} cannot show the plan that it has made")
        return data

    def _run(self, place: Path, arguments: tuple[str, ...], timeout_s: float) -> None:
        chosen = (self._program, f"-chdir={place}", *arguments)
        outcome = run_program(
            chosen, folder=place, environment=self._variables(), timeout_s=timeout_s, package=self._program
        )
        if outcome.code != 0:
            raise ShiplineError(
                f"{self._program} {arguments[0]} failed",
                why=outcome.output[-OUTPUT_CHARACTERS_MAX:],
                todo="run it in the configuration's folder, mend what it says, and release that"
                " (a missing or old .terraform.lock.hcl belongs into the release, too)",
            )

    def _variables(self) -> dict[str, str]:
        """Nobody is asked, no newer version is looked for, and no option comes from elsewhere."""
        known = {name: value for name, value in self._around.variables().items() if not name.startswith("TF_CLI_ARGS")}
        return {**known, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}


def read_plan(data: bytes, digest: str) -> Plan:
    """What `show -json` says of a plan, without values. InvalidValue for what is none."""
    document = read_json(data, what="the plan", limit_bytes=SHOWN_BYTES_MAX)
    found = from_json(dict[str, Any], document)
    if from_json(bool, found.get("errored", False)):
        raise InvalidValue("the plan was not made whole")
    telling = _changes(found, "resource_changes")
    return Plan(digest, from_json(str, found.get("terraform_version")), telling)


def read_look(data: bytes) -> tuple[Change, ...]:
    """What `show -json` says of a plan that only looks: resources and outputs that are not what the state says, without
    values. InvalidValue for what is none."""
    found = from_json(dict[str, Any], read_json(data, what="the plan", limit_bytes=SHOWN_BYTES_MAX))
    if from_json(bool, found.get("errored", False)):
        raise InvalidValue("the plan was not made whole")
    outputs = from_json(dict[str, dict[str, Any]], found.get("output_changes", {}))
    changed = (
        Change(f"output.{name}", from_json(tuple[str, ...], one.get("actions"))) for name, one in outputs.items()
    )
    return (*_changes(found, "resource_drift"), *(one for one in changed if one.actions != ("no-op",)))


def _changes(found: dict[str, Any], key: str) -> tuple[Change, ...]:
    changes = [
        Change(
            from_json(str, each.get("address")), from_json(tuple[str, ...], (each.get("change") or {}).get("actions"))
        )
        for each in from_json(tuple[dict[str, Any], ...], found.get(key, []))
    ]
    telling = tuple(change for change in changes if change.actions != ("no-op",))
    if len(telling) > CHANGES_MAX:
        raise InvalidValue(f"the plan changes more than {CHANGES_MAX} resources")
    return telling


def digest_of(path: Path) -> str:
    """`sha256:` and 64 hex digits."""
    with path.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"


def _backend_of(place: Path) -> str:
    """The type of the backend that `init` has noted, "" where the configuration names none."""
    try:
        data = (place / ".terraform" / "terraform.tfstate").read_bytes()
    except FileNotFoundError:
        return ""
    try:
        noted = from_json(dict[str, Any], read_json(data, what="what init noted", limit_bytes=RECORD_BYTES_MAX))
        return from_json(str, (noted.get("backend") or {}).get("type", ""))
    except InvalidValue as error:
        raise ShiplineError("what terraform init noted is not understood", why=error.what) from None
