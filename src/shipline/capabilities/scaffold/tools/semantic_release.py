"""semantic-release. From: https://semantic-release.gitbook.io/semantic-release/usage/configuration, version 25."""

from __future__ import annotations

from typing import Any

from shipline.capabilities.scaffold.answers import (
    Draft,
    Meanings,
    answer_all,
    message_pattern,
    package_setting,
    text,
    version_pattern,
)

ENDINGS = ("", ".json", ".yaml", ".yml", ".js", ".cjs", ".mjs")
FILES: dict[str, tuple[str, ...]] = (
    {f".releaserc{ending}": () for ending in ENDINGS}
    | {f"release.config{ending}": () for ending in ENDINGS if ending.endswith("js")}
    | {"package.json": ("release",)}
)
NOT_NEEDED = {
    "repositoryUrl": "the address of the git remote says it",
    "dryRun": "`shipline plan` shows what would be done",
    "ci": "a release runs anywhere",
    "debug": "it is an option of a command",
    "$schema": "it is for editors",
}
NO_EQUAL = {
    "extends": "its settings are in a package that is not read",
    "preset": "commits are conventional; releaseRules have no equal",
}
BUMPS = {name: name for name in ("none", "patch", "minor", "major")} | dict.fromkeys(
    ("prepatch", "prerelease"), "patch"
)
PLUGINS_NOT_NEEDED = {
    "@semantic-release/commit-analyzer": "commits are read as conventional commits",
    "@semantic-release/release-notes-generator": "a release has notes",
    "@semantic-release/npm": "npm packages are built and published as their registry says: set [[registry]]",
    "@semantic-release/github": "a release is made on the forge that the settings name",
    "@semantic-release/gitlab": "a release is made on the forge that the settings name",
}
OPTIONS_NO_EQUAL = {
    "presetConfig": "its types are not read: name them in [[changelog.section]]",
    "writerOpts": "the changelog has one form",
    "changelogTitle": "the changelog has one form",
    "npmPublish": "leave [[registry]] out to publish nowhere",
    "assets": "what a release commits are its version files and changelog",
}


def read(draft: Draft, data: dict[str, Any]) -> None:
    """Answer for every key, for every branch and every plug-in with its options."""
    takers = {
        "branches": _branches,
        "branch": lambda draft, key, value: draft.put(key, "release", "branch", text(value)),
        "tagFormat": version_pattern("tag_format", "${version}", "<%= version %>"),
        "plugins": _plugins,
    }
    answer_all(draft, data, Meanings(takers, NOT_NEEDED, NO_EQUAL))


def _branches(draft: Draft, key: str, value: Any) -> None:
    entries = value if isinstance(value, list) else [value]
    if len(entries) == 1 and isinstance(entries[0], str) and not any(mark in entries[0] for mark in "*+?[("):
        draft.put(key, "release", "branch", entries[0])
        return
    for entry in entries:
        branch = {"name": entry} if isinstance(entry, str) else dict(entry)
        _branch(draft, f"{key} {branch['name']}"[:80], branch)


def _branch(draft: Draft, key: str, branch: dict[str, Any]) -> None:
    name = text(branch["name"])
    pre = branch.get("prerelease")
    channel: dict[str, str] = {"branch": name.replace("+([0-9])?(.{+([0-9]),x}).x", "[0-9]*.x")}
    if pre:
        channel["name"] = name if pre is True else text(pre)
    elif isinstance(branch.get("channel"), str):
        draft.no_equal(f"{key}.channel", "the word of a channel stands in its versions: only pre-releases have one")
    if "range" in branch:
        channel["range"] = text(branch["range"])
    draft.settings.setdefault("channel", []).append(channel)
    draft.taken(key, f"[[channel]] {channel}"[:160])


def _plugins(draft: Draft, key: str, value: Any) -> None:
    for entry in value:
        name, options = (entry, {}) if isinstance(entry, str) else (entry[0], entry[1] if len(entry) > 1 else {})
        place = f"{key} {text(name)}"[:80]
        if name == "@semantic-release/changelog":
            options = {"changelogFile": "CHANGELOG.md"} | options
        if name in PLUGINS_NOT_NEEDED:
            draft.not_needed(place, PLUGINS_NOT_NEEDED[name])
        elif name not in ("@semantic-release/git", "@semantic-release/changelog"):
            draft.no_equal(place, "tests before a release are [[test]], building is [build]; nothing else is run")
            continue
        takers = {
            "changelogFile": package_setting("changelog"),
            "releaseRules": _bumps,
            "message": message_pattern("${nextRelease.version}"),
            "pkgRoot": lambda draft, key, value: draft.no_equal(key, f"name the package in {value!r} in [[package]]"),
        }
        answer_all(
            draft,
            options,
            Meanings(takers, {"preset": "commits are conventional"}, OPTIONS_NO_EQUAL),
            prefix=f"{place}.",
        )


def _bumps(draft: Draft, key: str, value: Any) -> None:
    """Rules by type and scope; the others have no equal one by one."""
    for number, rule in enumerate(value):
        place = f"{key}[{number}]"
        if rule.get("breaking") or rule.get("revert"):
            draft.not_needed(place, "breaking changes and reverts have a bump of their own")
        elif not set(rule) <= {"type", "scope", "release", "breaking", "revert"} or "release" not in rule:
            draft.no_equal(place, "a [[bump]] looks at type and scope")
        else:
            bump = {name: text(rule[name]) for name in ("type", "scope") if name in rule}
            bump["bump"] = BUMPS[rule["release"] or "none"]
            draft.settings.setdefault("bump", []).append(bump)
            draft.taken(place, f"[[bump]] {bump}")
