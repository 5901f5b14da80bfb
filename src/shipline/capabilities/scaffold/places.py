"""Where another tool says that a version stands -> an entry of `version_files`. Pure.

A file that is known by its name needs nothing else. In others a pattern names the place, narrow enough that no other
version on the line is taken for ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeAlias

from shipline.capabilities.scaffold.answers import Draft
from shipline.capabilities.scaffold.writing import toml_value
from shipline.capabilities.version_files import kind_by_name

Entry: TypeAlias = str | dict[str, str]

VERSION = r"(?P<version>\d+\.[0-9A-Za-z.+-]+)"
USUAL = frozenset({"version", "project.version", "tool.poetry.version", "__version__", "VERSION", "$.version"})
"""The places in which the kinds that are known by name look anyway."""
PLAIN_WORD = re.compile(r"[\w.-]{1,80}")


def known(path: str) -> str:
    """A file that is known by its name. ValueError for any other: where the version stands in it is not said."""
    if kind_by_name(path) is None:
        raise ValueError(f"mark the lines in {path[:60]} with the comment shipline-version, or give it a `pattern`")
    return path


def assigned(path: str, name: str) -> Entry:
    """A version that a file gives to a name, as in `release = "1.2.0"` and `version: 1.2.0`."""
    if kind_by_name(path) is not None and name in USUAL:
        return path
    return {"path": path, "pattern": rf"(?:^|[\s{{,]){_name(name)}[\"']?\s*(?::=|=|:)\s*[\"']?v?{VERSION}"}


def inside_json(path: str, name: str) -> Entry:
    """The value of a key in a JSON file."""
    if kind_by_name(path) is not None and name in USUAL:
        return path
    return {"path": path, "pattern": rf'"{_name(name)}"\s*:\s*"v?{VERSION}'}


def inside_xml(path: str, name: str) -> Entry:
    """The text of an element."""
    if kind_by_name(path) is not None:
        return path
    return {"path": path, "pattern": rf"<{_name(name)}>\s*v?{VERSION}"}


def annotated(path: str, mark: str) -> Entry:
    """A version on a line that bears a tool's own mark, which may stay where it is."""
    return path if kind_by_name(path) is not None else {"path": path, "pattern": rf"{VERSION}.*{_escaped(mark)}"}


def on_lines_with(path: str, words: str) -> Entry:
    """The first version behind these words on a line. ValueError for words that are a pattern themselves."""
    if kind_by_name(path) is not None and words in USUAL:
        return path
    if PLAIN_WORD.fullmatch(words) is None:
        raise ValueError(f"{words[:60]!r} is a pattern: give the file one with (?P<version>…)")
    return {"path": path, "pattern": rf"{_escaped(words)}\D*{VERSION}"}


def last_name(path: str) -> str:
    """The last key of a path through a document: `b` of `$.a.b` and of `//a/b`. ValueError where it is not plain."""
    found = re.split(r"[./]", path.strip().rstrip("/"))[-1]
    if re.fullmatch(r"[\w-]{1,80}", found) is None:
        raise ValueError(f"{path[:60]!r} leads to no plain key")
    return found


def put_version_files(draft: Draft, key: str, entries: Iterable[Entry], *, path: str = ".") -> None:
    """Take version files over, beside those that are there already; each once."""
    package = draft.package(path)
    known: list[Any] = package.get("version_files", [])
    listed = list(entries)
    new = [entry for at, entry in enumerate(listed) if entry not in [*known, *listed[:at]]]
    package["version_files"] = [*known, *new]
    draft.taken(key, f"package.version_files has {', '.join(map(toml_value, listed))}"[:160])


def _name(name: str) -> str:
    return _escaped(name.rpartition(".")[2])


def _escaped(words: str) -> str:
    """As a pattern that people can still read: a dash means nothing outside of brackets."""
    return re.escape(words).replace(r"\-", "-")
