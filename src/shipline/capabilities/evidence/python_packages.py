"""Bills of materials of built Python packages.

A dependency that the package declares is always listed; with a version where the project's lock file tells one that
the declaration allows, or where the declaration itself allows only one (`==`), and without one where nobody knows.
Beyond the declared ones stand those that the lock has because of them.
Requirements of extras are left out: a plain installation does not bring them. Whether a marker holds differs from
machine to machine, so a declared requirement stands with its marker as a property instead of being decided here.

The same input gives the same bill: the serial number and the time are the caller's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from shipline.capabilities.evidence.bills.bill import Bill, Part
from shipline.capabilities.evidence.distributions import BuiltFile, Distribution, read_built
from shipline.domain.errors import InvalidValue

_EXTRA = re.compile(r"\bextra\b")


@dataclass(frozen=True, slots=True)
class _Node:
    """A dependency to list: what the lock says of it, or None, and the requirement that named it first."""

    requirement: Requirement
    locked: Distribution | None


def python_bill(files: Sequence[Path], lock: Mapping[str, Distribution], *, serial: UUID, created_us: int) -> Bill:
    """What the package needs that `files` (its wheel, its sdist) are of.

    `lock` is what its lock file says, by normalised name; empty where it has none. `created_us` is UTC microseconds.
    Raises InvalidValue where the files are of different packages or versions, or cannot be read.
    """
    built = [read_built(path) for path in files]
    if len({(file.distribution.name, file.distribution.version) for file in built}) != 1:
        raise InvalidValue("an SBOM is of one package at one version; these files are of none or of several")
    # The wheel's requirements are what an installer sees; an sdist's may still be dynamic.
    subject = min(built, key=lambda file: not file.file_name.endswith(".whl")).distribution
    return _bill(subject, built, _closure(subject, lock), serial=serial, created_us=created_us)


def _required(distribution: Distribution) -> list[Requirement]:
    return [need for need in distribution.requirements if not (need.marker and _EXTRA.search(str(need.marker)))]


def _closure(subject: Distribution, lock: Mapping[str, Distribution]) -> dict[str, _Node]:
    """Every dependency by normalised name: the declared ones, and of theirs those that are locked."""
    nodes: dict[str, _Node] = {}
    waiting = [(need, True) for need in _required(subject)]
    while waiting:
        need, declared = waiting.pop()
        name = canonicalize_name(need.name)
        found = _allowed(need, lock.get(name))
        if name in nodes or name == subject.name or (found is None and not declared):
            continue
        nodes[name] = _Node(need, found)
        waiting += [(deeper, False) for deeper in _required(found)] if found else []
    return dict(sorted(nodes.items()))


def _allowed(need: Requirement, locked: Distribution | None) -> Distribution | None:
    """What the lock says, unless the package asks for something else by now: an installer would not take it then."""
    is_taken = locked is not None and need.specifier.contains(locked.version, prereleases=True)
    return locked if is_taken else None


def _pinned(need: Requirement) -> str | None:
    """The one version that a requirement allows, None where it allows several."""
    exact = [one.version for one in need.specifier if one.operator == "==" and not one.version.endswith("*")]
    return str(Version(exact[0])) if exact else None


def _bill(
    subject: Distribution, built: Sequence[BuiltFile], nodes: Mapping[str, _Node], *, serial: UUID, created_us: int
) -> Bill:
    parts = {name: _dependency(name, node) for name, node in nodes.items()}
    root = Part(f"pkg:pypi/{subject.name}@{subject.version}", subject.name, subject.version, licence=subject.licence)
    needs = {root.purl: _among(parts, _required(subject))}
    needs |= {
        parts[name].purl: _among(parts, _required(node.locked) if node.locked else []) for name, node in nodes.items()
    }
    return Bill(
        subject=root,
        files=tuple((file.file_name, file.sha256) for file in built),
        parts=tuple(parts.values()),
        needs=needs,
        serial=serial,
        created=datetime.fromtimestamp(created_us // 1_000_000, UTC),
    )


def _among(parts: Mapping[str, Part], needs: Sequence[Requirement]) -> tuple[str, ...]:
    names = {canonicalize_name(need.name) for need in needs}
    return tuple(part.purl for name, part in parts.items() if name in names)


def _dependency(name: str, node: _Node) -> Part:
    from packageurl import PackageURL  # noqa: PLC0415 - most commands have no use for it

    need = node.requirement
    version = node.locked.version if node.locked else _pinned(need)
    return Part(
        purl=PackageURL("pypi", name=name, version=version).to_string(),
        name=name,
        version=version,
        properties={
            "shipline:python:specifier": str(need.specifier),
            "shipline:python:marker": str(need.marker) if need.marker else "",
        },
    )
