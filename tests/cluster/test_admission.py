"""`shipline up --admission` as a real API server asks it: what is refused, what is let in, and what it says.

`make test-k8s` runs this.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shipline.clients.oci_layout import open_layout
from shipline.clients.oci_registry import OCIClient
from tests.apps.admission.test_admission import serving
from tests.cluster.control_plane import ADMIN, ControlPlane
from tests.command import run_shipline
from tests.images import make_layout
from tests.machine import PATIENCE_S, wait_until
from tests.registries import RegistryMissing, docker_registry_in

pytestmark = pytest.mark.cluster

HOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
POLICIES = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-latest}
spec:
  matchConstraints:
    resourceRules:
      - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}
  validations:
    - expression: "object.spec.containers.all(c, !c.image.endsWith(':latest'))"
      messageExpression: "'latest is for nobody, ' + request.userInfo.username"
---
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: kept}
spec:
  validationFailureAction: Enforce
  rules:
    - name: delete
      match: {any: [{resources: {kinds: [ConfigMap], operations: [DELETE]}}]}
      validate:
        message: "it is kept"
        deny: {conditions: {any: [{key: "{{ request.oldObject.data.keep || '' }}", operator: Equals, value: "yes"}]}}
    - name: exec
      match: {any: [{resources: {kinds: [Pod/exec]}}]}
      validate: {message: "nobody goes in", deny: {}}
---
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: labelled}
spec:
  rules:
    - name: team
      match:
        any:
          - resources:
              kinds: [ConfigMap]
              operations: [CREATE]
              namespaceSelector: {matchExpressions: [{key: asked, operator: Exists}]}
      validate: {message: "name a team", pattern: {metadata: {labels: {team: "?*"}}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: frozen}
spec:
  matchConstraints:
    resourceRules:
      - {apiGroups: [""], apiVersions: [v1], operations: [UPDATE], resources: [configmaps]}
  validations:
    - expression: "object.data == oldObject.data"
      message: "data stay as they are"
"""


class Cluster:
    """A namespace that a webhook is asked about."""

    def __init__(self, plane: ControlPlane, name: str) -> None:
        self.api, self.name = plane.api, name
        plane.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": {"asked": name}}})

    def ask(self, address: str, ca: bytes, *, rules: list[dict[str, Any]], fail: str = "Fail") -> None:
        """Let the API server ask there, and wait until it does."""
        hook = {
            "name": f"{self.name}.shipline.dev",
            "admissionReviewVersions": ["v1"],
            "clientConfig": {"url": f"{address}/validate", "caBundle": base64.b64encode(ca).decode()},
            "rules": rules,
            "namespaceSelector": {"matchLabels": {"asked": self.name}},
            "sideEffects": "None",
            "timeoutSeconds": 10,
            "failurePolicy": fail,
        }
        self.api.delete(f"{HOOKS}/{self.name}")
        body = {"metadata": {"name": self.name}, "webhooks": [hook]}
        answer = self.api.post(HOOKS, json={"apiVersion": "admissionregistration.k8s.io/v1", **body})
        assert answer.is_success, answer.text

    def create(self, plural: str, body: dict[str, Any]) -> httpx.Response:
        return self.api.post(f"/api/v1/namespaces/{self.name}/{plural}", json=body)

    def pod(self, image: str, *, dry: bool = False) -> httpx.Response:
        body = {"metadata": {"generateName": "p-"}, "spec": {"containers": [{"name": "a", "image": image}]}}
        path = f"/api/v1/namespaces/{self.name}/pods" + ("?dryRun=All" if dry else "")
        return self.api.post(path, json=body)

    def close(self) -> None:
        self.api.delete(f"{HOOKS}/{self.name}")


def rules_of(folder: Path, *options: str) -> list[dict[str, Any]]:
    """Those that `shipline policy webhook` prints."""
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - it ships no types

    said = run_shipline(folder, "policy", "webhook", "--image", "a.example/b:1", *options)
    assert said.code == 0, said
    rules: list[dict[str, Any]] = list(yaml.safe_load_all(said.out))[-1]["webhooks"][0]["rules"]
    return rules


