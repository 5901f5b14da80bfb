"""How a group stands: what pods and Deployments say, in words."""

from __future__ import annotations

from typing import Any

import pytest

from shipline.domain.errors import ShiplineError
from shipline.ports.target import Group
from shipline.providers.target.kubernetes_state import group_of, spec_of, time_us

DIGEST = "sha256:" + "a" * 64
IMAGE = f"registry.example/team/quotes@{DIGEST}"
NOW_US = 1_790_000_000_000_000
Found = dict[str, Any]


def deployment(replicas: int = 2, ready: int = 0, notes: dict[str, str] | None = None) -> Found:
    """A group's."""
    kept = {
        "shipline.dev/package": "quotes",
        "shipline.dev/version": "1.0.0",
        "shipline.dev/digests": f'["{DIGEST}"]',
        "shipline.dev/size": "2",
        "shipline.dev/ordered-us": str(NOW_US),
        "shipline.dev/started-us": "1",
    }
    marks = {"shipline.dev/group": "one", "shipline.dev/role": "stable"}
    metadata = {"name": "s-one", "labels": marks, "annotations": kept | (notes or {})}
    return {"metadata": metadata, "spec": {"replicas": replicas}, "status": {"readyReplicas": ready}}


def pod(name: str = "p", **status: Any) -> Found:
    """A pod of it."""
    return {"metadata": {"name": name}, "status": status}


def container(ready: bool = False, **states: Any) -> Found:  # noqa: FBT001, FBT002 - named where it is set
    """The status of a container."""
    return {"name": "web", "ready": ready, **states}


def seen(found: Found, *pods: Found, output: dict[str, str] | None = None, after_s: int = 0) -> Group:
    """The group, so many seconds after it was ordered."""
    now_us = NOW_US + after_s * 1_000_000
    return group_of(found, pods, output=output or {}, image=IMAGE, now_us=now_us)


WAITING = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
ENDED = {"terminated": {"exitCode": 3, "reason": "Error", "message": "its last words"}}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"containerStatuses": [container(state={"waiting": {"reason": "ContainerCreating"}})]}, ""),
        ({}, ""),
        ({"phase": "Failed", "reason": "Evicted", "message": "low on memory"}, "pod p: Evicted: low on memory"),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3"}]},
            "pod p: Unschedulable: 0/3",
        ),
        ({"containerStatuses": [container(state=ENDED)]}, "pod p ended with code 3: Error: its last words"),
        (
            {"containerStatuses": [container(state=WAITING, lastState=ENDED)]},
            "pod p: CrashLoopBackOff: back-off\nthe end of its output:\nits last words",
        ),
        ({"initContainerStatuses": [container(state=WAITING)]}, "pod p: CrashLoopBackOff: back-off"),
        ({"containerStatuses": [container(ready=True, lastState=ENDED)]}, ""),
        ({"initContainerStatuses": [container(state={"terminated": {"exitCode": 0}})]}, ""),
    ],
)
def test_why_a_pod_is_not_ready(status: Found, words: str) -> None:
    """What may still become ready is no trouble."""
    assert seen(deployment(ready=1), pod(**status)).trouble.startswith(words)
    assert (seen(deployment(ready=1), pod(**status)).trouble == "") == (words == "")


def test_its_output_goes_before_what_the_kubelet_kept() -> None:
    """And no more of it than a person reads."""
    found = pod(containerStatuses=[container(state=WAITING, lastState=ENDED)])
    trouble = seen(deployment(), found, output={"p": "x" * 5000 + "the end"}).trouble
    assert trouble.endswith("the end")
    assert "last words" not in trouble
    assert len(trouble) < 4000


def test_pods_that_leave_and_pods_that_are_ready_are_no_trouble() -> None:
    """A whole group has none."""
    leaving = pod(containerStatuses=[container(state=ENDED)])
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert seen(deployment(ready=1), leaving).trouble == ""
    whole = seen(deployment(ready=2), pod(containerStatuses=[container(state=ENDED)]), after_s=9999)
    assert (whole.trouble, whole.hopeless, whole.ready) == ("", False, 2)


@pytest.mark.parametrize(("replicas", "ready", "shown"), [(2, 3, 2), (7, 7, 2), (7, 6, 1), (7, 3, 0), (0, 0, 0)])
def test_of_more_pods_than_were_ordered_all_must_be_ready(replicas: int, ready: int, shown: int) -> None:
    """An autoscaler wants them for a reason."""
    assert seen(deployment(replicas, ready)).ready == shown


def test_a_group_is_hopeless_when_its_time_is_over() -> None:
    """600 s where the manifest does not say, since it was ordered or since the pod stopped being ready."""
    assert not seen(deployment(), pod(), pod(), after_s=599).hopeless
    assert seen(deployment(), pod(), pod(), after_s=600).hopeless
    late = {"type": "Ready", "status": "False", "lastTransitionTime": "2026-09-21T14:23:20Z"}
    since_s = time_us(late["lastTransitionTime"]) // 1_000_000 - NOW_US // 1_000_000
    both = (pod(conditions=[late]), pod(conditions=[late | {"status": "True"}]))
    assert not seen(deployment(ready=1), *both, after_s=since_s + 599).hopeless
    assert seen(deployment(ready=1), *both, after_s=since_s + 600).hopeless


@pytest.mark.parametrize("text", [None, "", "yesterday", "2026-99-01T00:00:00Z"])
def test_a_time_that_is_none_is_long_ago(text: str | None) -> None:
    assert time_us(text) == 0


@pytest.mark.parametrize(
    "notes",
    [
        {"shipline.dev/digests": "no JSON"},
        {"shipline.dev/digests": "{}"},
        {"shipline.dev/digests": '["latest"]'},
        {"shipline.dev/size": "-1"},
        {"shipline.dev/size": "many"},
        {"shipline.dev/size": "9999"},
    ],
)
def test_marks_that_shipline_did_not_write_are_an_error(notes: dict[str, str]) -> None:
    """In words that name the object."""
    with pytest.raises(ShiplineError, match="s-one"):
        spec_of(deployment(notes=notes))
