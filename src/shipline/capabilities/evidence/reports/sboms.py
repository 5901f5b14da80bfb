"""Bills of materials, whatever format they came in, as far as gates and people count them.

An item is `{"name", "version", "type", "purl", "licence", "stated", "status"}`; `type` is CycloneDX's word
(`library`, `application` ...) or `package`, the licence's fields are those of `licences.py`. The summary is
`{"components", "with_purl", "known", "unclear", "unknown"}`, the last three about licences. In CycloneDX the product
itself stands apart (`metadata.component`) and does not count; SPDX lists it among its packages, and there it does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.evidence.reports.licences import STATED_LENGTH_MAX, LicenceStatus, Licensed, status_counts
from shipline.capabilities.evidence.reports.report import Item, Reading
from shipline.domain.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Component:
    """A component and what is said of its licence."""

    type: str
    licensed: Licensed

    def item(self) -> dict[str, Any]:
        """The component as an item of a report."""
        return {
            "name": self.licensed.package,
            "version": self.licensed.version,
            "type": self.type,
            "purl": self.licensed.purl,
            "licence": self.licensed.licence,
            "stated": self.licensed.stated[:STATED_LENGTH_MAX],
            "status": self.licensed.status.value,
        }


class BillTally:
    """Counts the components of a bill, and what is known of their licences."""

    def __init__(self, tool: str) -> None:
        self.tool = tool
        self.notes: list[str] = []
        self._by_status: Counter[LicenceStatus] = Counter()
        self._with_purl = 0

    def items(self, components: Iterable[Component]) -> Iterator[Item]:
        """The items of `components`, which are counted in passing."""
        for component in components:
            self._by_status[component.licensed.status] += 1
            self._with_purl += bool(component.licensed.purl)
            yield component.item()

    def summary(self) -> dict[str, Any]:
        """The figures."""
        return {
            "components": self._by_status.total(),
            "with_purl": self._with_purl,
            **status_counts(self._by_status),
        }


def bill_reading(components: Iterable[Component], *, tool: str) -> Reading:
    """An SBOM that lists `components`, counted in passing."""
    tally = BillTally(tool)
    return Reading(tally.items(not_empty(components)), tally)


def not_empty(components: Iterable[Component]) -> Iterator[Component]:
    """`components`, refused where there is none: a VEX document, or an SBOM of which only the frame was written."""
    is_empty = True
    for component in components:
        is_empty = False
        yield component
    if is_empty:
        raise InvalidValue("the SBOM lists no component", todo="see whether the tool found what it was to look at")