@pytest.fixture
def cluster(plane: ControlPlane, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(plane, f"asked-{tmp_path.name.replace('_', '-')[-30:].strip('-')}")
    yield made
    made.close()


def test_policies_refuse_and_warn_and_their_words_reach_who_asks(
    cluster: Cluster, plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CREATE, UPDATE with what was there, DELETE, CONNECT; an audit warns. The rules that are printed will do."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "p.yaml").write_text(POLICIES)
    rules = rules_of(tmp_path, "--policy", "policies")
    monkeypatch.setenv("KUBECONFIG", str(plane.kubeconfig("admin", ADMIN)))
    with serving(tmp_path, "--cluster") as (_, address):
        cluster.ask(address, (tmp_path / "tls.crt").read_bytes(), rules=rules)
        wait_until(lambda: cluster.pod("nginx:latest", dry=True).status_code == 403, "the webhook to be asked")
        refused = cluster.pod("nginx:latest")
        assert "no-latest: latest is for nobody, admin" in refused.json()["message"]
        pod = cluster.pod("nginx:1.2")
        assert pod.status_code == 201, pod.text
        made = cluster.create("configmaps", {"metadata": {"name": "c"}, "data": {"keep": "yes"}})
        assert (made.status_code, "labelled/team: name a team" in made.headers["Warning"]) == (201, True)
        place = f"/api/v1/namespaces/{cluster.name}/configmaps/c"
        changed = {**made.json(), "data": {"keep": "no"}}
        assert "data stay as they are" in cluster.api.put(place, json=changed).json()["message"]
        assert "it is kept" in cluster.api.delete(place).json()["message"]
        inside = f"/api/v1/namespaces/{cluster.name}/pods/{pod.json()['metadata']['name']}/exec?command=sh"
        assert "nobody goes in" in cluster.api.post(inside).json()["message"]


def test_signed_images_are_let_in_and_others_are_not(cluster: Cluster, tmp_path: Path) -> None:
    """By digest; the key that is trusted decides."""
    (tmp_path / "policies").mkdir()
    key = ec.derive_private_key(7, ec.SECP256R1())
    (tmp_path / "own.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "own.key").chmod(0o600)
    try:
        with docker_registry_in(tmp_path / "registry") as served:
            host = served.url.removeprefix("http://")
            images = []
            for name in ("good", "bad"):
                with open_layout(make_layout(tmp_path / name, content=name, platforms=("amd64",))) as layout:
                    images.append(f"{host}/team/{name}@{OCIClient(served.url, f'team/{name}', 10.0).push(layout)}")
            assert run_shipline(tmp_path, "sign", images[0], "--key", "own.key").code == 0
            options = ("--set", "signed-images", "--key", "own.key.pub")
            rules = rules_of(tmp_path, *options)
            with serving(tmp_path, *options) as (_, address):
                cluster.ask(address, (tmp_path / "tls.crt").read_bytes(), rules=rules)
                wait_until(lambda: cluster.pod(images[1], dry=True).status_code == 403, "the webhook to be asked")
                refused = cluster.pod(images[1]).json()["message"]
                assert "shipline-signed-images/signed" in refused
                assert "there is no signature" in refused
                assert cluster.pod(images[0]).status_code == 201
                assert "name it by its digest" in cluster.pod(f"{host}/team/good:1.0").json()["message"]
                served.stop()
                assert cluster.pod(images[0]).status_code == 201, "it was proven before"
    except RegistryMissing as missing:
        pytest.skip(str(missing))


def test_a_webhook_that_is_away_refuses_or_is_passed_over_as_it_is_set(cluster: Cluster, tmp_path: Path) -> None:
    """`failurePolicy` is the cluster's own half of failing closed or open."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "p.yaml").write_text(POLICIES)
    rules = rules_of(tmp_path, "--policy", "policies")
    with serving(tmp_path) as (process, address):
        cluster.ask(address, (tmp_path / "tls.crt").read_bytes(), rules=rules)
        wait_until(lambda: cluster.pod("nginx:latest", dry=True).status_code == 403, "the webhook to be asked")
        process.terminate()
        process.wait(PATIENCE_S)
    away = cluster.pod("nginx:1.2")
    assert (away.status_code, "failed calling webhook" in away.text) == (500, True)
    cluster.ask(address, (tmp_path / "tls.crt").read_bytes(), rules=rules, fail="Ignore")
    wait_until(lambda: cluster.pod("nginx:latest", dry=True).status_code == 201, "the webhook to be passed over")


def test_the_manifests_that_are_printed_are_taken(plane: ControlPlane, tmp_path: Path) -> None:
    """By the API server itself, all but what it is too old for."""
    import yaml  # noqa: PLC0415 - as above

    said = run_shipline(tmp_path, "policy", "webhook", "--image", "a.example/b:1", "--set", "baseline")
    plurals = {
        "ServiceAccount": "/api/v1/namespaces/default/serviceaccounts",
        "ConfigMap": "/api/v1/namespaces/default/configmaps",
        "Secret": "/api/v1/namespaces/default/secrets",
        "Deployment": "/apis/apps/v1/namespaces/default/deployments",
        "Service": "/api/v1/namespaces/default/services",
        "ValidatingWebhookConfiguration": HOOKS,
    }
    for document in yaml.safe_load_all(said.out):
        if document["kind"] in plurals:
            document["metadata"].pop("namespace", None)
            answer = plane.api.post(f"{plurals[document['kind']]}?dryRun=All", json=json.loads(json.dumps(document)))
            assert answer.is_success, (document["kind"], answer.text)
