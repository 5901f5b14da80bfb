"""What stands, switched as a whole: the revision whose plan was applied last has all of the traffic.

What is applied is the plan that the target made, by its digest, and no other. If what stands has changed since,
Terraform refuses it, and so does this. The way back to a revision that was applied before is planned anew and applied
at once: what is to be undone was not there when its own plan was made.

A preview is the plan itself, for people to read while the rollout waits for them: no request is led anywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from shipline.clients.durable_state import DurableState, check_fence
from shipline.clients.json_program import Surroundings
from shipline.clients.route_sets import check_routes, merged
from shipline.clients.terraform import LOCK_TIMEOUT, TerraformFolder, digest_of
from shipline.domain.errors import ConfigurationError, RefusedError, ShiplineError, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import checked_group_id
from shipline.ports.traffic import Route

ADDRESS = re.compile(r"[A-Za-z0-9.-]{1,253}:[0-9]{1,5}|\[[0-9a-fA-F:]{2,39}\]:[0-9]{1,5}")
POLL_S = 0.05
TIMEOUT_S_MAX = 3600
BACK, DESTROY = "back", "destroy"


@dataclass(frozen=True, slots=True)
class SavedTraffic:
    """What the state file holds: the newest revision, whether it is open, and the routes by group.

    `applied` is the group whose revision stands, "" where none does as a whole; `begun` the one whose apply was begun
    and not seen to end; with `destroying` it was one that takes all away. `before` are the groups that stood at some
    time as a whole.
    """

    revision: int = 0
    is_open: bool = False
    routes: dict[str, Route] = field(default_factory=dict)
    applied: str = ""
    begun: str = ""
    before: tuple[str, ...] = ()
    destroying: bool = False


@dataclass(frozen=True, slots=True)
class TerraformTrafficSettings:
    """`folder` and `program` are the target's, `credentials` as there. `address` is where users are served, host:port.

    `wait_s` is how many seconds a look waits for an apply to end; one that takes longer goes on, and is looked at
    again. `destroy` lets taking the environment down destroy what stands.
    """

    folder: str
    address: str
    credentials: tuple[str, ...] = ()
    wait_s: int = 120
    program: str = "terraform"
    destroy: bool = False

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake."""
        if not Path(self.folder).is_absolute():
            raise ConfigurationError("folder is an absolute path", todo="name the same one as for the target")
        if not ADDRESS.fullmatch(self.address) or not 0 < int(self.address.rpartition(":")[2]) < 65536:
            raise ConfigurationError(f"address: {self.address[:80]!r} is not a host and a port")
        if not 0 < self.wait_s <= TIMEOUT_S_MAX:
            raise ConfigurationError(f"wait_s is 1 to {TIMEOUT_S_MAX}")
        if self.program not in ("terraform", "tofu"):
            raise ConfigurationError("program is terraform or tofu")


