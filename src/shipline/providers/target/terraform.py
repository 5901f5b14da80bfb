"""Revisions of a Terraform configuration, each planned against what stands before anything is changed.

A group's plan is what is ready of it: `run` begins to plan, and a plan that was made is never made again. Applying it
is the business of the traffic provider `terraform` over the same folder, which applies that plan and no other. All
copies of a group are one revision.

A configuration is released as a site is: all files of a folder as one artifact, which is taken by its digest.
"""

from __future__ import annotations

import re
import shutil
import signal
from dataclasses import dataclass, field, replace
from pathlib import Path

from shipline.clients.durable_state import DurableState, locked
from shipline.clients.json_program import Surroundings
from shipline.clients.site_archive import KIND, unpack_site
from shipline.clients.terraform import INIT_TIMEOUT_S, LOOK, Change, Revision, TerraformFolder
from shipline.domain.errors import ConfigurationError, ShiplineError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import Group, GroupSpec, PlannedChanges, StillLooking, check_same, checked_group_id
from shipline.providers.target.saved_groups import SavedGroup, SavedGroups, fenced
from shipline.providers.target.site_source import FETCH_TIMEOUT_S, RELEASED_HERE, Site, SiteSource, checked_source

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,199}")
STOP_TIMEOUT_S = 20.0
CHANGES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class TerraformSettings:
    """A Terraform target.

    `folder` is an absolute path, the same as the traffic's, where revisions, plans and, without a backend, the state
    are kept. `source` is where the released configuration is: a path from the top of the repository, or an http or
    https address, in which {package}, {version} and {file} are filled in; `username`, `password_environment` and
    `answer_timeout_s` are for an address. `variables` are handed to the plan, with {version} filled in. `backend`
    completes the configuration's backend. `credentials` names the environment variables that Terraform gets though they
    look like secrets. `upgrade` lets `init` take newer providers than the lock file names. `program` is `terraform`, or
    `tofu`.
    """

    folder: str
    source: str = RELEASED_HERE
    username: str = ""
    password_environment: str = ""
    answer_timeout_s: float = 60.0
    variables: dict[str, str] = field(default_factory=dict)
    backend: dict[str, str] = field(default_factory=dict)
    credentials: tuple[str, ...] = ()
    upgrade: bool = False
    program: str = "terraform"

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake."""
        if not Path(self.folder).is_absolute():
            raise ConfigurationError("folder is an absolute path", todo="name one that nobody else can read")
        checked_source(self.source)
        if self.username != "" and self.password_environment == "":
            raise ConfigurationError("username needs password_environment")
        if not 0 < self.answer_timeout_s <= FETCH_TIMEOUT_S:
            raise ConfigurationError(f"answer_timeout_s is more than 0, and at most {FETCH_TIMEOUT_S:g}")
        if not all(NAME.fullmatch(name) for name in (*self.variables, *self.backend)):
            raise ConfigurationError("variables and backend: a name is letters, digits, - and _")
        if self.program not in ("terraform", "tofu"):
            raise ConfigurationError("program is terraform or tofu")


class TerraformTarget:
    """Plans the revisions of one environment."""

    api_version = 3
    artifact_kinds: tuple[str, ...] = (KIND,)
    Settings = TerraformSettings

    def __init__(self, settings: TerraformSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._clock = context.clock
        around = Surroundings(context.root, context.environment, settings.credentials)
        self._folder = TerraformFolder(Path(settings.folder), settings.program, around, context.clock)
        self._archives = context.state / "archives"
        credentials = (settings.username, settings.password_environment, settings.answer_timeout_s)
        self._source = SiteSource(context.root, settings.source, *credentials)
        self._state = DurableState(context.state / "target.json", SavedGroups(), context.clock)

    def prepare(self, package: str, version: str, digests: tuple[str, ...]) -> None:
        """Fetch the configuration and initialise it; nothing is planned yet. Half a preparation is done over."""
        site = Site(package, version, digests)
        with locked(self._archives / f"{site.folder}.lock", self._clock, timeout_s=FETCH_TIMEOUT_S + INIT_TIMEOUT_S):
            if self._is_prepared(site):
                return
            place, archive = self._folder.revisions / site.folder, self._archives / f"{site.folder}.tar"
            self._source.fetch(site, archive)
            self._folder.make()
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(mode=0o700)
            unpack_site(archive, place)
            archive.unlink()
            self._folder.initialise(site.folder, self._settings.backend, upgrade=self._settings.upgrade)
            self._mark(site).touch()

    def run(
        self,
        spec: GroupSpec,
        *,
        revision: int,
        leaving: tuple[str, ...] = (),  # noqa: ARG002 - no copy is one by itself
    ) -> Group:
        """Begin to plan, unless there is a plan, or one is being made; returns at once."""
        site = Site(spec.package, spec.version, spec.digests)
        with self._state.locked():
            saved = fenced(self._state, revision)
            known = saved.groups.get(spec.id, SavedGroup(spec, self._clock.now_us()))
            check_same(known.spec, spec)
            if not self._is_prepared(site):
                raise ShiplineError(
                    f"{spec.package} {spec.version} is not prepared here", todo="prepare the version first"
                )
            group = replace(known, spec=spec)
            variables = {
                name: value.replace("{version}", spec.version) for name, value in self._settings.variables.items()
            }
            self._folder.set_group(spec.id, Revision(site.folder, variables))
            self._state.write(SavedGroups(revision, {**saved.groups, spec.id: group}))
            if self._folder.plan(spec.id) is None:
                self._folder.start_plan(spec.id)
        return self._seen(group)

    def groups(self) -> tuple[Group, ...]:
        """The groups by id, as their plans are now."""
        return tuple(self._seen(group) for _, group in sorted(self._state.read().groups.items()))

    def stop(self, group_id: str, *, revision: int) -> None:
        """Forget the group with its plan. Nothing that stands is destroyed."""
        checked_group_id(group_id)
        with self._state.locked():
            saved = fenced(self._state, revision)
            left = {name: group for name, group in saved.groups.items() if name != group_id}
            self._state.write(SavedGroups(revision, left))
            if group_id in saved.groups:
                self._folder.process(group_id, "plan").stop(first=signal.SIGINT, timeout_s=STOP_TIMEOUT_S)
                self._forget(group_id, left)

    def planned(self, group_id: str) -> PlannedChanges | None:
        """The plan that is applied once the group gets the traffic, by its digest."""
        plan = self._folder.plan(checked_group_id(group_id))
        if plan is None:
            return None
        changes = tuple((change.address, change.actions) for change in plan.changes)
        return PlannedChanges(plan.digest, f"{self._settings.program} {plan.terraform_version}", plan.words(), changes)

    def stands_otherwise(self, group_id: str) -> str:
        """What a plan that only looks finds changed by hand, or in outputs, of a revision that stands."""
        checked_group_id(group_id)
        if self._folder.process(group_id, LOOK).pid() is None:
            found = self._folder.looked(group_id)
            if found is not None:
                return _changed(found)
            self._folder.start_look(group_id)
        raise StillLooking(f"{self._settings.program} looks at what stands of group {group_id}")

    def _forget(self, group_id: str, left: dict[str, SavedGroup]) -> None:
        """Its revision goes too, unless another group has it: what providers weigh is much."""
        name = self._folder.revision(group_id).name
        needed = {self._folder.revision(each).name for each in left}
        shutil.rmtree(self._folder.group(group_id), ignore_errors=True)
        if name not in needed:
            (self._archives / f"{name}.ready").unlink(missing_ok=True)
            shutil.rmtree(self._folder.revisions / name, ignore_errors=True)

    def _mark(self, site: Site) -> Path:
        return self._archives / f"{site.folder}.ready"

    def _is_prepared(self, site: Site) -> bool:
        return self._mark(site).exists() and (self._folder.revisions / site.folder).is_dir()

    def _seen(self, group: SavedGroup) -> Group:
        spec = group.spec
        plan, trouble = None, ""
        try:
            plan = self._folder.plan(spec.id)
        except ShiplineError as error:
            trouble = error.diagnosis()
        is_planning = self._folder.process(spec.id, "plan").pid() is not None
        if plan is None and not trouble and not is_planning and self._folder.plan(spec.id) is None:
            output = self._folder.output_end(spec.id, "plan")
            trouble = f"{spec.package} {spec.version} has no plan; the end of what was said when it was made:\n{output}"
        return group.as_one(is_ready=plan is not None, trouble=trouble)


def _changed(found: tuple[Change, ...]) -> str:
    if not found:
        return ""
    named = ", ".join(f"{each.address} ({', '.join(each.actions)})" for each in found[:CHANGES_SHOWN])
    more = f", and {len(found) - CHANGES_SHOWN} more" if len(found) > CHANGES_SHOWN else ""
    return f"what stands is not what was applied: {named}{more}"
