"""Speak to a Kubernetes API server: objects as plain tables, by server-side apply and by patches that test.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/ and .../server-side-apply/ (version 1.34).

Objects are begun by server-side apply (field manager `shipline`, strict field validation): the server refuses names
that it does not know, and fields that another manager holds. What two engines may change at once is changed by a JSON
patch that tests the resource version that was read. Nothing is retried. Answers are bounded in size, number and time.
Errors show what the server said, on one line, and no header.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import httpx

from shipline.clients.deadlines import deadline
from shipline.clients.kubeconfig import Access
from shipline.domain.errors import ConflictError, InvalidValue, RefusedError, ShiplineError, UnavailableError
from shipline.domain.strict_json import read_json

ANSWER_BYTES_MAX = 16 << 20
COMPLAINT_LENGTH_MAX = 500
PAGE_SIZE = 250
OBJECTS_MAX = 5000
ATTEMPTS_MAX = 10
MANAGER = "shipline"
# From: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ (DNS labels)
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
Operation = Mapping[str, Any]
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of object as paths name it: `api` is `v1` or `group/version`, `plural` the last word of the path."""

    api: str
    kind: str
    plural: str

    def path(self, namespace: str, name: str = "", *, part: str = "") -> str:
        """Where the objects of a namespace are, or one of them, or a subresource of it. InvalidValue: no name."""
        for each in (namespace, *([name] if name else [])):
            if not NAME.fullmatch(each):
                raise InvalidValue(f"{each[:80]!r} is not the name of an object in Kubernetes")
        root = "/api" if "/" not in self.api else "/apis"
        return "/".join((root, self.api, "namespaces", namespace, self.plural, *filter(None, (name, part))))


