"""What became of each key of another tool's configuration, and the settings that came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from shipline.capabilities.scaffold.literal import Computed
from shipline.capabilities.scaffold.writing import toml_value

TEMPLATE = "changelogs can have any form: [changelog] template names a Jinja2 file, whose names are other ones"
BEFORE_1 = {"breaking_before_1": "minor", "features_before_1": "minor"}
"""The steps from a version 0.x where `[release]` says nothing."""


class Answer(StrEnum):
    """What became of a key. BY_HAND: it can be had here, and a person has to write it."""

    TAKEN = "taken"
    NOT_NEEDED = "not needed"
    BY_HAND = "by hand"
    NO_EQUAL = "no equal"


@dataclass(frozen=True, slots=True)
class Key:
    """One key that was met, where, and what became of it; `words` say as what it was taken, or why it was not."""

    tool: str
    file: str
    key: str
    answer: Answer
    words: str


@dataclass(frozen=True, slots=True)
class Imported:
    """The result: our settings as tables, and every key that was met.

    `beside` are the paths of packages whose `version_files` the tool edits beside the manifests that it knows itself.
    """

    tools: tuple[str, ...]
    settings: dict[str, Any]
    keys: tuple[Key, ...]
    beside: frozenset[str] = frozenset()


@dataclass(slots=True)
class Draft:
    """Settings in the making, of one tool's file; `beside` as in Imported."""

    tool: str
    file: str
    settings: dict[str, Any] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)
    beside: set[str] = field(default_factory=set)

    def taken(self, key: str, words: str) -> None:
        """The key's meaning is in the settings now."""
        self.keys.append(Key(self.tool, self.file, key, Answer.TAKEN, words))

    def not_needed(self, key: str, words: str) -> None:
        """What the key is for happens anyway, or has no place here."""
        self.keys.append(Key(self.tool, self.file, key, Answer.NOT_NEEDED, words))

    def by_hand(self, key: str, words: str) -> None:
        """What the key is for can be set here, by a person: `words` say where."""
        self.keys.append(Key(self.tool, self.file, key, Answer.BY_HAND, words))

    def computed(self, key: str, words: str) -> None:
        """What the key is set to is found out by code, which is not run."""
        self.by_hand(key[:80], f"it is computed, and nothing is run here: set what it comes to ({words})")

    def no_equal(self, key: str, words: str) -> None:
        """What the key is for cannot be set here."""
        self.keys.append(Key(self.tool, self.file, key, Answer.NO_EQUAL, words))

    def put(self, key: str, table: str, name: str, value: Any) -> None:
        """Take a key as one setting of a table: `[table] name = value`."""
        self.settings.setdefault(table, {})[name] = value
        self.taken(key, f"{table}.{name} = {toml_value(value)}"[:160])

    def listed(self, key: str, table: str, entry: dict[str, Any]) -> None:
        """Take a key as one more entry of a list of tables: `[[table]]`; one that is there already stays alone."""
        entries: list[dict[str, Any]] = self.settings.setdefault(table, [])
        if entry not in entries:
            entries.append(entry)
        self.taken(key, f"[[{table}]] {toml_value(entry)}"[:160])

    def shown_on(self, key: str, provider: str, **more: str) -> None:
        """Take a key as the forge on which releases are shown; they are pushed to it first."""
        forge = {"provider": provider} | {name: value for name, value in more.items() if value}
        self.settings["forge"] = self.settings.get("forge", {}) | forge
        self.settings.setdefault("release", {}).setdefault("remote", "origin")
        self.taken(key, f"[forge] {toml_value(self.settings['forge'])}, and release.remote"[:160])

    def rule(self, key: str, name: str, setting: list[Any]) -> None:
        """Take a key as a lint rule."""
        self.settings.setdefault("lint", {}).setdefault("rules", {})[name] = setting
        self.taken(key, f"lint.rules.{name} = {toml_value(setting)}"[:160])

    def before_1(self, key: str, *, breaking: str, features: str = "minor", why: str) -> None:
        """Take a key, or what the tool does where nothing is said, as the steps that are made from a version 0.x.

        What is usual here is put as well, so that a tool with less to say does not overrule it; it is not written.
        """
        steps = {"breaking_before_1": breaking, "features_before_1": features}
        self.settings["release"] = self.settings.get("release", {}) | steps
        unusual = [f"release.{name} = {toml_value(step)}" for name, step in steps.items() if step != BEFORE_1[name]]
        if unusual:
            self.taken(key, f"{', '.join(unusual)}: {why}"[:200])
        else:
            self.not_needed(key, f"versions 0.x move here as there: {why}"[:200])

    def package(self, path: str = ".") -> dict[str, Any]:
        """The package in a folder; a new one where there is none yet."""
        packages: list[dict[str, Any]] = self.settings.setdefault("package", [])
        found = next((package for package in packages if package.get("path", ".") == path), None)
        if found is None:
            found = {} if path == "." else {"path": path}
            packages.append(found)
        return found

    def put_package(self, key: str, name: str, value: Any, *, path: str = ".") -> None:
        """Take a key as a setting of a package."""
        self.package(path)[name] = value
        self.taken(key, f"package.{name} = {toml_value(value)}"[:160])


