"""Configuration files of other tools -> our settings, each key answered for. Pure: others read and write files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from shipline.capabilities.scaffold.answers import BEFORE_1, Answer, Draft, Imported, Key
from shipline.capabilities.scaffold.reading import Read, read_data
from shipline.capabilities.scaffold.tools import (
    changesets,
    commitizen,
    commitlint,
    git_cliff,
    gitlint,
    python_semantic_release,
    release_please,
    semantic_release,
    standard_version,
)
from shipline.domain.errors import NothingToDo, UsageError

Data = dict[str, Any]
Reader = Callable[[Draft, Data], None]

# Tool -> its files, in the order in which it looks for them, each with the table in it that is the tool's own.
TOOLS: dict[str, tuple[Mapping[str, tuple[str, ...]], Reader]] = {
    "release-please": (release_please.FILES, release_please.read),
    "semantic-release": (semantic_release.FILES, semantic_release.read),
    "python-semantic-release": (python_semantic_release.FILES, python_semantic_release.read),
    "changesets": (changesets.FILES, changesets.read),
    "standard-version": (standard_version.FILES, standard_version.read),
    "commitizen": (commitizen.FILES, commitizen.read),
    "git-cliff": (git_cliff.FILES, git_cliff.read),
    "commitlint": (commitlint.FILES, commitlint.read),
    "gitlint": (gitlint.FILES, gitlint.read),
}
OFF = [0]
"""A lint rule that asks for nothing."""
OWN_FILES = frozenset(name for files, _ in TOOLS.values() for name, table in files.items() if not table)


def present_tools(contents: Mapping[str, bytes]) -> tuple[str, ...]:
    """The tools that some of these files, by name, are of. Raises UsageError where none of their files can be read."""
    present, broken = [], list[UsageError]()
    for name in TOOLS:
        try:
            if _found(name, contents) is not None:
                present.append(name)
        except UsageError as error:
            present.append(name)
            broken.append(error)
    if broken and len(broken) == len(present):
        raise broken[0]
    return tuple(present)


def import_settings(
    names: Collection[str],
    contents: Mapping[str, bytes],
    *,
    known: Mapping[str, Collection[str]],
    packages: Mapping[str, str],
) -> Imported:
    """The settings that these tools' files come to.

    `known` are the names at the top of a shipline.toml, each with those inside of it; empty: not looked at. `packages`
    are the names of the packages that the repository has, by their paths. Where two tools say different things, the one
    that stands first in TOOLS is right, and that is told; of two that lint, both hold. A file that cannot be read is
    told and left to people; where it is the only one it is a UsageError.
    """
    settings: Data = {}
    keys: list[Key] = []
    beside: set[str] = set()
    read: list[str] = []
    for name in (name for name in TOOLS if name in names):
        try:
            found = _found(name, contents)
        except UnreadableFile as error:
            if len(names) == 1:
                raise
            words = f"{error.why}: {error.todo}" if error.todo else error.why
            keys.append(Key(name, error.file, "(the file)", Answer.BY_HAND, words))
            continue
        if found is None:
            raise NothingToDo(f"there is no configuration of {name} here", todo=f"looked for: {_listed(name)}")
        read.append(name)
        draft = Draft(name, found[0])
        read_table(TOOLS[name][1], draft, found[1].data)
        for place, words in found[1].computed:
            draft.computed(place, words)
        _leave_out(draft, known)
        for overruled in _merge(settings, draft.settings):
            draft.no_equal(f"(as {overruled})", "a tool before this one says otherwise, and is right")
        keys += draft.keys
        beside |= draft.beside
    _leave_out_usual(settings)
    _name_packages(settings, packages)
    return Imported(tuple(read), settings, tuple(keys), frozenset(beside))


def read_table(reader: Reader, draft: Draft, data: Data) -> None:
    """Let a tool's reader answer. Raises UsageError where the file is not built as the tool's files are."""
    try:
        reader(draft, data)
    except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
        raise UsageError(f"{draft.file} is not what {draft.tool} reads", why=str(error)[:200]) from None


def _leave_out(draft: Draft, known: Mapping[str, Collection[str]]) -> None:
    """Take out again what this version's loader would refuse, and say so."""
    for table in [table for table in draft.settings if table not in known]:
        del draft.settings[table]
        draft.no_equal(f"(as [{table}])", f"this version of Shipline has no [{table}]")
    for table, value in draft.settings.items():
        for each in value if isinstance(value, list) else [value]:
            for name in [name for name in each if known[table] and name not in known[table]]:
                del each[name]
                draft.no_equal(f"(as {table}.{name})", f"this version of Shipline has no {name} in [{table}]")


def _leave_out_usual(settings: Data) -> None:
    """Take out again what was put only so that no later tool says otherwise."""
    release = settings.get("release", {})
    for name in [name for name, usual in BEFORE_1.items() if release.get(name) == usual]:
        del release[name]
    if not release:
        settings.pop("release", None)


def _listed(tool: str) -> str:
    return ", ".join(TOOLS[tool][0])


class UnreadableFile(UsageError):
    """A tool's own `file` that cannot be read."""

    def __init__(self, tool: str, file: str, why: str) -> None:
        todo = "put what it says into a JSON or YAML file of the same tool, then run this again"
        super().__init__(f"{file} of {tool} cannot be read", why=why[:200], todo=todo)
        self.file = file


def _found(tool: str, contents: Mapping[str, bytes]) -> tuple[str, Read] | None:
    """The tool's file that is there, and its own table in it."""
    for name, table in TOOLS[tool][0].items():
        if name not in contents:
            continue
        try:
            read = read_data(name, contents[name])
        except ValueError as error:
            if name not in OWN_FILES:
                continue
            raise UnreadableFile(tool, name, str(error)) from None
        data: Any = read.data
        for key in table:
            data = data.get(key) if isinstance(data, dict) else None
        if isinstance(data, dict):
            return name, Read(data, read.computed)
    return None


def _merge(settings: Data, others: Data, above: str = "") -> Iterator[str]:
    """Put in what is not set yet; yields the names of what is set otherwise."""
    rules = settings.get("lint", {}).get("rules") if not above else None
    if rules is not None:
        _merge_rules(rules, others.get("lint", {}).get("rules", {}))
    for name, value in others.items():
        mine = settings.setdefault(name, value)
        if isinstance(mine, dict) and isinstance(value, dict) and mine is not value:
            yield from _merge(mine, value, f"{above}{name}.")
        elif name == "package" and isinstance(mine, list) and mine is not value:
            yield from _merge_packages(mine, value)
        elif mine != value:
            yield f"{above}{name}"


def _merge_rules(rules: Data, others: Data) -> None:
    """A message had to please both tools: what one of them lets off, the other one may ask for."""
    for name in [name for name, setting in others.items() if setting == OFF]:
        if rules.get(name) != OFF:
            del others[name]
    for name, setting in others.items():
        if rules.get(name) == OFF:
            rules[name] = setting


def _merge_packages(packages: list[Data], others: list[Data]) -> Iterator[str]:
    by_path = {package.get("path", "."): package for package in packages}
    for other in others:
        same = by_path.get(other.get("path", "."))
        if same is None:
            packages.append(other)
        else:
            yield from _merge(same, other, "package.")


def _name_packages(settings: Data, packages: Mapping[str, str]) -> None:
    """A package needs a name: what the tool says, what its manifest says, or its folder's."""
    for package in settings.get("package", []):
        path = str(package.get("path", "."))
        name = package.pop("name", None) or packages.get(path) or path.rpartition("/")[2]
        rest = dict(package)
        package.clear()
        package.update({"name": name} | rest)
