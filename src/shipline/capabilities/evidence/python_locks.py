"""What the lock file of a Python package says: which versions, and who needs whom.

Read are `pylock.toml` (PEP 751, https://packaging.python.org/en/latest/specifications/pylock-toml/), the locks of uv
(https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile), Poetry and PDM, and requirements with exact
versions, as pip-compile and `uv pip compile` write them: the comment `# via` says there who needs a package
(https://pip-tools.readthedocs.io/en/stable/). A package that a lock has in several versions stands in none of them:
which one is installed depends on the machine.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version

from shipline.capabilities.evidence.distributions import Distribution
from shipline.capabilities.evidence.lock_files import nearest_lock
from shipline.domain.errors import InvalidValue

TOML_LOCKS = ("pylock.toml", "uv.lock", "poetry.lock", "pdm.lock")
LOCKS = (*TOML_LOCKS, "requirements.lock", "requirements.txt")
LOCK_BYTES_MAX = 16 * 1024 * 1024
_PINNED = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9._-]{0,199})(?:\[[^\]]{0,200}\])?\s{0,9}==\s{0,9}([^\s;,*\\#]{1,100})\s{0,9}(?:[;\\#]|$)"
)
_VIA = re.compile(r"\s{1,99}#\s{1,9}(?:via\s{1,9})?([A-Za-z0-9][A-Za-z0-9._-]{0,199})$")


def find_python_lock(source: Path, folder: str) -> dict[str, Distribution]:
    """What the nearest lock of the package in `folder` of a tree says, by normalised name; empty without any.

    Raises InvalidValue for one that cannot be read, is too large or a link.
    """
    found = nearest_lock(source, folder, LOCKS)
    if found is None:
        return {}
    path = found[0]
    with path.open("rb") as file:
        data = file.read(LOCK_BYTES_MAX + 1)
    if len(data) > LOCK_BYTES_MAX:
        raise InvalidValue(f"{path.name} is larger than {LOCK_BYTES_MAX} bytes")
    try:
        if path.name in TOML_LOCKS:
            return _by_name(_tables(tomllib.loads(data.decode())))
        # Whatever else stands in such a file is none of ours: it is no lock if it has no exact versions.
        return _by_name(_pinned(data.decode(errors="replace")))
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"{path.name} cannot be read", why=str(error)[:200]) from None


def _by_name(entries: Iterable[Distribution]) -> dict[str, Distribution]:
    found: dict[str, Distribution] = {}
    ambiguous = set()
    for entry in entries:
        if found.setdefault(entry.name, entry).version != entry.version:
            ambiguous.add(entry.name)
    return {name: entry for name, entry in found.items() if name not in ambiguous}


def _tables(document: Mapping[str, Any]) -> Iterator[Distribution]:
    for entry in _list(document.get("packages", document.get("package"))):
        if isinstance(entry, dict):
            made = _distribution(entry.get("name"), entry.get("version"), _needs(entry.get("dependencies")))
            if made is not None:
                yield made


def _needs(dependencies: Any) -> Iterator[str]:
    """As tables with a name (pylock, uv), as requirements (PDM), or as a table by name (Poetry)."""
    if isinstance(dependencies, dict):
        for name, about in dependencies.items():
            if not (isinstance(about, dict) and about.get("optional") is True):
                yield _marked(name, about)
    for one in _list(dependencies):
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            yield _marked(one.get("name"), one)


def _marked(name: Any, about: Any) -> str:
    key = "marker" if isinstance(about, dict) and "marker" in about else "markers"
    marker = about.get(key) if isinstance(about, dict) else None
    return f"{name}; {marker}" if isinstance(marker, str) else str(name)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _pinned(text: str) -> Iterator[Distribution]:
    pinned: list[tuple[str, str]] = []
    needs: dict[str, list[str]] = {}
    for line in text.splitlines():
        if entry := _PINNED.match(line):
            pinned.append((entry[1], entry[2]))
        elif (via := _VIA.match(line)) and pinned:
            needs.setdefault(_normal(via[1]), []).append(pinned[-1][0])
    for name, version in pinned:
        made = _distribution(name, version, needs.get(_normal(name), ()))
        if made is not None:
            yield made


def _normal(name: str) -> str:
    return str(canonicalize_name(name))


def _distribution(name: Any, version: Any, needs: Iterable[str]) -> Distribution | None:
    """None where there is no version, as of a package that is taken from a folder, or where one of both is none."""
    try:
        return Distribution(
            name=canonicalize_name(str(name), validate=True),
            version=str(Version(version if isinstance(version, str) else "")),
            licence="",
            requirements=tuple(need for text in needs if (need := _requirement(text)) is not None),
        )
    except (InvalidName, InvalidVersion):
        return None


def _requirement(text: str) -> Requirement | None:
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None
