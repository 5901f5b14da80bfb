"""Bills of materials of built Python packages.

A dependency that the package declares is always listed; with a version where an installed environment tells it,
without one where nobody knows. Beyond the declared ones stand those that the environment has because of them.
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

from shipline.capabilities.evidence.bills.bill import Bill, Part
from shipline.capabilities.evidence.distributions import BuiltFile, Distribution, installed_in, read_built
from shipline.domain.errors import InvalidValue

_EXTRA = re.compile(r"\bextra\b")


@dataclass(frozen=True, slots=True)
class _Node:
    """A dependency to list: what was found installed, or None, and the requirement that named it first."""

    requirement: Requirement
    installed: Distribution | None


def python_bill(files: Sequence[Path], *, serial: UUID, created_us: int, site_packages: Path | None = None) -> Bill:
    """What the package needs that `files` (its wheel, its sdist) are of.

    `site_packages` is a folder in which the package is installed, where there is one. `created_us` is UTC
    microseconds. Raises InvalidValue where the files are of different packages or versions, or cannot be read.
    """
    built = [read_built(path) for path in files]
    if len({(file.distribution.name, file.distribution.version) for file in built}) != 1:
        raise InvalidValue("an SBOM is of one package at one version; these files are of none or of several")
    # The wheel's requirements are what an installer sees; an sdist's may still be dynamic.
    subject = min(built, key=lambda file: not file.file_name.endswith(".whl")).distribution
    nodes = _closure(subject, installed_in(site_packages) if site_packages else {})
    return _bill(subject, built, nodes, serial=serial, created_us=created_us)


def _required(distribution: Distribution) -> list[Requirement]:
    return [need for need in distribution.requirements if not (need.marker and _EXTRA.search(str(need.marker)))]


def _closure(subject: Distribution, installed: Mapping[str, Distribution]) -> dict[str, _Node]:
    """Every dependency by normalised name: the declared ones, and of theirs those that are installed."""
    nodes: dict[str, _Node] = {}
    waiting = [(need, True) for need in _required(subject)]
    while waiting:
        need, declared = waiting.pop()
        name = canonicalize_name(need.name)
        found = installed.get(name)
        if name in nodes or name == subject.name or (found is None and not declared):
            continue
        nodes[name] = _Node(need, found)
        waiting += [(deeper, False) for deeper in _required(found)] if found else []
    return dict(sorted(nodes.items()))


def _bill(
    subject: Distribution, built: Sequence[BuiltFile], nodes: Mapping[str, _Node], *, serial: UUID, created_us: int
) -> Bill:
    parts = {name: _dependency(name, node) for name, node in nodes.items()}
    root = Part(f"pkg:pypi/{subject.name}@{subject.version}", subject.name, subject.version, licence=subject.licence)
    needs = {root.purl: _among(parts, _required(subject))}
    needs |= {
        parts[name].purl: _among(parts, _required(node.installed) if node.installed else [])
        for name, node in nodes.items()
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

    need, found = node.requirement, node.installed
    version = found.version if found else None
    return Part(
        purl=PackageURL("pypi", name=name, version=version).to_string(),
        name=name,
        version=version,
        licence=found.licence if found else "",
        properties={
            "shipline:python:specifier": str(need.specifier),
            "shipline:python:marker": str(need.marker) if need.marker else "",
        },
    )
