"""What changed from one SBOM to another. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shipline.domain.component import Component

SCHEMA = "shipline.sbom-diff/1"


@dataclass(frozen=True, slots=True)
class Change:
    """`change` is added, removed, version or licence. `before` and `after` are the versions, or the licences; several
    of one package are all there. Empty: the package was not there, or nothing was known of it."""

    change: str
    package: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """The change in shipline.sbom-diff/1."""
        return {
            "change": self.change,
            "package": self.package,
            "before": list(self.before),
            "after": list(self.after),
        }


def bill_changes(before: Iterable[Component], after: Iterable[Component]) -> tuple[Change, ...]:
    """By package, sorted: packages that came and went, and of the others changed versions and licences."""
    old, new = _by_package(before), _by_package(after)
    changes: list[Change] = []
    for package in sorted({*old, *new}):
        was, now = old.get(package, ()), new.get(package, ())
        versions, licences = (_stated(was, "version"), _stated(now, "version")), (_licences(was), _licences(now))
        if not was or not now:
            changes.append(Change("added" if now else "removed", package, *versions))
            continue
        if versions[0] != versions[1]:
            changes.append(Change("version", package, *versions))
        if licences[0] != licences[1]:
            changes.append(Change("licence", package, *licences))
    return tuple(changes)


def _by_package(components: Iterable[Component]) -> dict[str, tuple[Component, ...]]:
    found: dict[str, tuple[Component, ...]] = {}
    for component in components:
        found[component.identity] = (*found.get(component.identity, ()), component)
    return found


def _stated(components: Iterable[Component], name: str) -> tuple[str, ...]:
    return tuple(sorted({getattr(component, name) for component in components} - {""}))


def _licences(components: Iterable[Component]) -> tuple[str, ...]:
    return _stated(components, "licence")


def diff_document(before: str, after: str, changes: Iterable[Change]) -> dict[str, Any]:
    """The document shipline.sbom-diff/1; `before` and `after` are what was compared, as it was named."""
    listed = [change.document() for change in changes]
    kinds = ("added", "removed", "version", "licence")
    counts = {kind: sum(one["change"] == kind for one in listed) for kind in kinds}
    return {"schema": SCHEMA, "before": before, "after": after, "summary": counts, "changes": listed}
