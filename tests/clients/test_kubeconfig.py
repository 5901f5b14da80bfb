"""Kubeconfig files: what is taken from them, and what is refused."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # it ships no types

from shipline.clients.kubeconfig import Access, find_access, pod_access, read_access
from shipline.domain.errors import ConfigurationError, ShiplineError
from tests.certificates import certificate

SECRET = "a-secret-token"


def write(folder: Path, cluster: dict[str, object] | None = None, user: dict[str, object] | None = None) -> Path:
    """A kubeconfig with two contexts."""
    document = {
        "current-context": "one",
        "contexts": [
            {"name": "one", "context": {"cluster": "c", "user": "u"}},
            {"name": "two", "context": {"cluster": "c", "user": "u", "namespace": "shop"}},
        ],
        "clusters": [{"name": "c", "cluster": {"server": "https://k.example:6443/"} | (cluster or {})}],
        "users": [{"name": "u", "user": {"token": SECRET} if user is None else user}],
    }
    path = folder / "config"
    path.write_text(yaml.safe_dump(document))
    return path


def test_a_context_says_where_and_as_whom(tmp_path: Path) -> None:
    """The current one, or the one that is named."""
    path = write(tmp_path)
    one, two = read_access(path, ""), read_access(path, "two")
    assert (one.server, one.namespace, one.bearer()) == ("https://k.example:6443", "default", SECRET)
    assert two.namespace == "shop"
    assert SECRET not in repr(one)


def test_certificates_are_data_or_files_beside_it(tmp_path: Path) -> None:
    """And make the connection's context; the key's password is nobody's to type."""
    pem, key = certificate()
    (tmp_path / "ca.pem").write_bytes(pem)
    user: dict[str, object] = {"client-certificate-data": base64.b64encode(pem).decode(), "client-key": "key.pem"}
    (tmp_path / "key.pem").write_bytes(key)
    access = read_access(write(tmp_path, {"certificate-authority": "ca.pem"}, user), "")
    assert access.tls().verify_mode is ssl.CERT_REQUIRED
    assert len(access.tls().get_ca_certs()) == 1
    broken = Access("https://k.example", "default", authority=b"no PEM")
    with pytest.raises(ShiplineError, match="cannot be read"):
        broken.tls()


def test_a_token_s_file_is_read_each_time(tmp_path: Path) -> None:
    """Tokens of pods are renewed."""
    path = write(tmp_path, user={"tokenFile": "token"})
    access = read_access(path, "")
    for token in ("first", "second"):
        (tmp_path / "token").write_text(f"{token}\n")
        assert access.bearer() == token
    (tmp_path / "token").write_text("a\nb")
    with pytest.raises(ShiplineError, match="holds no token"):
        access.bearer()


@pytest.mark.parametrize(
    "user",
    [
        {"exec": {"command": "touch", "args": ["here"]}},
        {"auth-provider": {"name": "gcp"}},
        {"username": "me", "password": "pass"},
        {"token": SECRET, "as": "somebody"},
        {"token": SECRET, "new-thing": 1},
    ],
)
def test_what_is_not_done_is_refused_in_words(tmp_path: Path, user: dict[str, object]) -> None:
    """No program is run, nobody is impersonated, no secret is shown."""
    with pytest.raises(ConfigurationError, match="does not do") as caught:
        read_access(write(tmp_path, user=user), "")
    assert SECRET not in caught.value.diagnosis()
    assert "pass'" not in caught.value.diagnosis()


@pytest.mark.parametrize(
    "cluster", [{"insecure-skip-tls-verify": True}, {"proxy-url": "http://p.example"}, {"tls-server-name": "x"}]
)
def test_the_server_is_always_checked(tmp_path: Path, cluster: dict[str, object]) -> None:
    """Whatever the file says."""
    with pytest.raises(ConfigurationError, match="does not do"):
        read_access(write(tmp_path, cluster), "")


@pytest.mark.parametrize("server", ["http://k.example", "ftp://k.example", "https://u:p@k.example", "", "k.example"])
def test_credentials_go_over_https_alone(tmp_path: Path, server: str) -> None:
    """But on this machine."""
    with pytest.raises(ConfigurationError):
        read_access(write(tmp_path, {"server": server}), "")
    assert read_access(write(tmp_path, {"server": "http://127.0.0.1:1"}), "").server == "http://127.0.0.1:1"


def test_an_unknown_context_lists_the_known(tmp_path: Path) -> None:
    """So that the right one can be picked."""
    with pytest.raises(ConfigurationError) as caught:
        read_access(write(tmp_path), "three")
    assert "one, two" in caught.value.todo


def test_which_file_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting, the variable, the home, the pod, in this order."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ConfigurationError, match="no kubeconfig"):
        find_access("", "")
    path = write(tmp_path)
    assert find_access(str(path), "two").namespace == "shop"
    monkeypatch.setenv("KUBECONFIG", str(path))
    assert find_access("", "").namespace == "default"
    monkeypatch.setenv("KUBECONFIG", f"{path}:{path}")
    with pytest.raises(ConfigurationError, match="several files"):
        find_access("", "")
    monkeypatch.delenv("KUBECONFIG")
    (tmp_path / ".kube").mkdir()
    path.rename(tmp_path / ".kube" / "config")
    assert find_access("", "").bearer() == SECRET


def test_a_pod_uses_its_own_account(tmp_path: Path) -> None:
    """Also where the cluster's network is IPv6."""
    pem, _ = certificate()
    for name, content in {"namespace": b"shop\n", "ca.crt": pem, "token": b"pod-token"}.items():
        (tmp_path / name).write_bytes(content)
    access = pod_access({"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}, tmp_path)
    assert (access.server, access.namespace, access.bearer()) == ("https://[fd00::1]:443", "shop", "pod-token")
