"""Shipped releases, examined by a database of advisories, and events for what is deployed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.advisories.ecosystems import package_name
from shipline.capabilities.advisories.ordering import ordered
from shipline.capabilities.advisories.rules import Answer, Exposure, examine_component
from shipline.capabilities.advisories.shipped import Shipped, shipped_releases
from shipline.capabilities.releases import components_of_releases
from shipline.domain.component import Component
from shipline.ports.advisories import Advisories, PackageName, UnreadAdvisories
from shipline.store.database import Store
from shipline.store.event_writer import EventWriter
from shipline.store.log import stream_of
from shipline.store.transaction import Transaction

KIND = "VulnerabilityFound"
STREAM_LENGTH_MAX = 180


@dataclass(frozen=True, slots=True)
class Touched:
    """An exposure, and the shipped releases that it is in."""

    exposure: Exposure
    shipped: tuple[Shipped, ...]

    @property
    def environments(self) -> tuple[str, ...]:
        """Where one of them runs, sorted."""
        return tuple(sorted({name for one in self.shipped for name in one.environments}))


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of an examination: what is affected, and what cannot be told, the deployed first. `releases` were
    looked at and `components` different ones in them; `unlisted` are releases of which nobody knows what is in them;
    `strange` counts components, by their type, about which no database is known here. `unread`
    says of which entries of the database nobody knows what they are about."""

    affected: tuple[Touched, ...]
    unknown: tuple[Touched, ...]
    releases: int
    components: int
    unlisted: tuple[Shipped, ...]
    strange: dict[str, int]
    unread: UnreadAdvisories | None = None


def examine(store: Store, source: Advisories) -> Examined:
    """Ask a database about everything that was shipped. Writes nothing. Raises as `Advisories.about`."""
    with store.begin() as tx:
        shipped = shipped_releases(tx)
        listed = components_of_releases(tx, [one.release.id for one in shipped])
    users: dict[Component, list[Shipped]] = {}
    for one in shipped:
        for component in dict.fromkeys(listed.get(one.release.id, ())):
            users.setdefault(component, []).append(one)
    by_name: dict[PackageName, list[Component]] = {}
    asked: dict[PackageName, None] = {}
    strange: Counter[str] = Counter()
    for component in users:
        name = package_name(component)
        if name is None:
            strange[component.type or "without a package URL"] += 1
        else:
            by_name.setdefault(name.compared, []).append(component)
            asked[name] = None
    found: list[Touched] = []
    unread: UnreadAdvisories | None = None
    try:
        for advisory in source.about(tuple(asked)) if asked else ():
            for component in _concerned(advisory.affected, by_name):
                exposure = examine_component(advisory, component, ordered)
                if exposure is not None:
                    found.append(Touched(exposure, tuple(users[component])))
    except UnreadAdvisories as error:
        unread = error
    found.sort(key=lambda one: (not one.environments, one.exposure.advisory.id, one.exposure.component.purl))
    return Examined(
        affected=tuple(one for one in found if one.exposure.answer is Answer.AFFECTED),
        unknown=tuple(one for one in found if one.exposure.answer is Answer.UNKNOWN),
        releases=len(shipped),
        components=len(users),
        unlisted=tuple(one for one in shipped if one.release.id not in listed),
        strange=dict(strange),
        unread=unread,
    )


def _concerned(affected: Iterable[Any], by_name: dict[PackageName, list[Component]]) -> list[Component]:
    names = dict.fromkeys(PackageName(one.ecosystem, one.name).compared for one in affected)
    return [component for name in names for component in by_name.get(name, ())]


def record(tx: Transaction, events: EventWriter, affected: Sequence[Touched]) -> int:
    """Raise an event for each vulnerability in deployed versions that was not told of before; returns how many.

    It was told of before where an earlier event names the same package and version of it, release and environment, and
    the same version that mends it: that one is there now is news.
    """
    raised = 0
    for touched in affected:
        places = [(one, name) for one in touched.shipped for name in one.environments]
        if not places:
            continue
        stream = f"advisory:{touched.exposure.advisory.id[:STREAM_LENGTH_MAX]}"
        tx.lock(stream)
        told = {key for event in stream_of(tx, stream) if event.kind == KIND for key in _keys_of(event.body)}
        new = [(one, name) for one, name in places if _key(touched.exposure, one.release.id, name) not in told]
        if new:
            events.append(tx, stream, KIND, _body(touched.exposure, new))
            raised += 1
    return raised


def _key(exposure: Exposure, release_id: str, environment: str) -> tuple[str, ...]:
    return (exposure.component.purl, ",".join(exposure.fixed), release_id, environment)


def _keys_of(body: dict[str, Any]) -> Iterable[tuple[str, ...]]:
    fixed = ",".join(body["fixed"])
    return [
        (body["purl"], fixed, each["release_id"], name) for each in body["releases"] for name in each["environments"]
    ]


def _body(exposure: Exposure, places: list[tuple[Shipped, str]]) -> dict[str, Any]:
    advisory, component = exposure.advisory, exposure.component
    releases: dict[str, dict[str, Any]] = {}
    for one, environment in places:
        release = one.release
        entry = releases.setdefault(
            release.id,
            {"release_id": release.id, "package": release.package, "version": release.version, "environments": []},
        )
        entry["environments"].append(environment)
    return {
        "advisory": advisory.id,
        "aliases": list(advisory.aliases),
        "summary": advisory.summary,
        "severity": advisory.severity,
        "package": component.identity,
        "version": component.version,
        "purl": component.purl,
        "fixed": list(exposure.fixed),
        "releases": list(releases.values()),
        "environments": sorted({environment for _, environment in places}),
    }
