"""The documents of this room."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shipline.capabilities.advisories.finding import Found, WantedPackage
from shipline.capabilities.advisories.shipped import Shipped
from shipline.capabilities.advisories.usecases import Examined, Touched
from shipline.domain.release import Release

FOUND_SCHEMA = "shipline.sbom-find/1"
ADVISORIES_SCHEMA = "shipline.advisories/1"


def found_document(asked: WantedPackage, found: Iterable[Found], unlisted: Iterable[Release]) -> dict[str, Any]:
    """The document shipline.sbom-find/1."""
    return {
        "schema": FOUND_SCHEMA,
        "package": {"type": asked.type, "name": asked.name, "range": asked.range},
        "releases": [
            _release(one.release)
            | {
                "environments": list(one.environments),
                "purl": one.component.purl,
                "component_version": one.component.version,
                "licence": one.component.licence,
                "certain": one.certain,
            }
            for one in found
        ],
        "not_known": [_release(release) for release in unlisted],
    }


def _release(release: Release) -> dict[str, Any]:
    return {
        "release_id": release.id,
        "package": release.package,
        "version": release.version,
        "status": release.status.value,
    }


def advisories_document(examined: Examined, raised: int) -> dict[str, Any]:
    """The document shipline.advisories/1; `raised` is how many events were new."""
    return {
        "schema": ADVISORIES_SCHEMA,
        "releases": examined.releases,
        "components": examined.components,
        "raised": raised,
        "affected": [_touched(one) for one in examined.affected],
        "unknown": [_touched(one) for one in examined.unknown],
        "not_known": [_shipped(one) for one in examined.unlisted],
        "not_looked_up": examined.strange,
        "unread": None if examined.unread is None else examined.unread.what,
    }


def _shipped(one: Shipped) -> dict[str, Any]:
    return _release(one.release) | {"environments": list(one.environments)}


def _touched(one: Touched) -> dict[str, Any]:
    exposure = one.exposure
    return {
        "advisory": exposure.advisory.id,
        "aliases": list(exposure.advisory.aliases),
        "summary": exposure.advisory.summary,
        "severity": exposure.advisory.severity,
        "package": exposure.component.identity,
        "version": exposure.component.version,
        "purl": exposure.component.purl,
        "fixed": list(exposure.fixed),
        "why": exposure.why,
        "releases": [_shipped(each) for each in one.shipped],
        "environments": list(one.environments),
    }
