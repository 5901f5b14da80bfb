"""`shipline policy webhook`: manifests that a cluster takes, by a certificate that it trusts."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it ships no types
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from shipline.clients.kubernetes_schemas import schema_problem
from shipline.testing.fakes.signer import MemorySigner
from tests.apps.admission.test_admission import LABEL
from tests.certificates import certificate
from tests.command import run_shipline

ARGUMENTS = (
    "policy",
    "webhook",
    "--image",
    "registry.example/shipline:1",
    "--set",
    "baseline",
    "--set",
    "signed-images",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "p.yaml").write_text(LABEL)
    (tmp_path / "team.pub").write_text(MemorySigner(1).public_key_pem())
    return tmp_path


def printed(folder: Path, *more: str) -> dict[str, dict[str, Any]]:
    said = run_shipline(folder, *ARGUMENTS, "--policy", "policies", "--key", "team.pub", *more)
    assert said.code == 0, said
    return {each["kind"]: each for each in yaml.safe_load_all(said.out)}


def test_a_cluster_takes_them_and_they_hold_to_what_they_ask_of_others(folder: Path) -> None:
    """By the schemas of Kubernetes; an account that may do nothing; asked about what policies are about."""
    found = printed(folder)
    assert {kind: schema_problem(each) for kind, each in found.items()} == dict.fromkeys(found, "")
    assert not {"ClusterRole", "Role"} & set(found)
    (folder / "all.yaml").write_text(yaml.safe_dump_all(found.values()))
    assert run_shipline(folder, "policy", "check", "--set", "baseline", "--resources", "all.yaml").code == 0
    (hook,) = found["ValidatingWebhookConfiguration"]["webhooks"]
    assert (hook["failurePolicy"], hook["timeoutSeconds"], hook["sideEffects"]) == ("Fail", 5, "None")
    assert hook["namespaceSelector"]["matchExpressions"][0]["values"] == ["kube-system", "shipline-admission"]
    names = {name for rule in hook["rules"] for name in rule["resources"]}
    assert names >= {"pods", "pods/ephemeralcontainers", "deployments", "configmaps"}
    assert "*/*" not in names
    command = found["Deployment"]["spec"]["template"]["spec"]["containers"][0]["command"]
    assert set(found["ConfigMap"]["data"]) == {"p.yaml", "key-0.pub"}
    assert command[-2:] == ["--key", "/etc/shipline/policies/key-0.pub"]


def test_who_looks_up_may_read_that_and_nothing_else(folder: Path) -> None:
    """Namespaces one by one, and pods."""
    found = printed(folder, "--cluster")
    assert [(rule["resources"], rule["verbs"]) for rule in found["ClusterRole"]["rules"]] == [
        (["namespaces"], ["get"]),
        (["pods"], ["list"]),
    ]
    assert found["ClusterRoleBinding"]["subjects"][0]["namespace"] == "shipline-admission"
    pod = found["Deployment"]["spec"]["template"]["spec"]
    assert (pod["automountServiceAccountToken"], "--cluster" in pod["containers"][0]["command"]) == (True, True)
    assert {kind: schema_problem(each) for kind, each in found.items()} == dict.fromkeys(found, "")


def test_the_certificate_is_the_service_s_and_the_cluster_trusts_it(folder: Path) -> None:
    """By an authority that can issue nothing else."""
    found = printed(folder, "--namespace", "guards", "--fail", "open")
    (hook,) = found["ValidatingWebhookConfiguration"]["webhooks"]
    assert hook["failurePolicy"] == "Ignore"
    pair = found["Secret"]["stringData"]
    leaf = x509.load_pem_x509_certificate(pair["tls.crt"].encode())
    authority = x509.load_pem_x509_certificate(base64.b64decode(hook["clientConfig"]["caBundle"]))
    service = hook["clientConfig"]["service"]
    name = x509.DNSName(f"{service['name']}.{service['namespace']}.svc")
    assert service["namespace"] == "guards"
    assert load_pem_private_key(pair["tls.key"].encode(), None).public_key() == leaf.public_key()
    leaf.verify_directly_issued_by(authority)
    stated = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert name.value in stated.get_values_for_type(x509.DNSName)
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days == 365


def test_a_certificate_of_others_is_left_to_them(folder: Path) -> None:
    """Their authority is trusted, and no Secret is written."""
    pem, _ = certificate()
    (folder / "ca.pem").write_bytes(pem)
    found = printed(folder, "--ca", "ca.pem")
    assert "Secret" not in found
    hook = found["ValidatingWebhookConfiguration"]["webhooks"][0]
    assert base64.b64decode(hook["clientConfig"]["caBundle"]) == pem


def test_policies_that_cannot_be_asked_are_not_printed(folder: Path) -> None:
    """They would keep the webhook from starting."""
    (folder / "policies" / "p.yaml").write_text(LABEL.replace("pattern:", "podSecurity: {}, pattern:"))
    said = run_shipline(folder, *ARGUMENTS, "--policy", "policies", "--key", "team.pub")
    assert (said.code, said.out, "podSecurity" in said.err) == (3, "", True), said