CONFIG_MAPS = Resource("v1", "ConfigMap", "configmaps")
SECRETS = Resource("v1", "Secret", "secrets")
SERVICES = Resource("v1", "Service", "services")
PODS = Resource("v1", "Pod", "pods")
DEPLOYMENTS = Resource("apps/v1", "Deployment", "deployments")
AUTOSCALERS = Resource("autoscaling/v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
HTTP_ROUTES = Resource("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes")


class KubernetesClient:
    """One API server. `timeout_s` bounds each whole exchange, in seconds. The constructor does no I/O."""

    def __init__(self, access: Access, *, timeout_s: float) -> None:
        self.access = access
        self._timeout_s = timeout_s

    def find(self, path: str) -> dict[str, Any] | None:
        """GET an object, None where there is none."""
        answer = self._ask("GET", path)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        self._check(answer)
        return self._object(answer)

    def list(
        self, path: str, *, labels: Mapping[str, str] | None = None, known: bool = True
    ) -> tuple[dict[str, Any], ...]:
        """GET all objects with these labels. More than OBJECTS_MAX: ShiplineError, since a part is no answer.

        Where the server may not know the resource (`known` False), it has none of it.
        """
        selector = ",".join(f"{name}={value}" for name, value in (labels or {}).items())
        return tuple(self._items(path, selector, known=known))

    def apply(self, path: str, body: Mapping[str, Any], *, dry_run: bool = False) -> dict[str, Any]:
        """Server-side apply: make the fields in `body` hold, and only these. Returns the object.

        ConflictError where another manager holds one of them at another value; nothing has changed then. With
        `dry_run` the server answers the same and keeps nothing: an object that is not there has no resource version.
        """
        query = {"fieldManager": MANAGER, "fieldValidation": "Strict"} | ({"dryRun": "All"} if dry_run else {})
        # JSON is YAML, and no YAML of ours can be misread.
        answer = self._ask("PATCH", path, query, body, kind="application/apply-patch+yaml")
        self._check(answer)
        return self._json(answer) if dry_run else self._object(answer)

    def change(
        self, path: str, read: Mapping[str, Any], operations: tuple[Operation, ...], *, dry_run: bool = False
    ) -> dict[str, Any]:
        """Carry out JSON patch operations (RFC 6902) on the object as it was `read`, and return it as it is then.

        ConflictError where it has been changed since, or has gone: nothing is changed then. With `dry_run` the server
        answers the same and keeps nothing.
        """
        version = read["metadata"]["resourceVersion"]
        tested = [
            {"op": "test", "path": "/metadata/uid", "value": read["metadata"]["uid"]},
            {"op": "test", "path": "/metadata/resourceVersion", "value": version},
            *operations,
        ]
        query = {"fieldManager": MANAGER, "fieldValidation": "Strict"} | ({"dryRun": "All"} if dry_run else {})
        answer = self._ask("PATCH", path, query, tested, kind="application/json-patch+json")
        # A test that fails is answered like a value that is wrong: 422. Whoever looks can tell.
        if answer.status_code in (httpx.codes.UNPROCESSABLE_ENTITY, httpx.codes.NOT_FOUND, httpx.codes.CONFLICT):
            now = self.find(path)
            if now is None or now["metadata"]["resourceVersion"] != version:
                raise ConflictError(f"{_last(path)} was changed by somebody else at the same time", retryable=True)
        self._check(answer)
        return self._object(answer)

    def remove(self, path: str, read: Mapping[str, Any]) -> None:
        """DELETE the object that was `read`, with all that belongs to it; gone already is as good.

        ConflictError where it has been changed since.
        """
        kept = {name: read["metadata"][name] for name in ("uid", "resourceVersion")}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": kept, "propagationPolicy": "Background"}
        answer = self._ask("DELETE", path, {}, body)
        if answer.status_code != httpx.codes.NOT_FOUND:
            self._check(answer)

    def text(self, path: str, query: Mapping[str, str]) -> str:
        """GET text, a log; "" where there is none (any more)."""
        answer = self._ask("GET", path, query)
        if answer.status_code in (httpx.codes.NOT_FOUND, httpx.codes.BAD_REQUEST):
            return ""
        self._check(answer)
        return answer.content.decode("utf-8", "replace")

    def _items(self, path: str, selector: str, *, known: bool) -> Iterator[dict[str, Any]]:
        query = {"limit": str(PAGE_SIZE)} | ({"labelSelector": selector} if selector else {})
        count, more = 0, ""
        while True:
            answer = self._ask("GET", path, query | ({"continue": more} if more else {}))
            if answer.status_code == httpx.codes.NOT_FOUND and not known:
                return
            self._check(answer)
            page = self._json(answer)
            items = page.get("items")
            if not isinstance(items, list):
                raise ShiplineError("the Kubernetes API answered with something that is no list")
            for item in items:
                count += 1
                if count > OBJECTS_MAX:
                    raise ShiplineError(f"{_last(path)} has more than {OBJECTS_MAX} objects")
                yield self._checked(item)
            more = str(page.get("metadata", {}).get("continue") or "")
            if not more:
                return

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self.access.tls()

    def _ask(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None, *, kind: str = ""
    ) -> httpx.Response:
        headers = {"Accept": "application/json, */*", "User-Agent": MANAGER}
        bearer = self.access.bearer()
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        content = b"" if body is None else json.dumps(body).encode()
        if content:
            headers["Content-Type"] = kind or "application/json"
        url = f"{self.access.server}{path}"
        try:
            with (
                deadline(self._timeout_s) as limit,
                httpx.Client(timeout=self._timeout_s, verify=self._tls) as client,
                client.stream(method, url, params=query, headers=headers, content=content, extensions=limit) as answer,
            ):
                got = bytearray()
                for chunk in answer.iter_bytes():
                    got += chunk
                    if len(got) > ANSWER_BYTES_MAX:
                        raise ShiplineError(f"the Kubernetes API answered with more than {ANSWER_BYTES_MAX >> 20} MiB")
                return httpx.Response(answer.status_code, content=bytes(got), request=answer.request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnavailableError(
                f"the Kubernetes API at {httpx.URL(self.access.server).host} cannot be reached, or does not answer",
                why=str(error)[:200] or type(error).__name__,
                todo="when it is back, run this again: only what is missing will be done",
            ) from None

    def _check(self, answer: httpx.Response) -> None:
        """Raise what the status stands for."""
        status, said = answer.status_code, _said(answer)
        if status < httpx.codes.MULTIPLE_CHOICES:
            return
        if status == httpx.codes.UNAUTHORIZED:
            raise RefusedError("the Kubernetes API does not know who asks", why=said, todo="renew the kubeconfig")
        if status == httpx.codes.FORBIDDEN:
            raise RefusedError(
                "the Kubernetes API does not allow this",
                why=said,
                todo="give the account the verbs that 'Deploy to Kubernetes' in the docs lists, or mend the quota",
            )
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in (408, 425, 429):
            raise UnavailableError(f"the Kubernetes API has trouble of its own (HTTP {status})", why=said)
        if status in (httpx.codes.CONFLICT, httpx.codes.PRECONDITION_FAILED):
            raise ConflictError("Kubernetes: somebody else holds or has changed this", why=said, retryable=True)
        if status == httpx.codes.NOT_FOUND:
            raise ShiplineError("Kubernetes has no such object", why=said)
        if status < httpx.codes.BAD_REQUEST:
            raise ShiplineError(f"the Kubernetes API sends this request on (HTTP {status}), which is not followed")
        raise ShiplineError(f"Kubernetes does not take this (HTTP {status})", why=said)

    def _object(self, answer: httpx.Response) -> dict[str, Any]:
        return self._checked(self._json(answer))

    def _json(self, answer: httpx.Response) -> dict[str, Any]:
        found = read_json(answer.content, what="the answer of the Kubernetes API", limit_bytes=ANSWER_BYTES_MAX)
        if not isinstance(found, dict):
            raise ShiplineError("the Kubernetes API answered with something that is no object")
        return found

    def _checked(self, item: Any) -> dict[str, Any]:
        """An object whose metadata has what every object has."""
        metadata = item.get("metadata") if isinstance(item, dict) else None
        if not isinstance(metadata, dict) or not all(
            isinstance(metadata.get(name), str) for name in ("name", "uid", "resourceVersion")
        ):
            raise ShiplineError("the Kubernetes API answered with something that is no object")
        return dict(item)


def until_settled(attempt: Callable[[], R]) -> R:
    """What `attempt` returns. It is made anew, from reading on, where somebody else has changed the object meanwhile:
    controllers write their status all the time. Each attempt checks again who may write."""
    for _ in range(ATTEMPTS_MAX - 1):
        try:
            return attempt()
        except ConflictError as conflict:
            if not conflict.retryable:
                raise
    try:
        return attempt()
    except ConflictError as conflict:
        if not conflict.retryable:
            raise
        raise UnavailableError("Kubernetes: others go on changing the same object", why=conflict.why) from None


def _said(answer: httpx.Response) -> str:
    """What a Status object says, on one line: its message, and its causes."""
    try:
        body = json.loads(answer.content)
        words = [body.get("message", ""), *(cause.get("message", "") for cause in _causes(body))]
    except (ValueError, RecursionError, AttributeError, TypeError):
        return ""
    text = "; ".join(dict.fromkeys(str(word) for word in words if word))
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:COMPLAINT_LENGTH_MAX]


def _causes(body: dict[str, Any]) -> list[dict[str, Any]]:
    details = body.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    return causes[:5] if isinstance(causes, list) else []


def _last(path: str) -> str:
    """The end of a path: `deployments/quotes`."""
    return "/".join(path.rsplit("/", 2)[1:])
