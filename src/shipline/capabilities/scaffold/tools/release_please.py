"""release-please 17. From: https://github.com/googleapis/release-please/blob/main/docs/manifest-releaser.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shipline.capabilities.scaffold.answers import TEMPLATE, Draft, Meanings, Taker, answer_all, sections, text, texts
from shipline.capabilities.scaffold.places import (
    Entry,
    annotated,
    assigned,
    inside_json,
    inside_xml,
    last_name,
    put_version_files,
)

FILES: dict[str, tuple[str, ...]] = {"release-please-config.json": (), ".release-please-config.json": ()}
ECOSYSTEMS = {"python": "python", "node": "npm", "expo": "npm", "simple": "plain", "go": "plain"} | {
    "rust": "cargo",
    "helm": "helm",
}
MARK = "x-release-please-version"
LABELS = "labels are never used as state"
ZERO = "see (before 1.0.0)"
STEPS_BEFORE_1 = ("bump-minor-pre-major", "bump-patch-for-minor-pre-major")
TAGS = ("include-component-in-tag", "include-v-in-tag", "tag-separator", "component", "package-name")
NOT_NEEDED = {
    "$schema": "it is for editors",
    "bootstrap-sha": "versions come from the tags",
    "last-release-sha": "versions come from the tags",
    "bump-minor-pre-major": ZERO,
    "bump-patch-for-minor-pre-major": ZERO,
    "always-link-local": "a dependent is released when the new version is out of its range",
    "always-update": "a release is planned anew from what is there",
    "label": LABELS,
    "release-label": LABELS,
    "extra-label": LABELS,
    "sequential-calls": "the history is read from the clone",
    "group-pull-request-title-pattern": "the title says what is released",
    "commit-search-depth": "the whole history is read",
    "release-search-depth": "versions come from the tags",
    "include-commit-authors": "contributors are named",
} | dict.fromkeys(TAGS, "it is part of tag_format")
BY_HAND = {"changelog-type": TEMPLATE}
NO_EQUAL = {
    "changelog-host": "links are those of the remote's forge",
    "versioning": "the commits decide",
    "release-as": "the commits decide",
    "initial-version": "the first version is the one in the package's files",
    "draft": "a release is published when its gates have opened",
    "prerelease": "the branch decides, by its [[channel]]",
    "prerelease-type": "the branch decides, by its [[channel]]",
    "pull-request-title-pattern": "the title says what is released",
    "pull-request-header": "the text says what is released",
    "pull-request-footer": "the text says what is released",
    "separate-pull-requests": "one plan releases what has changed",
    "skip-github-release": "releases are shown for all packages, or for none",
    "skip-changelog": "a release writes the changelog",
    "signoff": "the release's commit is not signed off",
    "snapshot-labels": LABELS,
}


def read(draft: Draft, data: dict[str, Any]) -> None:
    """Answer for every key, at the top and of each package."""
    packages = data.get("packages", {})
    names: dict[str, str] = {}
    _shown(draft, data)
    apart = ("packages", "plugins", "skip-github-release")
    common = {key: value for key, value in data.items() if key not in apart}
    takers = dict.fromkeys(PACKAGE_TAKERS, _common) | {"changelog-sections": sections}
    answer_all(draft, common, Meanings(takers, NOT_NEEDED, NO_EQUAL, BY_HAND))
    listed = [(common | own).get("changelog-sections") for own in packages.values()]
    for path, own in packages.items():
        said = {"release-type": "node"} | {key: common[key] for key in PACKAGE_TAKERS if key in common} | own
        component, name = _package(draft, path.strip("/") or ".", {**common, **own}, several=len(packages) > 1)
        names[component] = name
        takers = {key: _at(path.strip("/") or ".", key) for key in PACKAGE_TAKERS} | {
            "changelog-sections": _alike(listed)
        }
        answer_all(draft, said, Meanings(takers, NOT_NEEDED, NO_EQUAL, BY_HAND), prefix=f"packages[{path[:60]}].")
    _before_1(draft, [common | own for own in packages.values()] or [common])
    for plugin in data.get("plugins", []):
        _plugin(draft, plugin, names)


def _before_1(draft: Draft, packages: Sequence[Mapping[str, Any]]) -> None:
    """From: src/versioning-strategies/default.ts, 17.11: both are false where nothing is said.

    Here one rule holds for all packages: where they differ, that of the most, and the others are told.
    """
    said = [tuple(package.get(name) is True for name in STEPS_BEFORE_1) for package in packages]
    minor, patch = max(said, key=said.count)
    why = f"{STEPS_BEFORE_1[0]} is {str(minor).lower()}, {STEPS_BEFORE_1[1]} is {str(patch).lower()}"
    steps = {"breaking": "minor" if minor else "major", "features": "patch" if patch else "minor"}
    draft.before_1("(before 1.0.0)", **steps, why=why)
    others = len(said) - said.count((minor, patch))
    if others:
        draft.no_equal("(before 1.0.0)", f"one rule holds for all packages: {others} of {len(said)} say otherwise")


def _alike(listed: Sequence[Any]) -> Taker:
    """Takes the headings of a package, `listed` with those of all: here one list holds for all packages."""

    def take(draft: Draft, key: str, value: Any) -> None:
        if any(each != value for each in listed):
            draft.no_equal(key, "one list of headings holds for all packages, and others have another one")
        else:
            sections(draft, key, value)

    return take


def _common(draft: Draft, key: str, value: Any) -> None:  # noqa: ARG001 - as every taker
    draft.taken(key, "for each package")


def _package(draft: Draft, path: str, said: dict[str, Any], *, several: bool) -> tuple[str, str]:
    """The name and the tags of a package, which several keys make together; returns its component and its name."""
    named = text(said.get("package-name", ""))
    component = text(said.get("component") or named.rpartition("/")[2] or path.rpartition("/")[2])
    package = draft.package(path)
    if named or component != ".":
        package["name"] = named or component
    version = "v{version}" if said.get("include-v-in-tag", True) else "{version}"
    with_component = (several or component != ".") and said.get("include-component-in-tag", True)
    package["tag_format"] = f"{component}{said.get('tag-separator', '-')}{version}" if with_component else version
    draft.taken(f"packages[{path[:60]}]", f"[[package]] with the tags {package['tag_format']}"[:160])
    return component, named or component


def _at(path: str, name: str) -> Any:
    """The taker of a package's key, for the package in a folder."""
    return lambda draft, key, value: PACKAGE_TAKERS[name](draft, key, value, path)


