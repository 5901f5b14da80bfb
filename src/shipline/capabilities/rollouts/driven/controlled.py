"""What a controller runs and routes, as the ports Target and Traffic have it: for looking, and for nothing else.

Everything that only reads (drift, the page, what serves before a rollout begins) finds here what it finds elsewhere.
Promises: nothing is run, stopped or weighed by Shipline where a controller does that.
"""

from __future__ import annotations

from shipline.domain.artifact import DIGEST
from shipline.domain.errors import RefusedError
from shipline.ports.controller import Controlled, Controller, Side
from shipline.ports.target import Group, GroupSpec, Role
from shipline.ports.traffic import Route


class ControlledTarget:
    """The two sides as groups."""

    api_version = 3

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self.artifact_kinds = controller.artifact_kinds

    def prepare(self, package: str, version: str, digests: tuple[str, ...]) -> None:
        """Find the image, and try whether it may be set."""
        self._controller.prepare(package, version, digests)

    def groups(self) -> tuple[Group, ...]:
        """What runs. Copies that have died are the platform's to start again."""
        return groups_of(self._controller.look())

    def run(self, spec: GroupSpec, *, revision: int, leaving: tuple[str, ...] = ()) -> Group:  # noqa: ARG002
        """RefusedError: it is not Shipline who runs copies there."""
        raise _left_to(self._controller.name)

    def stop(self, group_id: str, *, revision: int) -> None:  # noqa: ARG002
        """RefusedError: it is not Shipline who stops copies there."""
        raise _left_to(self._controller.name)


class ControlledTraffic:
    """The weights as routes."""

    api_version = 4
    splits, previews, mirrors = True, False, False
    faults: tuple[str, ...] = ()

    def __init__(self, controller: Controller) -> None:
        self._controller = controller

    def claim(self, *, revision: int) -> None:
        """Nothing: there is nothing that could be done late."""

    def open(self, *, revision: int) -> None:
        """Nothing: what routes there runs by itself."""

    def address(self) -> str:
        """RefusedError: nobody here knows it."""
        raise RefusedError(
            f"where users are served is not known: {self._controller.name} routes", todo="set the environment's `url`"
        )

    def apply(self, routes: tuple[Route, ...], *, revision: int) -> None:  # noqa: ARG002
        """RefusedError for anything but what holds already."""
        if {one for one in routes if one.share > 0} != {one for one in self.routes() if one.share > 0}:
            raise _left_to(self._controller.name)

    def routes(self) -> tuple[Route, ...]:
        """Who gets what now."""
        return routes_of(self._controller.look())

    def open_requests(self, group_id: str, endpoint_id: str | None = None) -> int:  # noqa: ARG002
        """0: nobody tells."""
        return 0

    def forget(self, group_id: str, *, revision: int) -> None:
        """Nothing: what has no share is the controller's to forget."""

    def close(self, *, revision: int) -> None:  # noqa: ARG002
        """RefusedError: Shipline does not end what others run."""
        raise _left_to(self._controller.name)


def groups_of(state: Controlled) -> tuple[Group, ...]:
    """The sides that there are, the stable one first."""
    sides = ((state.stable, Role.STABLE), (state.canary, Role.CANARY))
    return tuple(_group(side, role) for side, role in sides if side is not None)


def routes_of(state: Controlled) -> tuple[Route, ...]:
    """The weight as shares."""
    shares = {Role.STABLE: 1.0 - state.weight if state.canary is not None else 1.0, Role.CANARY: state.weight}
    return tuple(Route(one.id, one.role, one.version, shares[one.role], ()) for one in groups_of(state))


def _group(side: Side, role: Role) -> Group:
    content = side.content
    found = content.image.partition("@")[2]
    digests = content.digests or ((found,) if DIGEST.fullmatch(found) else ())
    short = f"{side.ready} of {side.size} copies are ready" if side.ready < side.size else ""
    return Group(side.id, role, content.package, content.version, side.size, side.ready, (), 0, digests, short)


def _left_to(name: str) -> RefusedError:
    return RefusedError(f"{name} runs and routes there, and Shipline does not", todo="use its own means for that")