class TerraformTraffic:
    """Applies the plans of one environment."""

    api_version = 4
    faults: tuple[str, ...] = ()
    splits = False
    previews = True
    mirrors = False
    Settings = TerraformTrafficSettings

    def __init__(self, settings: TerraformTrafficSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._clock = context.clock
        around = Surroundings(context.root, context.environment, settings.credentials)
        self._folder = TerraformFolder(Path(settings.folder), settings.program, around, context.clock)
        path = context.state / "traffic.json"
        # A plan and an apply are waited for under the lock.
        lock_timeout_s = 2 * settings.wait_s + 30
        self._state = DurableState(path, SavedTraffic(), context.clock, lock_timeout_s=lock_timeout_s)

    def claim(self, *, revision: int) -> None:
        """Note the number in the state file."""
        with self._state.locked():
            self._state.write(replace(self._fenced(revision), revision=revision))

    def open(self, *, revision: int) -> None:
        """Nothing is started: what stands stands by itself."""
        self._set_open(revision, is_open=True)

    def address(self) -> str:
        """host:port, as the settings say."""
        return self._settings.address

    def apply(self, routes: tuple[Route, ...], *, revision: int) -> None:
        """Apply the plan of the group that gets all of the traffic, unless it stands already.

        UnavailableError while that goes on; ShiplineError with Terraform's last words where it failed: nothing stands
        as a whole then, until another revision is applied.
        """
        check_routes(routes, splits=self.splits, previews=self.previews, mirrors=self.mirrors)
        wanted = next(route.group_id for route in routes if route.share > 0)
        with self._state.locked():
            saved = self._opened(self._fenced(revision))
            saved = replace(saved, revision=revision, routes=merged(saved.routes, routes))
            self._state.write(saved)
            if wanted != saved.applied:
                self._bring(saved, wanted)

    def routes(self) -> tuple[Route, ...]:
        """The routes by group; who stands has all."""
        saved = self._opened(self._state.read())
        return tuple(replace(saved.routes[name], share=float(name == saved.applied)) for name in sorted(saved.routes))

    def open_requests(self, group_id: str, endpoint_id: str | None = None) -> int:  # noqa: ARG002 - none is counted
        """None that are known here."""
        self._opened(self._state.read())
        return 0

    def forget(self, group_id: str, *, revision: int) -> None:
        """Forget a route; RefusedError while it stands, or is previewed."""
        checked_group_id(group_id)
        with self._state.locked():
            saved = self._opened(self._fenced(revision))
            route = saved.routes.get(group_id)
            if group_id == saved.applied or (route is not None and route.preview):
                raise RefusedError(f"group {group_id} is what stands, or is previewed")
            left = {name: each for name, each in saved.routes.items() if name != group_id}
            before = tuple(name for name in saved.before if name != group_id)
            self._state.write(replace(saved, revision=revision, routes=left, before=before))

    def close(self, *, revision: int) -> None:
        """Nothing is destroyed by that."""
        self._set_open(revision, is_open=False)

    def _set_open(self, revision: int, *, is_open: bool) -> None:
        with self._state.locked():
            saved = self._fenced(revision)
            if saved.is_open != is_open:
                self._state.write(replace(saved, revision=revision, is_open=is_open))

    def tear_down(self, *, revision: int) -> None:
        """Destroy what stands, by a plan of its own of the revision that stood last, if the settings say so.

        ShiplineError with Terraform's last words where that failed: what is left stands, and it can be tried again.
        """
        with self._state.locked():
            saved = self._state.read()
            check_fence(saved.revision, revision)
            last = saved.begun or saved.applied or (saved.before[-1] if saved.before else "")
            if self._settings.destroy and last:
                self._destroy(replace(saved, revision=revision), last)

    def _destroy(self, saved: SavedTraffic, last: str) -> None:
        if saved.destroying:
            self._go_on(last, DESTROY)
        else:
            if saved.begun:
                self._end(saved.begun)
            self._folder.start_plan(last, DESTROY, options=(LOCK_TIMEOUT, "-destroy"))
            if self._waited(last, DESTROY) != 0:
                raise ShiplineError(
                    f"how to destroy what stands of group {last} cannot be planned",
                    why=self._folder.output_end(last, DESTROY),
                )
            self._begin(replace(saved, applied="", begun=last, destroying=True), DESTROY)
        code = self._waited(last, "apply")
        gone = replace(saved, applied="", begun="", destroying=False)
        others = tuple(name for name in saved.before if name != last)
        self._state.write(replace(gone, before=() if code == 0 else (*others, last)))
        if code != 0:
            raise ShiplineError(
                f"what stands of group {last} was not destroyed as a whole",
                why=self._folder.output_end(last, "apply"),
                todo="read what it says, and say `shipline down` again",
            )

    def _bring(self, saved: SavedTraffic, wanted: str) -> None:
        if saved.destroying:
            self._end(saved.begun)
            saved = replace(saved, begun="", destroying=False)
        if saved.begun not in ("", wanted):
            self._end(saved.begun)
        if saved.begun == wanted:
            self._go_on(wanted, BACK if wanted in saved.before else self._planned(wanted))
        else:
            self._folder.revision(wanted)
            plan = self._plan_back(wanted) if wanted in saved.before else self._planned(wanted)
            self._begin(replace(saved, applied="", begun=wanted), plan)
        code = self._waited(wanted, "apply")
        if code != 0:
            self._state.write(replace(saved, applied="", begun=""))
            raise ShiplineError(
                f"the plan of group {wanted} was not applied as a whole",
                why=self._folder.output_end(wanted, "apply"),
                todo="read what it says; deploy again, which plans against what stands now",
            )
        before = (*(name for name in saved.before if name != wanted), wanted)
        self._state.write(replace(saved, applied=wanted, begun="", before=before))

    def _planned(self, group_id: str) -> str:
        """The name of the plan that the target made, which must be the file that it told of."""
        plan = self._folder.plan(group_id)
        if plan is None or digest_of(self._folder.group(group_id) / "plan") != plan.digest:
            raise ShiplineError(
                f"the plan of group {group_id} is not there, or not the one that was made",
                todo="deploy again: what was not shown to anybody is not applied",
            )
        return "plan"

    def _plan_back(self, group_id: str) -> str:
        """The name of a fresh plan of a revision that stood before."""
        self._folder.start_plan(group_id, BACK)
        if self._waited(group_id, BACK) != 0:
            raise ShiplineError(
                f"the way back to group {group_id} cannot be planned", why=self._folder.output_end(group_id, BACK)
            )
        return BACK

    def _begin(self, saved: SavedTraffic, plan: str) -> None:
        """Begin an apply that `saved` notes. Nothing of an earlier one is left by then that could be taken for it."""
        self._folder.forget_apply(saved.begun)
        self._state.write(saved)
        self._folder.start_apply(saved.begun, plan)

    def _go_on(self, group_id: str, plan: str) -> None:
        """An apply that was noted goes on, or has ended, or is begun now; ShiplineError where nobody knows how."""
        is_running = self._folder.process(group_id, "apply").pid() is not None
        if is_running or self._folder.code(group_id, "apply") is not None:
            return
        if not self._folder.was_started(group_id):
            self._folder.start_apply(group_id, plan)
            return
        self._state.write(replace(self._state.read(), begun="", destroying=False))
        raise ShiplineError(
            f"the apply of group {group_id} was interrupted, with this machine perhaps",
            why="how much of the plan was carried out is not known",
            todo="deploy again, which plans what is left",
        )

    def _end(self, group_id: str) -> None:
        """Another revision is wanted: what is being applied must end first, since it holds the state."""
        self._waited(group_id, "apply")
        self._state.write(replace(self._state.read(), begun="", destroying=False))

    def _waited(self, group_id: str, name: str) -> int | None:
        """The exit code, None where it was ended before it had one. UnavailableError while it goes on."""
        process, deadline_us = (
            self._folder.process(group_id, name),
            self._clock.now_us() + self._settings.wait_s * 1_000_000,
        )
        while process.pid() is not None:
            if self._clock.now_us() >= deadline_us:
                raise UnavailableError(
                    f"{self._settings.program} is still at work on group {group_id}",
                    why=f"it has not ended within {self._settings.wait_s} s, and goes on",
                    todo="wait for it, or give it longer (`wait_s`)",
                )
            self._clock.sleep(POLL_S)
        return self._folder.code(group_id, name)

    def _opened(self, saved: SavedTraffic) -> SavedTraffic:
        if not saved.is_open:
            raise UnavailableError("the environment is closed", todo="open the environment's traffic again")
        return saved

    def _fenced(self, revision: int) -> SavedTraffic:
        saved = self._state.read()
        check_fence(saved.revision, revision)
        return saved
