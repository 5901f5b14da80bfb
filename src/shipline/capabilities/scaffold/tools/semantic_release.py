"""semantic-release. From: https://semantic-release.gitbook.io/semantic-release/usage/configuration, version 25."""

from __future__ import annotations

import re
from typing import Any

from shipline.capabilities.scaffold.answers import (
    TEMPLATE,
    Draft,
    Meanings,
    answer_all,
    message_pattern,
    package_setting,
    says,
    sections,
    text,
    version_pattern,
)
from shipline.capabilities.scaffold.writing import toml_value
from shipline.capabilities.version_files import kind_by_name

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
}
OPTIONS_BY_HAND = dict.fromkeys(("writerOpts", "changelogTitle"), TEMPLATE)
OPTIONS_NO_EQUAL = {
    "pkgRoot": "name the package in that folder in [[package]]",
    "tarballDir": "artifacts are kept with their release",
}
PRESET_NOT_NEEDED = dict.fromkeys(
    ("commitUrlFormat", "compareUrlFormat", "issueUrlFormat", "userUrlFormat", "issuePrefixes"),
    "links are those of the remote's forge",
)
FORGES = {"@semantic-release/github": "github", "@semantic-release/gitlab": "gitlab"}
ADDRESSES = {
    "github": ("githubUrl", "githubApiPathPrefix", "githubApiUrl"),
    "gitlab": ("gitlabUrl", "gitlabApiPathPrefix", ""),
}
API_PATHS = {"github": "/api/v3", "gitlab": "/api/v4"}
FORGE_NOT_NEEDED = {
    "successComment": "pull requests are not commented on after a release",
    "successCommentCondition": "pull requests are not commented on after a release",
    "failComment": "a release that stops says why, and goes on when it is run again",
    "failCommentCondition": "a release that stops says why, and goes on when it is run again",
    "failTitle": "a release that stops says why, and goes on when it is run again",
    "releasedLabels": "labels are never used as state",
    "addReleases": "the release has all artifacts itself",
    "labels": "labels are never used as state",
}
FORGE_NO_EQUAL = {
    "draftRelease": "a release is announced when its gates have opened and all files are there",
    "discussionCategoryName": "no discussion is opened",
    "assignees": "nobody is assigned",
    "milestones": "milestones are not tied to releases",
    "proxy": "the environment says it: HTTPS_PROXY",
    "releaseNameTemplate": "a page is titled by package and version",
    "releaseBodyTemplate": "the notes have one form",
}
COMMANDS_NO_EQUAL = {
    "analyzeCommitsCmd": "the commits decide",
    "generateNotesCmd": "the notes have one form",
    "publishCmd": "what is published goes to a [[registry]], which is asked before and read back after",
    "addChannelCmd": "a registry's channels follow the releases",
    "successCmd": "nothing is run after a release",
    "failCmd": "nothing is run after a release that stopped",
    "shell": "commands are run by sh",
    "execCwd": "commands are run in the package's folder",
}
TESTS = {"verifyConditionsCmd": "conditions", "verifyReleaseCmd": "verify-release"}
VERSION_NOW = "${nextRelease.version}"
LATEST = "latest"
MAINTENANCE = "+([0-9])?(.{+([0-9]),x}).x"
"""How its own configuration names all branches such as 1.x and 1.4.x."""
LINE = re.compile(r"\d+\.(?:\d+\.|x\.)?x")
CHANNEL = re.compile(r"[A-Za-z][0-9A-Za-z-]{0,31}")
NO_BRANCHES = (
    "main",
    "next",
    "next-major",
    {"name": "beta", "prerelease": True},
    {"name": "alpha", "prerelease": True},
)
"""The branches where the file names none, from lib/get-config.js; those like 1.x keep to their line anyway."""
NO_PLUGINS = ("@semantic-release/npm", "@semantic-release/github")
"""What it does where the file names no plug-ins, beside reading commits and writing notes."""