Taker: TypeAlias = Callable[[Draft, str, Any], None]


@dataclass(frozen=True, slots=True)
class Meanings:
    """What becomes of the keys of a table, by name: who takes them, why they are not needed or have no equal, or where
    a person can set the same."""

    takers: Mapping[str, Taker]
    not_needed: Mapping[str, str]
    no_equal: Mapping[str, str]
    by_hand: Mapping[str, str] = field(default_factory=dict)


def answer_all(draft: Draft, table: Mapping[str, Any], meanings: Meanings, *, prefix: str = "") -> None:
    """Answer for every key of a table. A value that its taker cannot use has no equal."""
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, Computed):
            draft.computed(key, value.words)
        elif name in meanings.takers:
            try:
                meanings.takers[name](draft, key, value)
            except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
                draft.no_equal(key, f"its value is not what it usually is: {str(error)[:80]}")
        elif name in meanings.not_needed:
            draft.not_needed(key, meanings.not_needed[name])
        elif name in meanings.by_hand:
            draft.by_hand(key, meanings.by_hand[name])
        else:
            draft.no_equal(key, meanings.no_equal.get(name, "it is not known to this import"))


def says(data: Mapping[str, Any], *names: str) -> bool:
    """True if a table names one of these, or takes over others that are not known."""
    return any(name in names or name.startswith("...") for name in data)


def text(value: Any) -> str:
    """A value that must be a text."""
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} instead of a text")
    return value


def texts(value: Any) -> list[str]:
    """A value that must be a list of texts."""
    if not isinstance(value, list):
        raise TypeError(f"{type(value).__name__} instead of a list")
    return [text(each) for each in value]


def package_setting(name: str) -> Taker:
    """Takes a text as a setting of the package."""
    return lambda draft, key, value: draft.put_package(key, name, text(value))


def version_pattern(name: str, *placeholders: str) -> Taker:
    """Takes a format with one of `placeholders` for the version as a setting of the package."""

    def take(draft: Draft, key: str, value: Any) -> None:
        draft.put_package(key, name, with_version(text(value), placeholders))

    return take


def message_pattern(*placeholders: str) -> Taker:
    """Takes a format of a commit message; only its first line, which is ours."""

    def take(draft: Draft, key: str, value: Any) -> None:
        draft.put(key, "release", "commit_message", with_version(text(value).split("\n")[0], placeholders))

    return take


def with_version(pattern: str, placeholders: tuple[str, ...]) -> str:
    """The pattern with our placeholder. ValueError where it has none, or others that we have not."""
    for placeholder in placeholders:
        pattern = pattern.replace(placeholder, "{version}")
    rest = pattern.replace("{version}", "").replace("{package}", "")
    if "{version}" not in pattern or any(mark in rest for mark in ("$", "{", "}")):
        raise ValueError(f"{pattern[:60]!r} has placeholders that have no equal")
    return pattern


def sections(draft: Draft, key: str, value: Any) -> None:
    """Takes a list of types with their headings; what is hidden has none. conventional-changelog's form."""
    found: dict[str, list[str]] = {}
    for each in value:
        if not each.get("hidden"):
            found.setdefault(text(each.get("section", each["type"])), []).append(text(each["type"]))
    if not found:
        draft.not_needed(key, "nothing is shown by it")
        return
    listed = [{"title": title, "types": list(dict.fromkeys(types))} for title, types in found.items()]
    draft.settings.setdefault("changelog", {})["section"] = listed
    draft.taken(key, f"{len(listed)} [[changelog.section]]")
