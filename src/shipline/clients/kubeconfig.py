"""How a Kubernetes API server is reached: a kubeconfig file and one of its contexts, or the account of the pod.

Sources: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ and, for the pod,
https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ (version 1.34).

Taken are certificates and tokens. A program that the file names (exec plug-ins, auth providers) is not run: whoever may
write the file would run programs here. What turns the check of the server off is refused, as are names that nobody here
knows where they are set to something.
"""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shipline.clients.confidential import WHY, is_confidential
from shipline.clients.yaml_documents import read_documents
from shipline.domain.errors import ConfigurationError, ShiplineError

FILE_BYTES_MAX = 1 << 20
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
CLUSTER_KEYS = frozenset(
    {"server", "certificate-authority", "certificate-authority-data", "extensions", "disable-compression"}
)
USER_KEYS = frozenset(
    {"client-certificate", "client-certificate-data", "client-key", "client-key-data", "token", "tokenFile"}
    | {"extensions"}
)
WAY_OUT = "give the account a token or a client certificate of its own, and name that in a kubeconfig for Shipline"


@dataclass(frozen=True, slots=True)
class Access:
    """Where the server is, and as whom.

    `server` is its address without a slash at the end, `namespace` the one of the context ("default" where it names
    none). `authority`, `certificate` and `key` are PEM; None for the machine's authorities, and for nobody.
    `token_file` is read for each request: tokens of pods are renewed.
    """

    server: str
    namespace: str
    authority: bytes | None = field(default=None, repr=False)
    certificate: bytes | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)
    token: str = field(default="", repr=False)
    token_file: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what would send credentials in the clear."""
        parts = urlsplit(self.server)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ConfigurationError("the server of a cluster is no http or https address")
        if not is_confidential(self.server):
            raise ConfigurationError(f"the server {parts.hostname} is not asked over http", why=WHY)

    def bearer(self) -> str:
        """The token, "" for none. ShiplineError where its file cannot be read."""
        if self.token_file is None:
            return self.token
        token = _read(self.token_file, "the token of the account").decode("ascii", "replace").strip()
        if not token.isprintable() or not token.isascii() or token == "":
            raise ShiplineError(f"{self.token_file} holds no token")
        return token

    def tls(self) -> ssl.SSLContext:
        """What checks the server, and shows it who asks. ShiplineError for PEM that is none."""
        if self.server.startswith("http://"):
            return ssl.SSLContext(
                ssl.PROTOCOL_TLS_CLIENT
            )  # Trusts nobody; reading the machine's authorities takes time.
        try:
            text = None if self.authority is None else self.authority.decode("ascii")
            context = ssl.create_default_context(cadata=text)
            if self.certificate is not None and self.key is not None:
                _load(context, self.certificate + b"\n" + self.key)
        except (ssl.SSLError, ValueError):
            raise ShiplineError(
                "the certificates of the kubeconfig cannot be read", todo="they are PEM; the key has no password"
            ) from None
        return context


def find_access(kubeconfig: str, context: str) -> Access:
    """The access that a kubeconfig file gives, by `context` ("" is its current one).

    With `kubeconfig` "" it is the file that KUBECONFIG names, else `.kube/config` of the user's home, else the account
    of the pod. ConfigurationError where there is none, or it needs what is refused here.
    """
    named = kubeconfig or os.environ.get("KUBECONFIG", "")
    home = Path.home() / ".kube" / "config"
    if named and os.pathsep in named:
        raise ConfigurationError(
            "KUBECONFIG names several files", todo="name one: kubectl config view --flatten writes it"
        )
    if named or home.is_file():
        return read_access(Path(named).expanduser() if named else home, context)
    if "KUBERNETES_SERVICE_HOST" in os.environ and not context:
        return pod_access(os.environ, ACCOUNT)
    raise ConfigurationError(
        "no kubeconfig is there", todo="name it: `kubeconfig` in the table, or the variable KUBECONFIG"
    )


def pod_access(environment: Mapping[str, str], account: Path) -> Access:
    """The access of the pod that this runs in."""
    host, port = environment["KUBERNETES_SERVICE_HOST"], environment.get("KUBERNETES_SERVICE_PORT", "443")
    shown = f"[{host}]" if ":" in host else host
    return Access(
        server=f"https://{shown}:{port}",
        namespace=_read(account / "namespace", "the account of the pod").decode("utf-8", "replace").strip(),
        authority=_read(account / "ca.crt", "the account of the pod"),
        token_file=account / "token",
    )


def read_access(path: Path, context: str) -> Access:
    """The access that one file gives. ConfigurationError names what is missing or refused."""
    documents = read_documents(_read(path, "the kubeconfig"), what=f"{path}", limit_bytes=FILE_BYTES_MAX)
    if len(documents) != 1:
        raise ConfigurationError(f"{path} is no kubeconfig")
    document = documents[0]
    chosen = context or _text(document, "current-context", path)
    if not chosen:
        raise ConfigurationError(f"{path} has no current context", todo="name one: `context` in the table")
    where = _named(document, "context", chosen, path)
    cluster = _named(document, "cluster", _text(where, "cluster", path), path)
    user = _named(document, "user", _text(where, "user", path), path) if where.get("user") else {}
    _check(cluster, CLUSTER_KEYS, f"cluster of context {chosen}")
    _check(user, USER_KEYS, f"user of context {chosen}")
    token_file = _text(user, "tokenFile", path)
    return Access(
        server=_text(cluster, "server", path).rstrip("/"),
        namespace=_text(where, "namespace", path) or "default",
        authority=_pem(cluster, "certificate-authority", path),
        certificate=_pem(user, "client-certificate", path),
        key=_pem(user, "client-key", path),
        token="" if token_file else _text(user, "token", path),
        token_file=path.parent / token_file if token_file else None,
    )


def _named(document: dict[str, Any], kind: str, name: str, path: Path) -> dict[str, Any]:
    listed = document.get(f"{kind}s")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    found = next((entry.get(kind) for entry in entries if entry.get("name") == name), None)
    if not isinstance(found, dict):
        known = ", ".join(str(entry.get("name"))[:60] for entry in entries[:20]) or "none"
        raise ConfigurationError(f"{path} has no {kind} {name[:80]!r}", todo=f"known ones: {known}")
    return found


def _check(table: dict[str, Any], known: frozenset[str], what: str) -> None:
    refused = next((name for name, value in table.items() if name not in known and value not in (None, False, "")), "")
    if refused:
        raise ConfigurationError(f"the {what} has {refused!r}, which Shipline does not do", todo=WAY_OUT)


def _text(table: dict[str, Any], name: str, path: Path) -> str:
    value = table.get(name) or ""
    if not isinstance(value, str) or not value.isprintable():
        raise ConfigurationError(f"{path}: {name} is no text")
    return value


def _pem(table: dict[str, Any], name: str, path: Path) -> bytes | None:
    """What stands in the file, or in a file that it names, seen from its folder. The data goes before the file."""
    data, file = _text(table, f"{name}-data", path), _text(table, name, path)
    if data:
        try:
            return base64.b64decode(data, validate=True)
        except ValueError:
            raise ConfigurationError(f"{path}: {name}-data is not base64") from None
    return _read(path.parent / file, name) if file else None


def _read(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigurationError(f"{what} cannot be read: {path}", why=error.strerror or "") from None


def _load(context: ssl.SSLContext, pem: bytes) -> None:
    """Python loads a certificate from a file alone: it is there for that moment, and for this user only."""
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name, password=lambda: "")
