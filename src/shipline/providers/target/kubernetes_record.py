"""What one environment remembers in its namespace, in a ConfigMap: the newest revision, and the prepared versions.

The revision is changed by patches that test the resource version that was read, so of two engines the one with the
older number is refused, whichever machines they run on.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from shipline.clients.durable_state import check_fence
from shipline.clients.kubernetes import CONFIG_MAPS, KubernetesClient, until_settled
from shipline.clients.kubernetes_marks import ENVIRONMENT, REVISION, check_ours, noting, number
from shipline.domain.codec import from_json
from shipline.domain.errors import ShiplineError

NAME = "shipline"
PREPARED_MAX = 200


@dataclass(frozen=True, slots=True)
class Prepared:
    """A version that may run, by which image (`registry/name@sha256:...`), since when (UTC microseconds)."""

    package: str
    version: str
    digests: tuple[str, ...]
    image: str
    prepared_us: int

    @property
    def key(self) -> str:
        """Its name among the ConfigMap's data."""
        return key_of(self.package, self.version, self.digests)


def key_of(package: str, version: str, digests: tuple[str, ...]) -> str:
    """What a version of these artifacts is kept under."""
    text = json.dumps([package, version, *digests])
    return f"version-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


class Record:
    """The ConfigMap `shipline` of one environment."""

    def __init__(self, client: KubernetesClient, namespace: str, environment: str) -> None:
        self._client = client
        self._environment = environment
        self._path = CONFIG_MAPS.path(namespace, NAME)

    def fence(self, revision: int) -> dict[str, Any]:
        """Note that `revision` acts, and return the ConfigMap. RefusedError if a newer one did already."""
        return until_settled(lambda: self._fence(revision))

    def check(self, revision: int) -> None:
        """RefusedError if a newer revision has acted meanwhile."""
        check_fence(number(self._read(), REVISION) or 0, revision)

    def prepared(self, found: dict[str, Any], package: str, version: str, digests: tuple[str, ...]) -> Prepared:
        """What was prepared, from the ConfigMap as it was found. ShiplineError where it was not."""
        kept = _prepared(found).get(key_of(package, version, digests))
        if kept is None or (kept.package, kept.version, kept.digests) != (package, version, digests):
            raise ShiplineError(f"{package} {version} is not prepared here", todo="prepare the version first")
        return kept

    def note(self, prepared: Prepared) -> None:
        """Remember a version. Of more than PREPARED_MAX the oldest are forgotten."""
        until_settled(lambda: self._note(prepared))

    def _note(self, prepared: Prepared) -> None:
        found = self._read()
        kept = _prepared(found)
        if prepared.key in kept and kept[prepared.key].image == prepared.image:
            return
        newest = sorted(kept.values(), key=lambda one: one.prepared_us)[-PREPARED_MAX + 1 :]
        data = {one.key: json.dumps(asdict(one)) for one in (*newest, prepared)}
        self._client.change(self._path, found, ({"op": "add", "path": "/data", "value": data},))

    def _fence(self, revision: int) -> dict[str, Any]:
        found = self._read()
        seen = number(found, REVISION)
        check_fence(seen or 0, revision)
        if seen == revision:
            return found
        return self._client.change(self._path, found, noting(found, {REVISION: str(revision)}))

    def _read(self) -> dict[str, Any]:
        """As it is; made where it is not yet, without anything that a second engine could have written into it."""
        found = self._client.find(self._path)
        if found is None:
            marks = {"name": NAME, "labels": {ENVIRONMENT: self._environment}}
            found = self._client.apply(self._path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": marks})
        check_ours(found, self._environment)
        return found


def _prepared(found: dict[str, Any]) -> dict[str, Prepared]:
    data = found.get("data") or {}
    try:
        return {key: from_json(Prepared, json.loads(text)) for key, text in data.items() if key.startswith("version-")}
    except (ValueError, RecursionError, ShiplineError):
        raise ShiplineError(
            f"the ConfigMap {NAME} holds what Shipline did not write", todo="delete its data, and deploy again"
        ) from None
