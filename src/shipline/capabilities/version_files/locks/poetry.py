"""poetry.lock: the digest of what the manifest says of dependencies.

No document says how it is made, and it was made in several ways. Each is tried on the manifest as it was: one that
gives the digest that stands there is the right one.

From: `Locker._get_content_hash` of https://github.com/python-poetry/poetry/blob/2.2.1/src/poetry/packages/locker.py,
and of the tags 2.3.0 and 1.8.5.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Sequence
from typing import Any

from shipline.capabilities.version_files.locks.changed import Changed
from shipline.capabilities.version_files.spans import replaced
from shipline.capabilities.version_files.toml_text import read_toml, scan_toml
from shipline.capabilities.version_files.trees import at, table

DIGEST = ("metadata", "content-hash")
LEGACY = ("dependencies", "source", "extras", "dev-dependencies")
PROJECT = ("requires-python", "dependencies", "optional-dependencies")


def with_poetry_digest(path: str, content: bytes, manifests: Sequence[Changed]) -> bytes:
    """The lock with the digest of the manifest beside it as it is now; as it is where it has that already."""
    (manifest,) = (each for each in manifests if each.folder_from(path) == ".")
    document = read_toml(content)
    stated = at(document, DIGEST)
    before, after = (_digests(each) for each in (manifest.before, manifest.after))
    if stated in after:
        return content
    if stated not in before:
        raise ValueError(f"no known rule of Poetry gives its {DIGEST[-1]} for pyproject.toml")
    new = after[before.index(stated)]
    edited = replaced(content, [span for keys, span in scan_toml(content) if keys == DIGEST], new)
    document["metadata"][DIGEST[-1]] = new
    if read_toml(edited) != document:
        raise ValueError("read again, it differs in more than its digest")
    return edited


def _digests(manifest: bytes) -> list[str]:
    """By the rule of Poetry 2.3 and later, by that of 2.0 to 2.2, and by that of 1.x."""
    document = tomllib.loads(manifest.decode("utf-8-sig"))
    poetry, project = table(document, "tool", "poetry"), table(document, "project")
    named = {key: project[key] for key in PROJECT if project.get(key) is not None}
    kept = [_relevant(named, groups, poetry) for groups in (table(document, "dependency-groups"), {})]
    kept.append(_relevant({}, {}, poetry))
    return [hashlib.sha256(json.dumps(each, sort_keys=True, default=str).encode()).hexdigest() for each in kept]


def _relevant(named: dict[str, Any], groups: dict[str, Any], poetry: dict[str, Any]) -> dict[str, Any]:
    legacy = {key: poetry.get(key) for key in LEGACY if poetry.get(key) is not None or not (named or groups)}
    own = legacy | ({"group": poetry["group"]} if poetry.get("group") is not None else {})
    above = ({"project": named} if named else {}) | ({"dependency-groups": groups} if groups else {})
    return above | {"tool": {"poetry": own}} if above else own
