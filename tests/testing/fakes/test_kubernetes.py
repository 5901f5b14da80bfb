"""The model of Kubernetes does what an API server and its controllers do, as far as it goes.

What is said here of the API holds for a real one, too: `make test-k8s` runs the same suites against it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.kubernetes import TOKEN, KubernetesServer, KubernetesWorld

CONFIG = "/api/v1/namespaces/default/configmaps/one"
DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/web"
STRICT = {"fieldValidation": "Strict"}


@pytest.fixture
def world() -> KubernetesWorld:
    return KubernetesWorld(FakeClock())


@pytest.fixture
def api(world: KubernetesWorld) -> Iterator[httpx.Client]:
    with KubernetesServer(world) as server, httpx.Client(base_url=server.url) as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        yield client


def apply(api: httpx.Client, path: str, body: dict[str, Any], manager: str = "a", **query: str) -> httpx.Response:
    """Server-side apply."""
    headers = {"Content-Type": "application/apply-patch+yaml"}
    return api.patch(path, params=STRICT | {"fieldManager": manager} | query, json=body, headers=headers)


def change(api: httpx.Client, path: str, *operations: dict[str, Any], manager: str = "b") -> httpx.Response:
    """JSON patch."""
    headers = {"Content-Type": "application/json-patch+json"}
    return api.patch(path, params=STRICT | {"fieldManager": manager}, json=list(operations), headers=headers)


def config(**data: str) -> dict[str, Any]:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": data}


def test_fields_belong_to_who_set_them(api: httpx.Client) -> None:
    """Another value of another manager's field is a conflict, the same value is shared, what is dropped goes."""
    assert apply(api, CONFIG, config(x="1", y="1")).status_code == 200
    assert apply(api, CONFIG, config(x="2"), "c").status_code == 409
    assert apply(api, CONFIG, config(x="1", z="1"), "c").json()["data"] == {"x": "1", "y": "1", "z": "1"}
    assert apply(api, CONFIG, config()).json()["data"] == {"x": "1", "z": "1"}
    assert change(api, CONFIG, {"op": "replace", "path": "/data/x", "value": "3"}).status_code == 200
    refused = apply(api, CONFIG, config(x="1"), "c")
    assert (refused.status_code, 'conflict with "b/Update": .data.x' in refused.json()["message"]) == (409, True)


def test_a_patch_that_tests_is_refused_once_the_object_has_changed(api: httpx.Client) -> None:
    """All of its operations or none."""
    version = apply(api, CONFIG, config(x="1")).json()["metadata"]["resourceVersion"]
    tested = {"op": "test", "path": "/metadata/resourceVersion", "value": version}
    assert change(api, CONFIG, tested, {"op": "add", "path": "/data/x", "value": "2"}).status_code == 200
    assert change(api, CONFIG, tested, {"op": "add", "path": "/data/x", "value": "3"}).status_code == 422
    assert api.get(CONFIG).json()["data"] == {"x": "2"}


def test_the_same_again_changes_no_version(api: httpx.Client) -> None:
    """And trying changes nothing at all; what is not kept has no version."""
    tried = apply(api, CONFIG, config(x="1"), dryRun="All").json()
    assert ("uid" in tried["metadata"], "resourceVersion" in tried["metadata"]) == (True, False)
    first = apply(api, CONFIG, config(x="1")).json()
    assert apply(api, CONFIG, config(x="1")).json() == first
    assert apply(api, CONFIG, config(x="2"), dryRun="All").json()["data"] == {"x": "2"}
    assert api.get(CONFIG).json() == first


def test_who_deletes_says_what_was_read(api: httpx.Client) -> None:
    """A precondition that does not hold is a conflict; what belonged to the object goes with it."""
    uid = apply(api, CONFIG, config()).json()["metadata"]["uid"]
    owned = config() | {"metadata": {"ownerReferences": [{"uid": uid, "name": "one"}]}}
    assert apply(api, CONFIG.replace("one", "two"), owned).status_code == 200
    for known, status in (("other", 409), (uid, 200), (uid, 404)):
        assert api.request("DELETE", CONFIG, json={"preconditions": {"uid": known}}).status_code == status
    assert api.get(CONFIG.replace("one", "two")).status_code == 404


def test_lists_come_in_pages(api: httpx.Client) -> None:
    """By labels, where they are named."""
    for name in ("a", "b", "c"):
        body = config() | {"metadata": {"labels": {"even": str(name == "b")}}}
        apply(api, CONFIG.replace("one", name), body)
    place = CONFIG.removesuffix("/one")
    first = api.get(place, params={"limit": 2}).json()
    rest = api.get(place, params={"limit": 2, "continue": first["metadata"]["continue"]}).json()
    assert [item["metadata"]["name"] for item in first["items"] + rest["items"]] == ["a", "b", "c"]
    assert rest["metadata"]["continue"] == ""
    assert len(api.get(place, params={"labelSelector": "even=True"}).json()["items"]) == 1


def test_a_deployment_gets_its_pods_and_is_watched_until_it_is_complete(
    api: httpx.Client, world: KubernetesWorld
) -> None:
    """Late is who had no progress for its deadline; who was complete once and grows is not watched any more."""
    container = {"name": "web", "image": "registry.example/web@sha256:bad"}
    world.unpullable.add("sha256:bad")
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {}, "spec": spec}
    apply(api, DEPLOYMENT, body | {"spec": spec | {"progressDeadlineSeconds": 30}})
    assert len(api.get("/api/v1/namespaces/default/pods").json()["items"]) == 2
    assert reason(api) == "ReplicaSetUpdated"
    world.clock.sleep(30)
    assert reason(api) == "ProgressDeadlineExceeded"
    world.unpullable.clear()
    assert reason(api) == "NewReplicaSetAvailable"
    world.unpullable.add("sha256:bad")
    change(api, DEPLOYMENT, {"op": "replace", "path": "/spec/replicas", "value": 3})
    world.clock.sleep(3600)
    assert reason(api) == "NewReplicaSetAvailable"


def reason(api: httpx.Client) -> str:
    """How the Deployment gets on."""
    return str(api.get(DEPLOYMENT).json()["status"]["conditions"][0]["reason"])


@pytest.mark.parametrize("token", ["", "Bearer wrong"])
def test_nobody_comes_in_without_the_token(api: httpx.Client, token: str) -> None:
    assert api.get(CONFIG, headers={"Authorization": token}).status_code == 401
