"""Which releases contain a package, and where they run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from shipline.capabilities.advisories.ecosystems import ECOSYSTEMS
from shipline.capabilities.advisories.ordering import ordered
from shipline.capabilities.advisories.shipped import environments_by_version
from shipline.capabilities.evidence import comparable
from shipline.capabilities.plans import satisfies
from shipline.capabilities.releases import RELEASES, releases_with, releases_without_components
from shipline.domain.component import Component
from shipline.domain.errors import InvalidValue
from shipline.domain.release import Release
from shipline.store.transaction import Transaction

_OPERATORS = re.compile(r"[<>=~^!*|,\s]|\.x\b")
# PEP 440 leaves pre-releases out of a range that names none; here one that is inside of it counts.
_NAME_LENGTH_MAX = 400


@dataclass(frozen=True, slots=True)
class WantedPackage:
    """A package: `type` is that of a package URL, "" for any; `range` is a version or a range, "" for any version."""

    type: str
    name: str
    range: str


@dataclass(frozen=True, slots=True)
class Found:
    """A release that contains the package. `certain` is False where it cannot be told whether the version fits."""

    release: Release
    component: Component
    environments: tuple[str, ...]
    certain: bool


def read_package(text: str) -> WantedPackage:
    """`requests`, `requests@<2.32`, `@scope/name@^1.2`, `pkg:npm/%40scope/name@1.2.3`. InvalidValue for no name."""
    body = text.strip()
    if body.startswith("pkg:"):
        body = re.split(r"[?#]", body, maxsplit=1)[0]
        kind, _, rest = body.removeprefix("pkg:").lstrip("/").partition("/")
        name, _, wanted = rest.rpartition("@") if "@" in rest[1:] else (rest, "", "")
        kind, name, wanted = kind.lower(), unquote(name), unquote(wanted)
    else:
        place = body.rfind("@")
        name, wanted = (body[:place], body[place + 1 :]) if place > 0 else (body, "")
        kind = ""
    if not name or len(name) > _NAME_LENGTH_MAX:
        raise InvalidValue(
            f"{text[:80]!r} names no package", todo="write NAME, NAME@RANGE or a package URL (pkg:pypi/NAME)"
        )
    return WantedPackage(kind, comparable(kind, name), wanted.strip())


def find_package(tx: Transaction, asked: WantedPackage) -> tuple[tuple[Found, ...], tuple[Release, ...]]:
    """The releases that contain it, the newest first, and those of which it is not known what they contain."""
    serving = environments_by_version(tx)
    found = []
    for release_id, component in _listed(tx, asked):
        release = RELEASES.find(tx, release_id)
        fits = _fits(component, asked.range)
        if release is not None and fits is not False:
            where = serving.get((release.package, release.version), ())
            found.append(Found(release, component, where, fits is True))
    found.sort(key=lambda one: (-one.release.created_us, one.component.purl))
    return tuple(found), releases_without_components(tx)


def _listed(tx: Transaction, asked: WantedPackage) -> Iterable[tuple[str, Component]]:
    """By the name as it is written, and as PyPI compares names, unless another type is asked for."""
    names = dict.fromkeys((asked.name, comparable("pypi", asked.name))) if asked.type == "" else (asked.name,)
    rows = [row for name in names for row in releases_with(tx, name, type_=asked.type)]
    return [row for row in dict.fromkeys(rows) if row[1].name == comparable(row[1].type, asked.name)]


def _fits(component: Component, wanted: str) -> bool | None:
    """Whether the version is in the range; None where that cannot be told."""
    if not wanted:
        return True
    ecosystem = ECOSYSTEMS.get(component.type)
    scheme = ecosystem.scheme if ecosystem is not None else ""
    if not _OPERATORS.search(wanted):
        mine, other = ordered(scheme, component.version), ordered(scheme, wanted)
        same = component.version == wanted or (mine is not None and other is not None and mine.key == other.key)
        return same if component.version else None
    if ecosystem is None or not ecosystem.dialect or not component.version:
        return None
    if satisfies(component.version, wanted, ecosystem.dialect):  # type: ignore[arg-type] # the table holds dialects
        return True
    mine = ordered(scheme, component.version)
    # Installers leave pre-releases out of most ranges, and so it does not mean that they are outside.
    return None if mine is None or not mine.is_stable else False
