"""Changesets 2. From: https://github.com/changesets/changesets/blob/main/docs/config-file-options.md."""

from __future__ import annotations

from typing import Any

from shipline.capabilities.scaffold.answers import Draft, Meanings, answer_all, text, texts

FILES: dict[str, tuple[str, ...]] = {".changeset/config.json": ()}
NOT_NEEDED = {
    "$schema": "it is for editors",
    "changelog": "changelogs are written with references and contributors anyway",
    "commit": "a release commits what it changed",
    "updateInternalDependencies": "a dependent is released when the new version is out of its range",
    "bumpVersionsWithWorkspaceProtocolOnly": "ranges are followed by what they say",
    "prettier": "files are edited in place, and stay as they are formatted",
    "snapshot": "snapshots have one form",
}
BY_HAND = {"changedFilePatterns": "`exclude` of a [[package]] says which files in its folder do not count as its own"}
NO_EQUAL = {
    "ignore": "leave a package out by naming the others in [[package]]",
    "privatePackages": "a private package is planned and tagged like any other",
}


def read(draft: Draft, data: dict[str, Any]) -> None:
    """Answer for every key of `.changeset/config.json`."""
    draft.put("(the folder .changeset)", "release", "source", "changesets")
    takers = {"access": _access, "baseBranch": _branch, "fixed": _groups, "linked": _groups}
    answer_all(draft, data, Meanings(takers, NOT_NEEDED, NO_EQUAL, BY_HAND))


def _branch(draft: Draft, key: str, value: Any) -> None:
    draft.put(key, "release", "branch", text(value))


def _access(draft: Draft, key: str, value: Any) -> None:
    """`changeset publish` publishes to npm; `restricted` is npm's own default for packages of a scope."""
    draft.listed(key, "registry", {"provider": "npm"} | ({"access": "public"} if text(value) == "public" else {}))


def _groups(draft: Draft, key: str, value: Any) -> None:
    found = [texts(each) for each in value]
    for number, packages in enumerate(found, start=1):
        group = {"name": f"{key}-{number}", "packages": packages, "kind": key}
        draft.settings.setdefault("group", []).append(group)
    if found:
        draft.taken(key, f"{len(found)} [[group]] of the kind {key}")
    else:
        draft.not_needed(key, "it is empty")
