"""The components that an SBOM lists, so that those of two can be compared."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from shipline.capabilities.evidence.bills.bill import Bill
from shipline.capabilities.evidence.reports import Report, read_report_bytes
from shipline.domain.component import Component
from shipline.domain.errors import InvalidValue
from shipline.domain.evidence import EvidenceKind

NAME_LENGTH_MAX = 400
DOCUMENT_BYTES_MAX = 64 * 1024 * 1024
# From: https://packaging.python.org/en/latest/specifications/name-normalization/.
_SEPARATORS = re.compile(r"[-_.]+")


def components_in(document: bytes) -> tuple[Component, ...]:
    """What an SBOM in any format that is read lists. Raises InvalidValue where it is none."""
    return components_of(read_report_bytes(document, limit_bytes=DOCUMENT_BYTES_MAX))


def components_of(report: Report) -> tuple[Component, ...]:
    """What a report that was read lists. Raises InvalidValue where it is no SBOM."""
    if report.kind is not EvidenceKind.SBOM:
        raise InvalidValue(f"it is a report on {report.kind.value}, and no SBOM")
    return tuple(_component(item) for item in report.items)


def components_of_bill(bill: Bill) -> tuple[Component, ...]:
    """What a bill of ours lists: nothing, where the package needs nothing."""
    return tuple(
        Component(*named(part.purl, part.name), part.version or "", part.purl, part.licence) for part in bill.parts
    )


def _component(item: dict[str, Any]) -> Component:
    kind, name = named(str(item["purl"]), str(item["name"]))
    return Component(kind, name, str(item["version"]), str(item["purl"]), str(item["licence"] or item["stated"]))


def named(purl: str, name: str) -> tuple[str, str]:
    """Type and full name by a package URL; none and `name` where it is no package URL."""
    from packageurl import PackageURL  # noqa: PLC0415 - few commands have a use for it

    try:
        parsed = PackageURL.from_string(purl) if purl else None
    except ValueError:
        parsed = None
    if parsed is None:
        return "", name[:NAME_LENGTH_MAX]
    full = f"{parsed.namespace}/{parsed.name}" if parsed.namespace else parsed.name
    return parsed.type[:40], comparable(parsed.type, full)


def comparable(kind: str, name: str) -> str:
    """A name as its ecosystem compares names: PyPI's go by PEP 503, whatever a package URL says."""
    return (_SEPARATORS.sub("-", name).lower() if kind == "pypi" else name)[:NAME_LENGTH_MAX]


def without_repeats(components: Iterable[Component]) -> tuple[Component, ...]:
    """Each once, in order: images list a package for every file that it is found by."""
    return tuple(dict.fromkeys(components))
