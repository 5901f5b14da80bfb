"""A namespace of a real cluster: what is there, what a person does there, and what may never be seen there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.cluster.node import ROUTES
from tests.clusters import Cluster, weights_of
from tests.machine import wait_until

LOOK_EVERY_S = 0.1
JSON_PATCH = {"Content-Type": "application/json-patch+json"}


@dataclass(frozen=True)
class RealCluster(Cluster):
    """By the API as the administrator; Shipline's own account may do less."""

    admin: httpx.Client | None = None

    def read(self, plural: str, name: str) -> dict[str, Any]:
        return self._answer(self._admin.get(f"{self._path(plural)}/{name}"))

    def listed(self, plural: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._answer(self._admin.get(self._path(plural)))["items"]
        return items

    def edit(self, plural: str, name: str, *operations: dict[str, Any]) -> None:
        self._answer(self._admin.patch(f"{self._path(plural)}/{name}", json=operations, headers=JSON_PATCH))

    def rolled_out(self, name: str) -> None:
        wait_until(lambda: _is_rolled_out(self.read("deployments", name)), f"the rollout of {name}")

    @contextmanager
    def watched(self, breaches: list[str]) -> Iterator[None]:
        """A group that has gone since the look before, and has a weight before and after that was seen."""
        known: set[str] = set()

        def weighed() -> set[str]:
            return {name for name, weight in weights_of(self.read("httproutes", "quotes")).items() if weight > 0}

        def look() -> None:
            before = weighed()
            there = {one["metadata"]["name"] for one in self.listed("deployments")}
            gone = (known - there) & before & weighed()
            breaches.extend(f"{name} was deleted while it had a weight" for name in gone)
            known.clear()
            known.update(there)

        with self._looking(look):
            yield

    @contextmanager
    def fewest_copies(self) -> Iterator[Callable[[], int]]:
        """Of copies that are ready, as far as looks every LOOK_EVERY_S can tell."""
        counted = [1000]

        def look() -> None:
            counted.append(sum(one["status"].get("readyReplicas", 0) for one in self.listed("deployments")))

        with self._looking(look):
            yield lambda: min(counted)

    @contextmanager
    def _looking(self, look: Callable[[], None]) -> Iterator[None]:
        ended, errors = threading.Event(), list[Exception]()

        def run() -> None:
            try:
                while not ended.wait(LOOK_EVERY_S):
                    look()
            except Exception as error:  # noqa: BLE001 - told to the test below
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
        assert errors == []

    def _path(self, plural: str) -> str:
        groups = {"deployments": "/apis/apps/v1", "httproutes": ROUTES}
        return f"{groups[plural]}/namespaces/{self.namespace}/{plural}"

    @property
    def _admin(self) -> httpx.Client:
        assert self.admin is not None
        return self.admin

    def _answer(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found


def _is_rolled_out(deployment: dict[str, Any]) -> bool:
    """As `kubectl rollout status` has it."""
    status, wanted = deployment.get("status", {}), deployment["spec"]["replicas"]
    seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas")]
    return bool(seen and counts == [wanted] * len(counts))