def _release_type(draft: Draft, key: str, value: Any, path: str) -> None:
    if text(value) not in ECOSYSTEMS:
        draft.no_equal(key, f"nothing is built for {value!r}; the ecosystem is found out from the files")
        return
    draft.put_package(key, "ecosystem", ECOSYSTEMS[value], path=path)


def _changelog(draft: Draft, key: str, value: Any, path: str) -> None:
    draft.put_package(key, "changelog", text(value), path=path)


def _extra_files(draft: Draft, key: str, value: Any, path: str) -> None:
    """Beside the manifest. Each by itself: one that has no equal does not keep the others out."""
    draft.beside.add(path)
    for number, each in enumerate(value):
        place = f"{key}[{number}]"
        try:
            put_version_files(draft, place, [_extra_file(each, path)], path=path)
        except ValueError as error:
            draft.no_equal(place, str(error))
        except (AttributeError, KeyError, TypeError) as error:
            draft.no_equal(place, f"it is not what it usually is: {str(error)[:120]}")


def _extra_file(each: Any, folder: str) -> Entry:
    """A path alone is edited on the lines that bear release-please's mark; a table says the kind and the place."""
    said = {"type": "generic", "path": each} if isinstance(each, str) else each
    name, kind = text(said["path"]), said.get("type", "generic")
    if said.get("glob") or any(mark in name for mark in "*?["):
        raise ValueError(f"name the files one by one: {name[:60]!r} stands for several")
    if name.startswith("/"):
        if folder != ".":
            raise ValueError(f"{name[:60]!r} lies outside of the package's folder")
        name = name.lstrip("/")
    if kind == "generic":
        return annotated(name, MARK)
    if kind == "json":
        return inside_json(name, last_name(text(said["jsonpath"])))
    if kind in ("yaml", "toml"):
        return assigned(name, last_name(text(said["jsonpath"])))
    if kind in ("xml", "pom"):
        return inside_xml(name, last_name(text(said.get("xpath", "version"))))
    raise ValueError(f"files of the type {str(kind)[:40]!r} are not known to this import")


def _shown(draft: Draft, data: dict[str, Any]) -> None:
    """It works by pull requests, on GitHub alone, and always shows its releases there unless it is told not to."""
    if data.get("skip-github-release") is True:
        draft.not_needed("skip-github-release", "leave [forge] out to show releases nowhere")
        return
    draft.shown_on("(its pull requests and releases)", "github")
    draft.put("(its pull requests)", "release", "mode", "pull-request")


def _exclude_paths(draft: Draft, key: str, value: Any, path: str) -> None:
    """Folders from the top, as in src/util/commit-exclude.ts."""
    draft.put_package(key, "exclude", [f"{each.strip('/')}/**" for each in texts(value)], path=path)


PACKAGE_TAKERS: dict[str, Any] = {
    "release-type": _release_type,
    "changelog-path": _changelog,
    "extra-files": _extra_files,
    "exclude-paths": _exclude_paths,
}


def _plugin(draft: Draft, plugin: Any, names: Mapping[str, str]) -> None:
    """`names` are those of the packages by their components, which is what the tool groups."""
    name = plugin if isinstance(plugin, str) else str(plugin.get("type", ""))
    if name.endswith("-workspace"):
        draft.not_needed(f"plugins {name}"[:80], "dependents are followed by their ranges")
    elif name == "linked-versions" and isinstance(plugin, dict):
        members = [names.get(each, each) for each in texts(plugin["components"])]
        group = {"name": str(plugin.get("groupName", name)), "packages": members, "kind": "linked"}
        draft.settings.setdefault("group", []).append(group)
        draft.taken(f"plugins {name}", "a [[group]] of the kind linked")
    else:
        draft.no_equal(f"plugins {name}"[:80], "it is not known to this import")