def read(draft: Draft, data: dict[str, Any]) -> None:
    """Answer for every key, for every branch and every plug-in with its options."""
    takers = {
        "branches": _branches,
        "branch": lambda draft, key, value: draft.put(key, "release", "branch", text(value)),
        "tagFormat": version_pattern("tag_format", "${version}", "<%= version %>"),
        "plugins": _plugins,
    }
    answer_all(draft, data, Meanings(takers, NOT_NEEDED, NO_EQUAL))
    if not says(data, "branches", "branch", "extends"):
        _branches(draft, "(no branches)", list(NO_BRANCHES))
    if "breaking_before_1" not in draft.settings.get("release", {}):
        draft.before_1("(before 1.0.0)", breaking="major", why="a breaking change leads to 1.0.0")
    if not says(data, "plugins", "extends"):
        _plugins(draft, "(no plugins)", list(NO_PLUGINS))


def _branches(draft: Draft, key: str, value: Any) -> None:
    """From: lib/branches/normalize.js and lib/definitions/branches.js, 25.0: what keeps to a range or is a pre-release
    aside, the first branch publishes to `latest`, every later one final versions to the dist-tag of its own name."""
    entries = value if isinstance(value, list) else [value]
    branches = [{"name": entry} if isinstance(entry, str) else dict(entry) for entry in entries]
    if len(branches) == 1 and set(branches[0]) == {"name"} and not any(mark in branches[0]["name"] for mark in "*+?[("):
        draft.put(key, "release", "branch", text(branches[0]["name"]))
        return
    first: str | None = None
    for branch in branches:
        name = text(branch["name"])
        kept = "range" in branch or LINE.fullmatch(name) is not None or MAINTENANCE in name
        if branch.get("prerelease") or kept:
            _branch(draft, f"{key} {name}"[:80], branch)
            continue
        own = branch.get("channel")
        if own is None and first is not None and {first, name} != {"main", "master"}:
            own = name
        first = first or name
        if own and own != LATEST:
            _distributed(draft, f"{key} {name}"[:80], name, text(own))
        else:
            _branch(draft, f"{key} {name}"[:80], {"name": name})


def _branch(draft: Draft, key: str, branch: dict[str, Any]) -> None:
    name = text(branch["name"])
    pre, own = branch.get("prerelease"), branch.get("channel")
    channel: dict[str, str] = {"branch": name.replace(MAINTENANCE, "[0-9]*.x")}
    if pre:
        channel["name"] = name if pre is True else text(pre)
    if own is not None and own != channel.get("name"):
        words = f"its word, {channel['name']}" if pre else "latest, or release-MAJOR.x for one below that"
        draft.no_equal(f"{key}.channel", f"the dist-tag of a version is {words}")
    if "range" in branch:
        channel["range"] = text(branch["range"])
    draft.settings.setdefault("channel", []).append(channel)
    draft.taken(key, f"[[channel]] {toml_value(channel)}"[:160])


def _distributed(draft: Draft, key: str, branch: str, tag: str) -> None:
    """Final versions on a dist-tag of their own. Here they would go to `latest`, which is not meant by such a branch:
    pre-releases on that dist-tag are what comes nearest."""
    why = f"here every final version is for latest, none for the dist-tag {tag[:40]}"
    if CHANNEL.fullmatch(tag) is None or tag in ("stable", "snapshot"):
        todo = f"name a [[channel]] for {branch[:40]} by a word such as next, or release nothing there"
        draft.no_equal(key, f"{why}: {todo}")
        return
    draft.settings.setdefault("channel", []).append({"branch": branch, "name": tag})
    words = f"{branch[:40]} releases pre-releases (2.0.0-{tag}.1) to it, and merging it makes them final"
    draft.no_equal(key, f"{why}: by the [[channel]] that is written, {words}")


