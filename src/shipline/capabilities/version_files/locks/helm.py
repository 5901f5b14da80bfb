"""Chart.lock: the versions of a chart's dependencies, and the digest over what is required and what is locked.

From: `HashReq` of https://github.com/helm/helm/blob/v3.16.3/internal/resolver/resolver.go, and the fields of
https://github.com/helm/helm/blob/v3.16.3/pkg/chart/dependency.go in their order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from shipline.capabilities.version_files.locks.changed import Changed
from shipline.capabilities.version_files.trees import rows
from shipline.clients.byte_spans import with_texts
from shipline.clients.yaml_text import read_yaml, scan_yaml

FIELDS = ("name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias")
ALWAYS = ("name", "repository")
# What Go's encoder writes otherwise than Python's; from: https://pkg.go.dev/encoding/json#Marshal
ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def with_chart_versions(path: str, content: bytes, manifests: Sequence[Changed]) -> bytes:
    """The lock with the released versions of what is required anew, and the digest of that."""
    (manifest,) = (each for each in manifests if each.folder_from(path) == ".")
    versions = {each.name: each.version for each in manifest.requirements}
    lock, before, after = read_yaml(content), read_yaml(manifest.before), read_yaml(manifest.after)
    locked = [row for _, row in rows(lock, "dependencies")]
    moved = [row | {"version": versions[row["name"]]} if row.get("name") in versions else row for row in locked]
    new = _digest(after, moved)
    if lock.get("digest") == new and moved == locked:
        return content
    if lock.get("digest") != _digest(before, locked):
        raise ValueError("Helm's rule does not give its digest for Chart.yaml")
    texts: dict[tuple[str | int, ...], str] = {("digest",): new}
    texts |= {("dependencies", n, "version"): row["version"] for n, row in enumerate(moved) if row != locked[n]}
    edits = [(span, texts[keys]) for keys, span in scan_yaml(content) if keys in texts]
    edited = with_texts(content, edits)
    if read_yaml(edited) != lock | {"dependencies": moved, "digest": new}:
        raise ValueError("read again, it differs in more than its versions and digest")
    return edited


def _digest(chart: Any, locked: list[dict[str, Any]]) -> str:
    both = [[_dependency(row) for _, row in rows(chart, "dependencies")], [_dependency(row) for row in locked]]
    text = json.dumps(both, separators=(",", ":"), ensure_ascii=False)
    for character, written in ESCAPES.items():
        text = text.replace(character, written)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _dependency(row: dict[str, Any]) -> dict[str, Any]:
    known = {key: _plain(row[key]) for key in FIELDS if key in row}
    return {key: known.get(key, "") for key in FIELDS if known.get(key) or key in ALWAYS}


def _plain(value: Any) -> Any:
    """A value without YAML's types; those of its maps have the order that Go gives them."""
    match value:
        case (tag, text) if str(tag).endswith(":bool"):
            return str(text).lower() == "true"
        case tuple():
            raise ValueError("a dependency of Chart.yaml is written with values that are no strings")
        case list():
            return [_plain(each) for each in value]
        case dict():
            return {key: _plain(value[key]) for key in sorted(value)}
    return value
