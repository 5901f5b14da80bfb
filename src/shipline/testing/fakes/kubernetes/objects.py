"""Objects with resource versions, generations and field ownership, as an API server keeps them.

Ownership is simpler than the real one: a list is one field, and managers are told apart by name and operation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shipline.testing.fakes.kubernetes.json_patch import PatchFailed, copied, patched

Fields = dict[tuple[str, ...], Any]
Key = tuple[str, str, str]
KEPT = ("uid", "resourceVersion", "generation", "creationTimestamp", "namespace")


class Refused(Exception):
    """The server says no, with an HTTP status and the reason of a Status object."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message


@dataclass
class Kept:
    """An object, and who owns which of its fields: `name/operation` by path."""

    body: dict[str, Any]
    owners: dict[tuple[str, ...], set[str]] = field(default_factory=dict)


class Objects:
    """All objects by plural, namespace and name."""

    def __init__(self) -> None:
        self._kept: dict[Key, Kept] = {}
        self._version = 100
        self._uids = 0

    def get(self, key: Key) -> dict[str, Any] | None:
        """A copy of an object, None where there is none."""
        return copied(self._kept[key].body) if key in self._kept else None

    def must_get(self, key: Key) -> dict[str, Any]:
        """A copy of what must be there (404)."""
        found = self.get(key)
        if found is None:
            raise Refused(404, "NotFound", f'{key[0]} "{key[2]}" not found')
        return found

    def listed(self, plural: str, namespace: str, labels: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """Copies of the objects with these labels, by name."""
        found = (kept.body for key, kept in sorted(self._kept.items()) if key[:2] == (plural, namespace))
        return [copied(body) for body in found if _has(body, labels or {})]

    def namespaces(self) -> set[str]:
        """Those that have an object."""
        return {namespace for _, namespace, _ in self._kept}

    def apply(self, key: Key, body: dict[str, Any], *, manager: str, now: str, dry_run: bool = False) -> dict[str, Any]:
        """Server-side apply."""
        owner, wanted = f"{manager}/Apply", dict(_leaves(body))
        kept = self._kept.get(key)
        before = self._fresh(key, body, now) if kept is None else copied(kept.body)
        owners = {} if kept is None else {path: set(names) for path, names in kept.owners.items()}
        there = dict(_leaves(before))
        for path, value in wanted.items():
            others = owners.get(path, set()) - {owner}
            if kept is not None and others and there.get(path) != value:
                raise Refused(409, "Conflict", f'conflict with "{min(others)}": .{".".join(path)}')
            _put(before, path, copied(value))
            owners.setdefault(path, set()).add(owner)
        for path in [path for path, names in owners.items() if owner in names and path not in wanted]:
            owners[path].discard(owner)
            if not owners[path]:
                del owners[path]
                _take(before, path)
        return self._save(key, before, owners, dry_run=dry_run)

    def patch(
        self,
        key: Key,
        operations: list[dict[str, Any]],
        *,
        manager: str,
        dry_run: bool = False,
        part: str | None = None,
    ) -> dict[str, Any]:
        """JSON patch: the fields that it changes are the manager's own from then on. `part` "status" changes the status
        and nothing else, "" all but the status; None does not tell them apart, as of kinds without that subresource."""
        before = self.must_get(key)
        try:
            after = patched(before, operations)
        except PatchFailed as failed:
            raise Refused(422, "Invalid", f"the server rejected our request due to an error in it: {failed}") from None
        if part is not None:
            status = (after if part == "status" else before).get("status")
            after = (before if part == "status" else after) | ({} if status is None else {"status": status})
        then = dict(_leaves(before))
        changed = [path for path, value in _leaves(after) if path not in then or then[path] != value]
        owners = dict(self._kept[key].owners) | {path: {f"{manager}/Update"} for path in changed}
        return self._save(key, after, owners, dry_run=dry_run)

    def put(self, key: Key, body: dict[str, Any], *, now: str) -> None:
        """What a controller or a person writes: all of an object."""
        kept = self._kept.get(key)
        given = {name: value for name, value in body.get("metadata", {}).items() if name not in KEPT}
        whole = dict(self._fresh(key, body, now) if kept is None else kept.body)
        whole |= {name: value for name, value in body.items() if name != "metadata"}
        whole["metadata"] = whole["metadata"] | given
        if kept is None or kept.body != whole:
            self._save(key, copied(whole), {} if kept is None else kept.owners)

    def delete(self, key: Key, preconditions: Mapping[str, str]) -> None:
        """Remove an object that is as the caller has read it."""
        found = self.must_get(key)
        for name, value in preconditions.items():
            if found["metadata"][name] != value:
                raise Refused(409, "Conflict", f"the {name} in the precondition ({value}) does not match")
        self._version += 1
        del self._kept[key]

    def uids(self) -> set[str]:
        """Of all objects."""
        return {kept.body["metadata"]["uid"] for kept in self._kept.values()}

    def orphans(self) -> list[Key]:
        """Objects whose owners have all gone."""
        uids = self.uids()
        return [
            key
            for key, kept in self._kept.items()
            if (owners := kept.body["metadata"].get("ownerReferences"))
            and not any(owner["uid"] in uids for owner in owners)
        ]

    def _fresh(self, key: Key, body: dict[str, Any], now: str) -> dict[str, Any]:
        self._uids += 1
        metadata = {"name": key[2], "namespace": key[1], "uid": f"uid-{self._uids}", "creationTimestamp": now}
        return {
            "apiVersion": body["apiVersion"],
            "kind": body["kind"],
            "metadata": metadata | {"generation": 0, "resourceVersion": ""},
        }

    def _save(
        self, key: Key, body: dict[str, Any], owners: dict[tuple[str, ...], set[str]], *, dry_run: bool = False
    ) -> dict[str, Any]:
        before = self._kept.get(key)
        if before is not None and before.body == body:
            before.owners = owners
            return dict(copied(body))
        if before is None or before.body.get("spec") != body.get("spec"):
            body["metadata"]["generation"] += 1
        if dry_run:
            if before is None:
                del body["metadata"]["resourceVersion"]
            return body
        self._version += 1
        body["metadata"]["resourceVersion"] = str(self._version)
        self._kept[key] = Kept(body, owners)
        return dict(copied(body))


def _has(body: dict[str, Any], labels: Mapping[str, str]) -> bool:
    there = body["metadata"].get("labels") or {}
    return all(there.get(name) == value for name, value in labels.items())


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The fields of an object that somebody may own: all but its identity, its status and empty tables."""
    if isinstance(value, dict):
        for name, inner in value.items():
            here = (*path, name)
            if here not in IDENTITY:
                yield from _leaves(inner, here)
    else:
        yield path, value


IDENTITY = frozenset(
    {("apiVersion",), ("kind",), ("status",), ("metadata", "name")} | {("metadata", name) for name in KEPT}
)


def _put(body: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for part in path[:-1]:
        body = body.setdefault(part, {})
    body[path[-1]] = value


def _take(body: dict[str, Any], path: tuple[str, ...]) -> None:
    for part in path[:-1]:
        body = body.get(part, {})
    body.pop(path[-1], None)
