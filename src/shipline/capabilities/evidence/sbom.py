"""CycloneDX 1.6 documents of built Python packages, through cyclonedx-python-lib.

A dependency that the package declares is always listed; with a version where an installed environment tells it,
without one where nobody knows. Beyond the declared ones stand those that the environment has because of them.
Requirements of extras are left out: a plain installation does not bring them. Whether a marker holds differs from
machine to machine, so a declared requirement stands with its marker as a property instead of being decided here.

The same input gives the same bytes: the serial number and the time are the caller's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from shipline.capabilities.evidence.distributions import BuiltFile, Distribution, installed_in, read_built
from shipline.domain.errors import InvalidValue

if TYPE_CHECKING:
    from cyclonedx.model.component import Component

_EXTRA = re.compile(r"\bextra\b")


@dataclass(frozen=True, slots=True)
class _Node:
    """A dependency to list: what was found installed, or None, and the requirement that named it first."""

    requirement: Requirement
    installed: Distribution | None


def make_sbom(files: Sequence[Path], *, serial: UUID, created_us: int, site_packages: Path | None = None) -> bytes:
    """The SBOM of the package that `files` (its wheel, its sdist) are of, as JSON.

    `site_packages` is a folder in which the package is installed, where there is one. `created_us` is UTC
    microseconds. Raises InvalidValue where the files are of different packages or versions, or cannot be read.
    """
    built = [read_built(path) for path in files]
    if len({(file.distribution.name, file.distribution.version) for file in built}) != 1:
        raise InvalidValue("an SBOM is of one package at one version; these files are of none or of several")
    # The wheel's requirements are what an installer sees; an sdist's may still be dynamic.
    subject = min(built, key=lambda file: not file.file_name.endswith(".whl")).distribution
    nodes = _closure(subject, installed_in(site_packages) if site_packages else {})
    return _render(subject, built, nodes, serial=serial, created=datetime.fromtimestamp(created_us // 1_000_000, UTC))


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


def _render(
    subject: Distribution, built: Sequence[BuiltFile], nodes: Mapping[str, _Node], *, serial: UUID, created: datetime
) -> bytes:
    # Imported here: the library takes up to a second, and most commands have no use for it.
    from cyclonedx.model.bom import Bom, BomMetaData  # noqa: PLC0415 - see above
    from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415 - see above
    from cyclonedx.model.tool import ToolRepository  # noqa: PLC0415 - see above
    from cyclonedx.output.json import JsonV1Dot6  # noqa: PLC0415 - see above

    root = _subject_component(subject, built)
    components = {name: _dependency_component(name, node) for name, node in nodes.items()}
    tools = ToolRepository(components=[Component(name="shipline", type=ComponentType.APPLICATION)])
    bom = Bom(
        serial_number=serial,
        metadata=BomMetaData(component=root, timestamp=created, tools=tools),
        components=components.values(),
    )
    bom.register_dependency(root, _among(components, _required(subject)))
    for name, node in nodes.items():
        needs = _required(node.installed) if node.installed else []
        bom.register_dependency(components[name], _among(components, needs))
    text = JsonV1Dot6(bom).output_as_string()
    return (json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _among(components: Mapping[str, Component], needs: Sequence[Requirement]) -> list[Component]:
    names = {canonicalize_name(need.name) for need in needs}
    return [component for name, component in components.items() if name in names]


def _subject_component(subject: Distribution, built: Sequence[BuiltFile]) -> Component:
    from cyclonedx.model import (  # noqa: PLC0415 - as in _render
        ExternalReference,
        ExternalReferenceType,
        HashAlgorithm,
        HashType,
        XsUri,
    )
    from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415 - as in _render
    from cyclonedx.model.license import LicenseExpression  # noqa: PLC0415 - as in _render
    from packageurl import PackageURL  # noqa: PLC0415 - as in _render

    # Two files have two digests, so each stands at the reference to its file rather than at the package.
    references = [
        ExternalReference(
            type=ExternalReferenceType.DISTRIBUTION,
            url=XsUri(file.file_name),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=file.sha256)],
        )
        for file in built
    ]
    purl = PackageURL("pypi", name=subject.name, version=subject.version)
    return Component(
        name=subject.name,
        version=subject.version,
        type=ComponentType.LIBRARY,
        purl=purl,
        bom_ref=purl.to_string(),
        licenses=[LicenseExpression(subject.licence)] if subject.licence else None,
        external_references=references,
    )


def _dependency_component(name: str, node: _Node) -> Component:
    from cyclonedx.model import Property  # noqa: PLC0415 - as in _render
    from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415 - as in _render
    from cyclonedx.model.license import LicenseExpression  # noqa: PLC0415 - as in _render
    from packageurl import PackageURL  # noqa: PLC0415 - as in _render

    need, found = node.requirement, node.installed
    purl = PackageURL("pypi", name=name, version=found.version if found else None)
    stated = {
        "shipline:python:specifier": str(need.specifier),
        "shipline:python:marker": str(need.marker) if need.marker else "",
    }
    return Component(
        name=name,
        version=found.version if found else None,
        type=ComponentType.LIBRARY,
        purl=purl,
        bom_ref=purl.to_string(),
        licenses=[LicenseExpression(found.licence)] if found and found.licence else None,
        properties=[Property(name=key, value=value) for key, value in stated.items() if value],
    )