def _plugins(draft: Draft, key: str, value: Any) -> None:
    plugins = [_plugin(entry) for entry in value]
    assets = [path for name, said in plugins if name in FORGES for path in _paths(said.get("assets") or [])]
    # What is built comes first: the forge's assets are that.
    for name, said in sorted(plugins, key=lambda plugin: plugin[0] != "@semantic-release/exec"):
        place = f"{key} {name}"[:80]
        if name in FORGES:
            _forge(draft, place, FORGES[name], said)
        elif name == "@semantic-release/npm":
            _npm(draft, place, said)
        elif name == "@semantic-release/exec":
            _commands(draft, place, said, assets)
        elif name == "@semantic-release/git":
            _committed(draft, place, said)
        elif name == "@semantic-release/changelog":
            _answer(draft, place, {"changelogFile": "CHANGELOG.md"} | said)
        elif name in PLUGINS_NOT_NEEDED:
            draft.not_needed(place, PLUGINS_NOT_NEEDED[name])
            _answer(draft, place, said)
        else:
            draft.no_equal(place, "tests before a release are [[test]], building is [[build]]; nothing else is run")


def _plugin(entry: Any) -> tuple[str, dict[str, Any]]:
    """Its name and its options."""
    if isinstance(entry, str):
        return entry, {}
    return text(entry[0]), dict(entry[1]) if len(entry) > 1 else {}


def _answer(draft: Draft, place: str, options: dict[str, Any]) -> None:
    takers = {
        "changelogFile": package_setting("changelog"),
        "releaseRules": _bumps,
        "presetConfig": _preset_config,
        "message": message_pattern(VERSION_NOW),
    }
    meanings = Meanings(takers, {"preset": "commits are conventional"}, OPTIONS_NO_EQUAL, OPTIONS_BY_HAND)
    answer_all(draft, options, meanings, prefix=f"{place}.")


def _preset_config(draft: Draft, key: str, value: Any) -> None:
    """The options of conventional-changelog-conventionalcommits, of which `types` are the sections."""
    answer_all(draft, value, Meanings({"types": sections}, PRESET_NOT_NEEDED, {}), prefix=f"{key}.")


def _npm(draft: Draft, place: str, options: dict[str, Any]) -> None:
    if options.get("npmPublish") is False:
        draft.not_needed(f"{place}.npmPublish", "without [[registry]] nothing is published")
    else:
        draft.listed(place, "registry", {"provider": "npm"})
    _answer(draft, place, {name: value for name, value in options.items() if name != "npmPublish"})


def _forge(draft: Draft, place: str, provider: str, options: dict[str, Any]) -> None:
    """The address of the API is said whole, or as that of the pages and a path."""
    pages, prefix, whole = ADDRESSES[provider]
    own = (pages, prefix, whole)
    api_url = text(options.get(whole, ""))
    if not api_url and pages in options:
        path = text(options.get(prefix, API_PATHS[provider]))
        api_url = f"{text(options[pages]).rstrip('/')}/{path.strip('/')}"
    draft.shown_on(place, provider, api_url=api_url)
    for name in (name for name in options if name in own):
        draft.taken(f"{place}.{name}", f"forge.api_url = {toml_value(api_url)}"[:160])
    rest = {name: value for name, value in options.items() if name not in own}
    takers = {"assets": _shown_assets}
    answer_all(draft, rest, Meanings(takers, FORGE_NOT_NEEDED, FORGE_NO_EQUAL), prefix=f"{place}.")


def _shown_assets(draft: Draft, key: str, value: Any) -> None:
    """What is shown is what was built."""
    if not _paths(value):
        draft.not_needed(key, "it is empty")
    elif any(table["provider"] == "command" for table in draft.settings.get("build", [])):
        draft.taken(key, "the [[build]] leaves them as artifacts, and all artifacts are shown")
    else:
        listed = ", ".join(_paths(value))[:80]
        draft.no_equal(key, f"all artifacts are shown: let a [[build]] with the provider command leave {listed}")


def _paths(assets: Any) -> list[str]:
    """The paths of assets, each a path or a table with one; what is taken out again (`!…`) is not."""
    listed = assets if isinstance(assets, list) else [assets]
    found = [text(each.get("path", "")) if isinstance(each, dict) else text(each) for each in listed]
    return [path for path in found if path and not path.startswith("!")]


