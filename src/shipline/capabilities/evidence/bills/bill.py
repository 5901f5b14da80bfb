"""A bill of materials, whatever it is of and however it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Part:
    """A package. `purl` is its package URL, unique in a bill; `version` None where nobody knows it. `licence` is an
    SPDX expression, "" where none is stated. `hashes` are those of its archive, by the algorithm's name in CycloneDX
    (`SHA-512`), as hex. `properties` are CycloneDX properties."""

    purl: str
    name: str
    version: str | None
    group: str = ""
    licence: str = ""
    hashes: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bill:
    """`subject` is what the bill is of, `files` its archives: name and sha256 as hex. `parts` are all that it needs, in
    the order in which they are to stand; `needs` says by package URL what needs what. `serial` and `created` are the
    caller's, so that the same input gives the same bytes."""

    subject: Part
    files: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    needs: Mapping[str, tuple[str, ...]]
    serial: UUID
    created: datetime
