"""The documents of `/api/v1`: the same, name by name, as the reading commands print with `--json`."""

from __future__ import annotations

from typing import Any

from shipline.apps.server.site import Site
from shipline.bootstrap.orders import RollbackWish
from shipline.capabilities.gates import coverage_document
from shipline.capabilities.incidents import all_incidents, incidents_document
from shipline.capabilities.releases import RELEASES, all_releases, verdicts_of
from shipline.capabilities.rollouts import (
    ROLLOUTS,
    Alert,
    Blamed,
    analysis_of,
    blamed_after,
    deployment_history,
    deployments_document,
    environment_state,
    environments_document,
    keys_of,
    note_alerts,
    note_ended,
    turn_back,
)
from shipline.domain.actor import Actor, ActorKind
from shipline.domain.codec import to_json
from shipline.domain.errors import ShiplineError
from shipline.domain.release import Release
from shipline.store.log import RecordedEvent
from shipline.store.search import Wanted, latest_found
from shipline.store.transaction import Transaction

# Authenticated: it has shown the token.
ALERTMANAGER = Actor(kind=ActorKind.WORKLOAD, issuer="token", subject="alertmanager", authenticated=True)


def releases_document(site: Site, *, limit: int) -> dict[str, Any]:
    """`shipline.releases/1`: the newest releases with their verdicts."""
    with site.reading() as tx:
        releases = [_release(tx, release) for release in all_releases(tx, limit=limit)]
    return {"schema": "shipline.releases/1", "releases": releases}


def release_document(site: Site, release_id: str) -> dict[str, Any] | None:
    """`shipline.releases/1` with one release, None for an unknown id."""
    with site.reading() as tx:
        release = RELEASES.find(tx, release_id)
        found = None if release is None else _release(tx, release)
    return None if found is None else {"schema": "shipline.releases/1", "releases": [found]}


def compliance_documents(site: Site, release_id: str) -> dict[str, Any] | None:
    """`shipline.compliances/1`: a document for each framework that is required, None for an unknown release."""
    with site.reading() as tx:
        release = RELEASES.find(tx, release_id)
    if release is None:
        return None
    found = [
        coverage_document(one, package=release.package, version=release.version) for one in site.compliance(release)
    ]
    return {"schema": "shipline.compliances/1", "frameworks": found}


def _release(tx: Transaction, release: Release) -> dict[str, Any]:
    document: dict[str, Any] = to_json(release)
    return document | {"verdicts": to_json(verdicts_of(tx, release.id))}


def rollout_document(site: Site, rollout_id: str) -> dict[str, Any] | None:
    """`shipline.rollout/1`: the rollout and every look at its canary, None for an unknown id."""
    with site.reading() as tx:
        rollout = ROLLOUTS.find(tx, rollout_id)
        points = analysis_of(tx, rollout_id)
    if rollout is None:
        return None
    return {"schema": "shipline.rollout/1", "rollout": to_json(rollout), "analysis": to_json(points)}


def rollout_list(site: Site, *, environment: str | None, limit: int) -> dict[str, Any]:
    """`shipline.rollouts/1`: the newest rollouts, those that wait for their turn among them."""
    wanted = {} if environment is None else {"environment": environment}
    with site.reading() as tx:
        found = ROLLOUTS.where(tx, order="started_us", newest_first=True, limit=limit, **wanted)
    return {"schema": "shipline.rollouts/1", "rollouts": to_json(found)}


def incident_list(site: Site, *, limit: int) -> dict[str, Any]:
    """`shipline.incidents/1`: the newest incidents."""
    with site.reading() as tx:
        return incidents_document(all_incidents(tx, limit=limit))


def log_document(site: Site, wanted: Wanted, *, limit: int, before: int | None) -> dict[str, Any]:
    """`shipline.log/1`: the last events below the number `before` that are wanted, oldest first. Their first number is
    what to ask for next as `before`."""
    entries = latest_found(site.store, wanted, limit, before_number=before)
    return {"schema": "shipline.log/1", "events": [_entry(entry) for entry in entries]}


def _entry(entry: RecordedEvent) -> dict[str, Any]:
    document: dict[str, Any] = to_json(entry.event)
    return {"number": entry.number, "place": entry.place, "erased": entry.is_erased} | document


def environment_list(site: Site) -> dict[str, Any]:
    """What each environment serves."""
    with site.reading() as tx:
        return environments_document([environment_state(tx, one.name) for one in site.environments()])


def deployment_list(site: Site, environment: str, *, limit: int) -> dict[str, Any] | None:
    """An environment's deployments, the newest first; None for one that is not configured and has served nothing."""
    with site.reading() as tx:
        found = deployment_history(tx, environment, limit=limit)
    is_known = found or environment in {one.name for one in site.environments()}
    return deployments_document(environment, found) if is_known else None


def answered(site: Site, alerts: tuple[Alert, ...]) -> dict[str, Any]:
    """`shipline.alerts/1`: the rollouts that these alerts have turned back just now, those whose version is left for
    the one before, and those that only have an incident."""
    with site.store.begin() as tx:
        turned = turn_back(tx, site.engine, alerts, ALERTMANAGER)
        note_ended(tx, site.engine, alerts, ALERTMANAGER)
        blamed = blamed_after(tx, alerts, site.clock.now_us())
    left: list[str] = []
    told: list[str] = []
    for one in blamed:
        why_not = _left(site, one)
        (told if why_not else left).append(one.rollout.id)
        if why_not:
            with site.store.begin() as tx:
                note_alerts(tx, site.engine, one, ALERTMANAGER, why_not=why_not)
    ids = [rollout.id for rollout in turned]
    return {"schema": "shipline.alerts/1", "turned_back": ids, "rolled_back": left, "told": told}


def _left(site: Site, blamed: Blamed) -> str:
    """Go back where that is one switch, and the settings let it; else why not, as a sentence."""
    place = blamed.rollout.environment
    if not blamed.is_warm:
        return "The version before is not kept warm any more."
    if any(one.alerts == "incident" for one in site.environments() if one.name == place):
        return "The settings leave the way back to people."
    version, leaving = blamed.rollout.stable_version, blamed.rollout.id
    try:
        wish = RollbackWish(place, version, reason=blamed.words, leaving=leaving, alerts=keys_of(blamed.alerts))
        site.roll_back(wish, ALERTMANAGER)
    except ShiplineError as error:
        return f"It could not be gone back: {error.what}" + (f" ({error.why})." if error.why else ".")
    return ""
