"""What a cluster that follows git runs, switched as a whole: by a commit that sets the image, or by a pull request.

The branch itself says what serves. A commit is pushed only onto the tip that it was made for; its trailers name the
place, the group and the revision, so that it is found again after a crash, and a late call is refused on any
machine. What people have changed by hand is not written over. A way back is a commit as well, which says that the
version that was left is held: it is not brought again until another one is, or until a person lets it go.

`apply` is in effect when the cluster says so. Until then it raises UnderWay, with what Argo CD, Flux or the Deployment
say; where those say that it failed, ShiplineError.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from shipline.clients.durable_state import DurableState, check_fence
from shipline.clients.git_tree import Proposal
from shipline.clients.gitops.file import edited
from shipline.clients.gitops.groups import Staged, StagedGroups, groups_state, must_be_staged, shared_folder
from shipline.clients.gitops.history import Brought, left_behind
from shipline.clients.gitops.pulls import Pulls
from shipline.clients.gitops.repository import GitOpsRepository
from shipline.clients.gitops.settings import GitOpsSettings
from shipline.clients.gitops.standing import Arrival
from shipline.clients.gitops.stating import Stating
from shipline.clients.gitops.watching import Watch
from shipline.clients.route_sets import check_routes, merged
from shipline.domain.errors import ConfigurationError, RefusedError, ShiplineError, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import Role, checked_group_id
from shipline.ports.traffic import Route, UnderWay

ADDRESS = re.compile(r"[A-Za-z0-9.-]{1,253}:[0-9]{1,5}|\[[0-9a-fA-F:]{2,39}\]:[0-9]{1,5}")
BEFORE_MAX = 50
# Controllers look at git every minute or so; pods come up sooner.
FOLLOWS_EVERY_S, PROGRESSES_EVERY_S = 10.0, 5.0


@dataclass(frozen=True, slots=True)
class SavedTraffic:
    """What the state file holds: the newest revision, whether it is open, and the routes by group.

    `before` are the groups that were brought, the latest last; `pulls` the pull requests that were opened, by group.
    `brought` is the group of the last `apply` where the branch says it already, "" where that one has yet to.
    """

    revision: int = 0
    is_open: bool = False
    routes: dict[str, Route] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    pulls: dict[str, int] = field(default_factory=dict)
    brought: str = ""


@dataclass(frozen=True, slots=True)
class GitOpsTrafficSettings:
    """All else is the target's. `address` is where users are served, host:port."""

    address: str

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake."""
        if not ADDRESS.fullmatch(self.address) or not 0 < int(self.address.rpartition(":")[2]) < 65536:
            raise ConfigurationError(f"address: {self.address[:80]!r} is not a host and a port")


class GitOpsTraffic:
    """Brings the versions of one environment."""

    api_version = 4
    faults: tuple[str, ...] = ()
    splits = False
    previews = False
    mirrors = False
    run_by = "gitops"
    Settings = GitOpsTrafficSettings

    def __init__(self, settings: GitOpsTrafficSettings, context: ProviderContext) -> None:
        if not isinstance(context.target, GitOpsSettings):
            raise ConfigurationError(
                "the traffic provider gitops needs the target provider gitops",
                todo='set provider = "gitops" in the [environment.target]',
            )
        self._address = settings.address
        self._settings = context.target
        self._context = context
        self._environment = context.environment or "default"
        folder = shared_folder(context.state)
        self._repository = GitOpsRepository(self._settings, context.root, folder, context.clock)
        self._stating = Stating(self._settings, self._repository, self._environment)
        self._watch = Watch(self._settings, self._repository)
        self._groups = groups_state(folder, context.clock)
        self._state = DurableState(context.state / "traffic.json", SavedTraffic(), context.clock)

    @property
    def switch_s(self) -> int:
        """How long a version may take to arrive, in seconds."""
        return self._settings.deadline_s

    def claim(self, *, revision: int) -> None:
        """Note the number in the state file."""
        with self._state.locked():
            self._state.write(replace(self._fenced(revision), revision=revision))

    def open(self, *, revision: int) -> None:
        """Nothing is started: the cluster follows git by itself."""
        self._set_open(revision, is_open=True)

    def address(self) -> str:
        """host:port, as the settings say."""
        return self._address

    def apply(self, routes: tuple[Route, ...], *, revision: int) -> None:
        """Let the branch say the group that gets all of the traffic, and see that the cluster has it."""
        check_routes(routes, splits=self.splits, previews=self.previews, mirrors=self.mirrors)
        wanted = next(route.group_id for route in routes if route.share > 0)
        with self._state.locked():
            saved = self._opened(self._fenced(revision))
            brought = wanted if saved.brought == wanted else ""
            saved = replace(saved, revision=revision, routes=merged(saved.routes, routes), brought=brought)
            self._state.write(saved)
            staged = self._staged(wanted)
            tip = self._bring(saved, staged, revision)
            self._accept(staged, tip)
            before = (*(name for name in saved.before if name != wanted), wanted)[-BEFORE_MAX:]
            if not brought:
                self._state.write(replace(saved, before=before, pulls={}, brought=wanted))
        standing = self._watch.standing(staged, tip)
        if standing.arrival is Arrival.FAILED:
            raise ShiplineError(
                f"{staged.spec.package} {staged.spec.version} is in git, and failed in the cluster", why=standing.words
            )
        if standing.arrival is not Arrival.WELL:
            after_s = FOLLOWS_EVERY_S if standing.arrival is Arrival.AWAY else PROGRESSES_EVERY_S
            raise UnderWay(standing.words, after_s=after_s)

    def routes(self) -> tuple[Route, ...]:
        """The routes by group; who has all says the branch. What people set by hand is a route, too."""
        saved, groups = self._opened(self._state.read()), self._groups.read()
        if not groups.groups and not groups.accepted:
            return ()
        tip = self._repository.seen()
        stated = self._stating.group(groups, tip)
        routes = {name: replace(route, share=float(name == stated)) for name, route in saved.routes.items()}
        if stated and stated not in routes and self._stating.history(tip).newest is not None:
            routes[stated] = Route(stated, Role.STABLE, groups.groups[stated].spec.version, 1.0, ())
        by_hand = self._stating.by_hand(groups, tip)
        if by_hand is not None:
            version = by_hand.text if by_hand.staged is None else by_hand.staged.spec.version
            routes[by_hand.id] = Route(by_hand.id, Role.STABLE, version, 1.0, ())
        return tuple(routes[name] for name in sorted(routes))

    def open_requests(self, group_id: str, endpoint_id: str | None = None) -> int:  # noqa: ARG002 - none is counted
        """None that are known here: the cluster drains its pods."""
        self._opened(self._state.read())
        return 0

    def forget(self, group_id: str, *, revision: int) -> None:
        """Forget a route; RefusedError while it is what the branch states."""
        checked_group_id(group_id)
        with self._state.locked():
            saved = self._opened(self._fenced(revision))
            if any(route.group_id == group_id and route.share > 0 for route in self.routes()):
                raise RefusedError(f"group {group_id} is what {self._settings.branch} says")
            left = {name: route for name, route in saved.routes.items() if name != group_id}
            before = tuple(name for name in saved.before if name != group_id)
            self._state.write(replace(saved, revision=revision, routes=left, before=before))

    def close(self, *, revision: int) -> None:
        """The branch and the cluster stay as they are."""
        self._set_open(revision, is_open=False)

    def _set_open(self, revision: int, *, is_open: bool) -> None:
        with self._state.locked():
            saved = self._fenced(revision)
            if saved.is_open != is_open:
                self._state.write(replace(saved, revision=revision, is_open=is_open))

    def held(self) -> str:
        """The version that is held there, "" for none."""
        return self._stating.history(self._repository.seen()).held

    def _staged(self, wanted: str) -> Staged:
        """The group; what people brought by hand becomes one when it is applied."""
        groups = self._groups.read()
        if wanted not in groups.groups:
            by_hand = self._stating.by_hand(groups, self._repository.look())
            if by_hand is not None and by_hand.id == wanted and by_hand.staged is not None:
                return by_hand.staged
        return must_be_staged(groups, wanted)

    def _accept(self, staged: Staged, tip: str) -> None:
        accepted = tuple(self._repository.texts(tip).values())
        with self._groups.locked():
            groups = self._groups.read()
            kept = {**groups.groups, staged.spec.id: groups.groups.get(staged.spec.id, staged)}
            made = replace(groups, groups=kept, applied=staged.spec.id, size=staged.spec.size, accepted=accepted)
            if made != groups:
                self._groups.write(made)

    def _bring(self, saved: SavedTraffic, staged: Staged, revision: int) -> str:
        """Let the branch say it; returns its tip then. UnderWay while a pull request waits.

        What was said already is not looked for at the remote with each call that waits for the cluster.
        """
        if saved.brought == staged.spec.id:
            tip = self._repository.seen()
            if self._stating.says(tip, staged.spec.version, staged.digest):
                return tip
        if self._settings.mode == "pull-request":
            return self._bring_by_pull(saved, staged, revision)
        self._repository.move(lambda tip: self._proposal(saved, staged, tip, revision))
        return self._repository.look()

    def _bring_by_pull(self, saved: SavedTraffic, staged: Staged, revision: int) -> str:
        pulls, name, tip = self._pulls(), staged.spec.id, self._repository.look()
        proposal = self._proposal(saved, staged, tip, revision)
        pulls.close_others(None if proposal is None else name)
        # One that was merged before it could be closed has brought something else: the next call sees to that.
        if self._repository.look() != tip:
            raise UnderWay(f"{self._settings.branch} has moved meanwhile", after_s=PROGRESSES_EVERY_S)
        if proposal is None:
            return tip
        try:
            number = pulls.bring(name, tip, proposal, saved.pulls.get(name))
        except ShiplineError as error:
            if not error.retryable:  # A later call opens another one.
                self._state.write(replace(saved, pulls={}))
            raise
        self._state.write(replace(saved, pulls={name: number}))
        raise pulls.waiting(number)

    def _proposal(self, saved: SavedTraffic, staged: Staged, tip: str, revision: int) -> Proposal | None:
        """The commit on top of `tip`, None where it says it already."""
        version, history = staged.spec.version, self._stating.history(tip)
        history.check_fence(revision)
        if self._stating.says(tip, version, staged.digest):
            return None
        groups: StagedGroups = self._groups.read()
        self._stating.check_not_changed(groups, tip, version, staged.digest)
        data = edited(self._settings, self._repository.data(tip), version, staged.digest)
        held = left_behind(history.newest, version, is_back=staged.spec.id in saved.before)
        made = Brought("", staged.spec.id, revision, staged.spec.package, version, staged.digest, held)
        return _worded(made, self._repository.with_data(tip, data), self._stating)

    def _pulls(self) -> Pulls:
        if self._context.forge_of is None:
            raise ConfigurationError('mode = "pull-request" needs a [forge]')
        forge = self._context.forge_of(self._repository.address)
        return Pulls(forge, self._repository, self._environment, self._stating.place, self._settings.branch)

    def _opened(self, saved: SavedTraffic) -> SavedTraffic:
        if not saved.is_open:
            raise UnavailableError("the environment is closed", todo="open the environment's traffic again")
        return saved

    def _fenced(self, revision: int) -> SavedTraffic:
        saved = self._state.read()
        check_fence(saved.revision, revision)
        return saved


def _worded(made: Brought, tree: str, stating: Stating) -> Proposal:
    """A Conventional Commit that names the release and the rollout's group."""
    name = f"{made.package} {made.version}"
    body = f"It runs as {made.digest}; the rollout calls it {made.group}."
    subject = f"chore(deploy): {stating.environment} runs {name}"
    if made.held:
        subject = f"revert(deploy): {stating.environment} goes back to {name}"
        body += f"\nVersion {made.held} is held: no rollout brings it again before another one."
    return Proposal(tree, subject, made.trailers(stating.place), body=body)
