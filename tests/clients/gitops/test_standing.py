"""What controllers say, read as an answer: pure."""

from __future__ import annotations

from typing import Any

import pytest

from shipline.clients.gitops.standing import (
    Arrival,
    argo_standing,
    deployment_standing,
    flux_standing,
    helm_release_standing,
)
from shipline.clients.gitops.watching import told_version

OURS, OTHERS = "a" * 40, "b" * 40


def states(commit: str) -> bool:
    return commit == OURS


def argo(sync: str = "Synced", health: str = "Healthy", revision: Any = OURS, **more: Any) -> dict[str, Any]:
    return {"status": {"sync": {"status": sync, "revision": revision}, "health": {"status": health}, **more}}


@pytest.mark.parametrize(
    ("found", "arrival", "words"),
    [
        (argo(), Arrival.WELL, "Argo CD says Synced: Healthy"),
        (argo(revision=None) | {}, Arrival.AWAY, "Argo CD has taken no commit in yet"),
        (argo(revision=OTHERS), Arrival.AWAY, f"Argo CD is at {OTHERS[:12]}, which does not have this version"),
        (argo("OutOfSync"), Arrival.AWAY, "Argo CD says OutOfSync: Healthy"),
        (argo(health="Progressing"), Arrival.UNDER_WAY, "Synced: Progressing"),
        (argo(health="Suspended"), Arrival.UNDER_WAY, "Synced: Suspended"),
        (argo(health="Degraded"), Arrival.FAILED, "Synced: Degraded"),
        (
            argo("Unknown", conditions=[{"type": "ComparisonError", "message": "no such app path"}], revision=OTHERS),
            Arrival.AWAY,
            "no such app path",
        ),
        (
            argo(operationState={"phase": "Failed", "message": "one or more", "syncResult": {"revision": OURS}}),
            Arrival.FAILED,
            "Argo CD could not sync: one or more",
        ),
        (argo(operationState={"phase": "Failed", "syncResult": {"revision": OTHERS}}), Arrival.WELL, "Synced"),
        (
            argo(operationState={"phase": "Running", "message": "waiting for completion of hook batch/Job/migrate"}),
            Arrival.UNDER_WAY,
            "Argo CD is not done with the sync: waiting for completion of hook batch/Job/migrate: Synced: Healthy",
        ),
        (argo("OutOfSync", operationState={"phase": "Running"}), Arrival.UNDER_WAY, "sync: Running: OutOfSync"),
        (argo(revision=OTHERS, operationState={"phase": "Running"}), Arrival.AWAY, "does not have this version"),
        (
            argo(operationState={"phase": "Failed", "message": "hook", "syncResult": {"revisions": [OTHERS, OURS]}}),
            Arrival.FAILED,
            "Argo CD could not sync: hook",
        ),
        (
            argo(operationState={"phase": "Error", "message": "hook", "operation": {"sync": {"revision": OURS}}}),
            Arrival.FAILED,
            "Argo CD could not sync: hook",
        ),
        ({"status": {"sync": {"status": "Synced", "revisions": [OTHERS, OURS]}}}, Arrival.UNDER_WAY, "Synced"),
        ({"status": "what?"}, Arrival.AWAY, "nothing"),
        (argo(health="Deg\x1b[2Jraded\nx" + "y" * 9000), Arrival.UNDER_WAY, "Synced: Deg [2Jraded x"),
    ],
)
def test_argo_cd(found: dict[str, Any], arrival: Arrival, words: str) -> None:
    standing = argo_standing(found, states)
    assert standing.arrival is arrival
    assert words in standing.words
    assert len(standing.words) <= 500


def flux(ready: str, reason: str = "", applied: str = OURS, attempted: str = OURS, **more: Any) -> dict[str, Any]:
    status = {
        "observedGeneration": 2,
        "lastAppliedRevision": f"main@sha1:{applied}",
        "lastAttemptedRevision": f"main@sha1:{attempted}",
        "conditions": [{"type": "Ready", "status": ready, "reason": reason, "message": "said"}],
    }
    return {"metadata": {"generation": 2}, "spec": {"wait": True}, "status": status} | more


