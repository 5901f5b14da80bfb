"""The API of a KubernetesWorld on loopback: get, list, server-side apply, JSON patch, delete and logs."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml  # type: ignore[import-untyped]  # it ships no types

from shipline.testing.fakes.kubernetes.custom import check_patch
from shipline.testing.fakes.kubernetes.objects import Key, Refused
from shipline.testing.fakes.kubernetes.world import NAMESPACE, PODS, KubernetesWorld
from shipline.testing.fakes.loopback import LoopbackServer

TOKEN = "fake-cluster-token"  # noqa: S105 - opens nothing but this fake
BODY_BYTES_MAX = 4 << 20
APIS = (
    "apps/v1",
    "autoscaling/v1",
    "gateway.networking.k8s.io/v1",
    "argoproj.io/v1alpha1",
    "flagger.app/v1beta1",
)
# Kinds whose status is a subresource of its own, as far as anybody writes one here.
WITH_STATUS = frozenset({"rollouts", "canaries"})
PATH = re.compile(
    r"/(?:api/v1|apis/(?P<api>[a-z0-9./]+))/namespaces/(?P<namespace>[a-z0-9-]+)"
    r"/(?P<plural>[a-z]+)(?:/(?P<name>[a-z0-9.-]+)(?P<part>/log|/status)?)?"
)


class KubernetesServer(LoopbackServer):
    """An API server. `requests` lists method and path of all that came.

    `before` is called with these before each request is carried out, so that a test can let others act in between.
    `down` answers all with 503, `lost_answers` is how many changes are carried out and then answered with 502, and
    `forbidden` are the methods and plurals that the account may not use, `apis` those that are installed beside `v1`.
    """

    def __init__(self, world: KubernetesWorld) -> None:
        self.world = world
        self.before: Callable[[str, str], None] = lambda _method, _path: None
        self.down = False
        self.lost_answers = 0
        self.forbidden: set[tuple[str, str]] = set()
        self.apis = set(APIS)
        self.requests: list[tuple[str, str]] = []
        self._lock = threading.RLock()
        super().__init__(self._handler_class())

    def write_kubeconfig(self, path: Path, **user: str) -> Path:
        """A kubeconfig file for it, with a token or what else is named."""
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "fake",
            "contexts": [{"name": "fake", "context": {"cluster": "here", "user": "me", "namespace": NAMESPACE}}],
            "clusters": [{"name": "here", "cluster": {"server": self.url}}],
            "users": [{"name": "me", "user": user or {"token": TOKEN}}],
        }
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return path

    def _handler_class(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                content = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), BODY_BYTES_MAX))
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                kind = self.headers.get("Content-Type", "")
                status, body = outer._answer(self.command, self.path, token, kind, content)
                data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/plain" if isinstance(body, str) else "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815 - the names of http.server

            def log_message(self, *_: object) -> None:
                """Quiet: what came is in `requests`."""

        return Handler

    def _answer(self, method: str, target: str, token: str, kind: str, content: bytes) -> tuple[int, Any]:
        parts = urlsplit(target)
        self.before(method, parts.path)
        with self._lock:
            self.requests.append((method, parts.path))
            try:
                found = self._admitted(method, parts.path, token)
                self.world.settle()
                body = self._carry_out(method, found, dict(parse_qsl(parts.query)), kind, content)
                self.world.settle()
            except Refused as refused:
                return refused.status, _status(refused)
            if method != "GET" and self.lost_answers > 0:
                self.lost_answers -= 1
                return 502, "Bad Gateway"
            return 200, body

    def _admitted(self, method: str, path: str, token: str) -> re.Match[str]:
        if self.down:
            raise Refused(503, "ServiceUnavailable", "the server is currently unable to handle the request")
        if token != TOKEN:
            raise Refused(401, "Unauthorized", "Unauthorized")
        found = PATH.fullmatch(path)
        if found is None or (found["api"] is not None and found["api"] not in self.apis):
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        if (method, found["plural"]) in self.forbidden:
            raise Refused(403, "Forbidden", f'{found["plural"]} is forbidden: User "me" cannot {method.lower()} it')
        return found

    def _carry_out(self, method: str, found: re.Match[str], query: dict[str, str], kind: str, content: bytes) -> Any:
        objects = self.world.objects
        key: Key = (found["plural"], found["namespace"], found["name"] or "")
        if method == "GET" and found["part"] == "/log":
            return self.world.log(objects.must_get((PODS, key[1], key[2])))
        if method == "GET":
            return objects.must_get(key) if key[2] else self._list(key, query)
        if method == "DELETE":
            objects.delete(key, json.loads(content or b"{}").get("preconditions", {}))
            return {"kind": "Status", "status": "Success"}
        if method != "PATCH" or query.get("fieldValidation") != "Strict" or not query.get("fieldManager"):
            raise Refused(405, "MethodNotAllowed", "this model takes strict patches with a field manager only")
        dry_run = query.get("dryRun") == "All"
        if kind == "application/json-patch+json":
            part = (found["part"] or "").removeprefix("/") if key[0] in WITH_STATUS else None
            operations = json.loads(content)
            check_patch(key[0], operations)
            return objects.patch(key, operations, manager=query["fieldManager"], dry_run=dry_run, part=part)
        body = json.loads(content)
        return objects.apply(key, body, manager=query["fieldManager"], now=self.world.now(), dry_run=dry_run)

    def _list(self, key: Key, query: dict[str, str]) -> dict[str, Any]:
        """A page of objects; `continue` is how many came before it."""
        labels = dict(part.split("=", 1) for part in query.get("labelSelector", "").split(",") if part)
        items = self.world.objects.listed(key[0], key[1], labels)
        start, size = int(query.get("continue", "0")), int(query.get("limit", "500"))
        more = str(start + size) if len(items) > start + size else ""
        return {"kind": "List", "metadata": {"continue": more}, "items": items[start : start + size]}


def _status(refused: Refused) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": refused.message,
        "reason": refused.reason,
        "code": refused.status,
    }
