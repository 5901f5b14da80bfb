"""A driven environment of a RolloutWorld: the real providers over a model of the controller, and simulated users."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from shipline.capabilities.rollouts import (
    ControlledTarget,
    ControlledTraffic,
    Ground,
    RolloutOrder,
    Strategy,
    StrategyKind,
    VerdictNow,
    about_image,
    is_serving,
    open_rollout,
    verdict_now,
)
from shipline.capabilities.rollouts.driven.controlled import groups_of
from shipline.domain.rollout import Rollout
from shipline.engine.engine import Engine
from shipline.ports.controller import Controlled, Controller
from shipline.ports.target import Role
from shipline.ports.traffic import Route
from shipline.store.database import Store
from shipline.testing.fakes.kubernetes import KubernetesServer
from shipline.testing.kills import Countdown, Mortal
from shipline.testing.world import World
from tests.capabilities.rollouts.rollout_world import PACKAGE, PERSON, PLACE, SETTINGS, RolloutWorld, catalogue_of
from tests.clusters import digests_of
from tests.controllers import DrivenCluster

# A look costs some requests to the fake cluster: fewer of them do.
LOOKS = replace(SETTINGS, tick_s=5.0, promote_after_s=15.0, deadline_s=90.0)
EFFECTS = ("set", "tell")


class Told:
    """A controller whose users are simulated: they learn where requests go whenever somebody looks."""

    def __init__(self, place: DrivenPlace, inner: Controller) -> None:
        self._place, self._inner = place, inner

    def look(self) -> Controlled:
        """Look, and let the users know."""
        state = self._inner.look()
        users = self._place.traffic
        for tell in users.before_change:
            tell()
        users.running = True
        sides = groups_of(state)
        shares = {Role.STABLE: 1.0 - state.weight if state.canary else 1.0, Role.CANARY: state.weight}
        counted = {Role.STABLE: Role.BASELINE if state.canary else Role.STABLE, Role.CANARY: Role.CANARY}
        users.routes = {one.id: Route(one.id, counted[one.role], one.version, shares[one.role], ()) for one in sides}
        return state

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class DrivenPlace(RolloutWorld):
    """An environment where a controller brings versions to users."""

    def __init__(self, world: World, cluster: DrivenCluster) -> None:
        self.cluster = cluster
        super().__init__(world)
        if cluster.kind == "flagger":
            cluster.model.ask = self._asked  # type: ignore[union-attr] # Flagger's model has it

    def _asked(self, url: str, _payload: dict[str, Any]) -> int:
        """What the server answers, without a server."""
        return 200 if self.verdict().agrees(url.rpartition("/")[2]) else 409

    def verdict(self) -> VerdictNow:
        """What whoever asks hears now."""
        # From the objects themselves: the model asks while its server answers nobody else.
        image, now_us = self.cluster.wanted_image(), self.world.clock.now_us()
        with self.world.store.begin() as tx:
            now = verdict_now(tx, PLACE, now_us, fresh_s=60.0, evidence_calm=SETTINGS.evidence_calm)
            return about_image(tx, now, image)

    def ground(self, store: Store, countdown: Countdown | None = None) -> Ground:
        """One process: it knows nothing but what is in the store and in the cluster."""
        controller: Any = Told(self, self.cluster.controller(PLACE, container="web"))
        if countdown is not None:
            controller = Mortal(controller, countdown, name="controller", effects=EFFECTS)
        views = {"target": ControlledTarget(controller), "traffic": ControlledTraffic(controller)}
        return replace(super().ground(store), controller=controller, **views)  # type: ignore[arg-type] # both are ports

    def engine(self, store: Store | None = None, countdown: Countdown | None = None) -> Engine:
        """A new process."""
        ground = self.ground(store if store is not None else self.world.store, countdown)
        made: list[Engine] = []
        made.append(self.world.engine(catalogue_of(ground, lambda: made[0], LOOKS), store))
        return made[0]

    def order(self, version: str, *, back: bool = False, **rest: Any) -> Rollout:
        """Order a rollout; nothing is done yet."""
        kind = StrategyKind.ALL_AT_ONCE if back else StrategyKind.DRIVEN
        order = RolloutOrder(
            package=PACKAGE,
            version=version,
            environment=PLACE,
            strategy=Strategy(kind, **rest),
            digests=digests_of(version),
            release_id="rel_x",
            commit="c0ffee",
            rollback=back,
            is_down=not is_serving(self.ground(self.world.store)),
        )
        with self.world.store.begin() as tx:
            return open_rollout(tx, self.engine(), order, PERSON)

    def ended(self, version: str, *, back: bool = False, **rest: Any) -> Rollout:
        """A rollout, and its end."""
        rollout = self.order(version, back=back, **rest)
        self.settle()
        return self.now(rollout)

    def state(self) -> Controlled:
        """How the controller stands."""
        return self.cluster.controller(PLACE, container="web").look()


@contextmanager
def copied_place(begun: DrivenPlace, folder: Path) -> Iterator[DrivenPlace]:
    """The same place again with a store and an API server of its own: it goes on where `begun`, whose store is closed,
    stands. The registry is the same, since its address stands in the cluster."""
    store = Store(f"sqlite:///{folder / 'world.db'}")
    shutil.copyfile(str(begun.world.store.path), str(store.path))
    with KubernetesServer(begun.cluster.world) as server:
        replaced = {id(begun.world.store): store, id(begun.cluster.server): server, id(begun.cluster.folder): folder}
        server.world, place = copy.deepcopy((begun.cluster.world, begun), replaced)
        server.write_kubeconfig(folder / "kubeconfig")
        store.open()
        yield place
        store.close()