def _commands(draft: Draft, place: str, options: dict[str, Any], assets: list[str]) -> None:
    """What must succeed before a release is a [[test]]; what prepares files that are shown is a [[build]]."""

    def prepare(draft: Draft, key: str, value: Any) -> None:
        command = _filled(text(value), '"$1"')
        if not assets or any(re.fullmatch(r"[\w./*-]+", path) is None for path in assets):
            draft.no_equal(key, "version files are set by a release; what else is built is a [[build]] of its own")
            return
        script = f'{command}\ncp {" ".join(assets)} "$0"'
        arguments = ["sh", "-e", "-c", script, "{output}", "{version}"]
        draft.listed(key, "build", {"provider": "command", "command": arguments})

    def test(draft: Draft, key: str, value: Any) -> None:
        arguments = ["sh", "-e", "-c", _filled(text(value), '"$0"'), "{version}"]
        draft.listed(key, "test", {"name": TESTS[key.rpartition(".")[2]], "command": arguments})

    takers = {"prepareCmd": prepare} | dict.fromkeys(TESTS, test)
    answer_all(draft, options, Meanings(takers, {}, COMMANDS_NO_EQUAL), prefix=f"{place}.")


def _filled(command: str, version: str) -> str:
    """A command with `version` where its placeholder is. ValueError where that means something else in its place, and
    for placeholders that have no equal."""
    found = command.replace(VERSION_NOW, version)
    if "${" in found or "<%" in found or any(VERSION_NOW in quoted for quoted in re.findall(r"'[^']*'", command)):
        raise ValueError(f"{command[:60]!r} has placeholders that have no equal")
    return found


def _committed(draft: Draft, place: str, options: dict[str, Any]) -> None:
    """A release commits version files and changelog; files that are known to state the version are found anyway."""
    rest = {name: value for name, value in options.items() if name != "assets"}
    for path in _paths(options.get("assets") or []):
        name = path.rpartition("/")[2]
        if kind_by_name(path) is not None or name.lower().startswith("changelog"):
            draft.not_needed(f"{place}.assets {path}"[:80], "a release commits version files and changelog")
        else:
            words = "a release commits version files and changelog alone: what is built is no part of the source"
            draft.no_equal(f"{place}.assets {path}"[:80], words)
    _answer(draft, place, rest)


def _bumps(draft: Draft, key: str, value: Any) -> None:
    """Rules by type and scope; the others have no equal one by one."""
    for number, rule in enumerate(value):
        place = f"{key}[{number}]"
        if set(rule) == {"breaking", "release"} and rule["breaking"] is True:
            _breaking(draft, place, BUMPS[rule["release"] or "none"])
        elif rule.get("breaking") or rule.get("revert"):
            draft.not_needed(place, "breaking changes and reverts have a bump of their own")
        elif not set(rule) <= {"type", "scope", "release", "breaking", "revert"} or "release" not in rule:
            draft.no_equal(place, "a [[bump]] looks at type and scope")
        else:
            bump = {name: text(rule[name]) for name in ("type", "scope") if name in rule}
            bump["bump"] = BUMPS[rule["release"] or "none"]
            draft.settings.setdefault("bump", []).append(bump)
            draft.taken(place, f"[[bump]] {toml_value(bump)}")


def _breaking(draft: Draft, place: str, bump: str) -> None:
    """A rule for all breaking changes holds for every version there, here for 0.x alone.

    From: lib/default-release-rules.js of commit-analyzer 13 and lib/get-next-version.js of semantic-release 25: a
    breaking change is major unless a rule says otherwise, and major leads from 0.3.0 to 1.0.0.
    """
    if bump == "none":
        draft.no_equal(place, "a breaking change is always released")
        return
    draft.before_1(place, breaking=bump, why="so says the rule")
    if bump != "major":
        draft.no_equal(place, "from 1.0.0 on a breaking change moves the major version, as SemVer has it")