@pytest.mark.parametrize(
    ("found", "arrival", "words"),
    [
        (flux("True", spec={}), Arrival.FAILED, "set `wait: true`"),
        (flux("True", spec={"healthChecks": [{"kind": "Deployment"}]}), Arrival.WELL, "said"),
        (flux("True", "ReconciliationSucceeded"), Arrival.WELL, "Flux says ReconciliationSucceeded: said"),
        (flux("True", applied=OTHERS), Arrival.AWAY, f"Flux has applied {OTHERS[:12]}"),
        (flux("True", metadata={"generation": 3}), Arrival.UNDER_WAY, "said"),
        (flux("Unknown", "Progressing"), Arrival.UNDER_WAY, "Progressing"),
        (flux("False", "HealthCheckFailed"), Arrival.FAILED, "HealthCheckFailed: said"),
        (flux("False", "BuildFailed", OTHERS, OTHERS), Arrival.AWAY, "BuildFailed"),
        (flux("False", "DependencyNotReady"), Arrival.UNDER_WAY, "DependencyNotReady"),
        (flux("True", spec={"suspend": True}), Arrival.AWAY, "suspended"),
        ({}, Arrival.AWAY, "Flux has applied nothing"),
    ],
)
def test_flux(found: dict[str, Any], arrival: Arrival, words: str) -> None:
    standing = flux_standing(found, states)
    assert standing.arrival is arrival
    assert words in standing.words


@pytest.mark.parametrize(
    ("ready", "reason", "digest", "arrival"),
    [
        ("True", "", "ours", Arrival.WELL),
        ("True", "", "other", Arrival.AWAY),
        ("False", "UpgradeFailed", "ours", Arrival.FAILED),
        ("False", "DependencyNotReady", "ours", Arrival.UNDER_WAY),
        ("Unknown", "", "ours", Arrival.UNDER_WAY),
    ],
)
def test_a_helm_release(ready: str, reason: str, digest: str, arrival: Arrival) -> None:
    found = flux(ready, reason) | {"spec": {"values": {"images": [{"digest": digest}]}}}
    assert helm_release_standing(found, {"spec.values.images.0.digest": "ours"}).arrival is arrival


@pytest.mark.parametrize(
    ("image", "status", "arrival"),
    [
        ("x@ours", {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2}, Arrival.WELL),
        ("x@ours", {"replicas": 3, "updatedReplicas": 2, "readyReplicas": 3}, Arrival.UNDER_WAY),
        ("x@ours", {"conditions": [{"reason": "ProgressDeadlineExceeded", "message": "late"}]}, Arrival.FAILED),
        ("x@other", {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2}, Arrival.AWAY),
    ],
)
def test_a_deployment(image: str, status: dict[str, Any], arrival: Arrival) -> None:
    """What is still there of the version before is waited for."""
    pod = {"spec": {"containers": [{"name": "side", "image": "side:1"}, {"name": "web", "image": image}]}}
    found = {"metadata": {"generation": 1}, "spec": {"replicas": 2, "template": pod}}
    standing = deployment_standing(
        found | {"status": status | {"observedGeneration": 1}}, lambda i: i.endswith("@ours")
    )
    assert standing.arrival is arrival


@pytest.mark.parametrize(
    ("body", "version"),
    [
        (b'{"version": "1.0.0", "x": 1}', "1.0.0"),
        (b"1.0.0\n", "1.0.0"),
        (b'"1.0.0"', "1.0.0"),
        (b"1.0", "1.0"),
        (b'{"version": 1}', ""),
        (b"<html>\n1.0.0\n</html>", ""),
        (b"1" * (65 << 10), ""),
    ],
)
def test_what_an_address_tells(body: bytes, version: str) -> None:
    assert told_version(body) == version
