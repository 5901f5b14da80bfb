"""A real control plane on loopback: etcd, kube-apiserver and kube-controller-manager, with accounts and RBAC."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml  # type: ignore[import-untyped]  # it ships no types

from tests.certificates import certificate
from tests.machine import free_port, wait_until

BIN = Path(__file__).parents[2] / ".cache" / "kube" / "bin"
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager")
ADMIN, SHIPLINE = "admin-of-tests", "shipline-of-tests"
LOG_SHOWN = 1500


class ControlPlaneMissing(Exception):
    """The programs are not here. Says what brings them."""


@dataclass(frozen=True)
class ControlPlane:
    """A running one. `pem` holds the certificate of its API server and its key."""

    folder: Path
    url: str
    pem: Path
    api: httpx.Client

    def kubeconfig(self, name: str, token: str) -> Path:
        """A file for who has this token."""
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "tests",
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": name}}],
            "clusters": [{"name": "tests", "cluster": {"server": self.url, "certificate-authority": str(self.pem)}}],
            "users": [{"name": name, "user": {"token": token}}],
        }
        path = self.folder / f"{name}.kubeconfig"
        path.write_text(yaml.safe_dump(document))
        return path

    def create(self, path: str, body: dict[str, Any]) -> None:
        """POST as the administrator."""
        answer = self.api.post(path, json=body)
        assert answer.is_success, answer.text


@contextmanager
def control_plane(folder: Path) -> Iterator[ControlPlane]:
    """Start all three, and end them with the block. ControlPlaneMissing where they are not built."""
    if not all((BIN / program).exists() for program in PROGRAMS):
        raise ControlPlaneMissing("there is no API server here (make test-k8s builds it)")
    (pem, key), port = certificate(), free_port()
    (folder / "server.pem").write_bytes(pem + key)
    (folder / "tokens.csv").write_text(
        f'{ADMIN},admin,admin,"system:masters"\n{SHIPLINE},shipline,shipline,"shipline"\n'
    )
    client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    etcd = [str(BIN / "etcd"), f"--data-dir={folder / 'etcd'}", f"--listen-client-urls={client}"]
    etcd += [f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}", "--unsafe-no-fsync"]
    url = f"https://127.0.0.1:{port}"
    headers = {"Authorization": f"Bearer {ADMIN}"}
    with _running(etcd, folder), _running(_server(folder, client, port), folder):
        trust = ssl.create_default_context(cafile=folder / "server.pem")
        with httpx.Client(base_url=url, headers=headers, verify=trust, timeout=30) as api:
            plane = ControlPlane(folder, url, folder / "server.pem", api)
            wait_until(lambda: _is_ready(api), f"the API server: {_log(folder, 'kube-apiserver')}")
            with _running(_controllers(plane), folder):
                yield plane


def _server(folder: Path, etcd: str, port: int) -> list[str]:
    pem = folder / "server.pem"
    return [
        str(BIN / "kube-apiserver"),
        f"--etcd-servers={etcd}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        f"--tls-cert-file={pem}",
        f"--tls-private-key-file={pem}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--disable-admission-plugins=ServiceAccount",
        f"--service-account-key-file={pem}",
        f"--service-account-signing-key-file={pem}",
        "--service-account-issuer=https://tests.example",
        "--service-cluster-ip-range=10.0.0.0/16",
    ]


def _controllers(plane: ControlPlane) -> list[str]:
    return [
        str(BIN / "kube-controller-manager"),
        f"--kubeconfig={plane.kubeconfig('admin', ADMIN)}",
        "--controllers=deployment,replicaset,garbagecollector",
        "--leader-elect=false",
        "--port=0",
        "--secure-port=0",
    ]


def _is_ready(api: httpx.Client) -> bool:
    try:
        return api.get("/readyz").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _log(folder: Path, name: str) -> str:
    path = folder / f"{name}.log"
    return path.read_text(errors="replace")[-LOG_SHOWN:] if path.exists() else ""


@contextmanager
def _running(command: list[str], folder: Path) -> Iterator[None]:
    with (folder / f"{Path(command[0]).name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.kill()
            process.wait()
