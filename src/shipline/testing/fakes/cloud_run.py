"""A working model of the slice of Cloud Run that Shipline uses: one service and its revisions, on loopback.

Written from the reference of the Admin API v2 (cloud.google.com/run/docs/reference/rest/v2/projects.locations.services
and .revisions), and never compared with the real one. Revisions become ready, fail, or take their time by the test's
clock; `etag` and `updateMask` hold as the reference says.
"""

from __future__ import annotations

import copy
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from shipline.ports.clock import Clock
from shipline.testing.fakes.loopback import LoopbackServer

TOKEN = "fake-cloud-token"  # noqa: S105 - opens nothing but this fake
PROJECT, LOCATION, SERVICE = "quotes-1234", "europe-west1", "quotes"
NAME = f"projects/{PROJECT}/locations/{LOCATION}/services/{SERVICE}"
BODY_BYTES_MAX = 4 << 20
SECOND_US = 1_000_000
LATEST, PINNED = (f"TRAFFIC_TARGET_ALLOCATION_TYPE_{kind}" for kind in ("LATEST", "REVISION"))
# What a client may set of a service, of what this model knows.
SETTABLE = frozenset({"annotations", "labels", "scaling", "template", "traffic"})
RESERVED = ("run.googleapis.com/", "cloud.googleapis.com/", "serving.knative.dev/", "autoscaling.knative.dev/")


class Refused(Exception):
    """The API says no, with an HTTP status and Google's name for it."""

    def __init__(self, code: int, status: str, message: str) -> None:
        super().__init__(message)
        self.code, self.status, self.message = code, status, message


@dataclass
class CloudRunWorld:
    """A service as somebody has deployed it by hand: a revision of theirs has all the traffic, as the newest.

    `broken` are digests whose revisions fail and say `output`, `slow_s` how long those of a digest need until they are
    ready. The service's status follows a change `lag_s` seconds later.
    """

    clock: Clock
    broken: set[str] = field(default_factory=set)
    slow_s: dict[str, float] = field(default_factory=dict)
    output: str = "it is broken"
    lag_s: float = 0.0
    service: dict[str, Any] = field(default_factory=dict)
    revisions: dict[str, dict[str, Any]] = field(default_factory=dict)
    generation: int = 0
    changed_us: int = 0
    served: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Deploy something by hand."""
        template = {"containers": [{"image": "registry.example/hello:1"}], "revision": f"{SERVICE}-00001-abc"}
        self.service = {"name": NAME, "uri": f"https://{SERVICE}-abc-ew.a.run.app", "scaling": {"minInstanceCount": 1}}
        self.save({"template": template, "traffic": [{"type": LATEST, "percent": 100}]})
        self.served = self._statuses()

    def save(self, changes: dict[str, Any]) -> None:
        """Change fields of the service."""
        self._check(changes)
        if self.generation:
            self.shown()
        self.service |= copy.deepcopy(changes)
        self.generation += 1
        self.changed_us = self.clock.now_us()
        template = self.service["template"]
        if "template" in changes and template.get("revision") not in self.revisions:
            name = template.get("revision") or f"{SERVICE}-{self.generation:05d}-xyz"
            self.revisions[name] = copy.deepcopy(template) | {"created_us": self.clock.now_us()}
            self.service["latestCreatedRevision"] = f"{NAME}/revisions/{name}"

    def shown(self) -> dict[str, Any]:
        """The service as it is answered."""
        ready = [name for name in self.revisions if self.state(name) == "CONDITION_SUCCEEDED"]
        newest = max(ready, key=lambda name: int(self.revisions[name]["created_us"]), default="")
        if newest:
            self.service["latestReadyRevision"] = f"{NAME}/revisions/{newest}"
        reconciling = self.clock.now_us() < self.changed_us + self.lag_s * SECOND_US
        if not reconciling:
            self.served = self._statuses()
        status = {"etag": f'"{self.generation}"', "generation": str(self.generation), "reconciling": reconciling}
        return copy.deepcopy(self.service) | status | {"trafficStatuses": copy.deepcopy(self.served)}

    def revision(self, name: str) -> dict[str, Any]:
        """A revision as it is answered."""
        found = {key: value for key, value in self.revisions[name].items() if key not in ("created_us", "revision")}
        state = self.state(name)
        message = f"The container failed to start and listen on its port. {self.output}"
        ready = {"type": "Ready", "state": state} | ({"message": message} if state == "CONDITION_FAILED" else {})
        return copy.deepcopy(found) | {"name": f"{NAME}/revisions/{name}", "conditions": [ready]}

    def state(self, name: str) -> str:
        """How a revision stands."""
        found = self.revisions[name]
        digests = [str(each.get("image", "")).partition("@")[2] for each in found["containers"]]
        if self.broken & set(digests):
            return "CONDITION_FAILED"
        slow_s = max(self.slow_s.get(digest, 0.0) for digest in digests)
        is_ready = self.clock.now_us() >= found["created_us"] + slow_s * SECOND_US
        return "CONDITION_SUCCEEDED" if is_ready else "CONDITION_RECONCILING"

    def delete(self, name: str) -> None:
        """Delete a revision that nothing needs."""
        if name not in self.revisions:
            raise Refused(404, "NOT_FOUND", f"Revision {name} was not found.")
        needed = {str(self.service.get(key, "")).rpartition("/")[2] for key in ("latestCreatedRevision",)}
        needed |= {str(each.get("revision", "")) for each in (*self.service["traffic"], *self._statuses())}
        if name in needed:
            raise Refused(400, "FAILED_PRECONDITION", f"Revision {name} is serving, or the newest.")
        del self.revisions[name]

    def _statuses(self) -> list[dict[str, Any]]:
        newest = str(self.service.get("latestReadyRevision") or self.service["latestCreatedRevision"])
        return [{"revision": newest.rpartition("/")[2], **each} for each in self.service["traffic"]]

    def _check(self, changes: dict[str, Any]) -> None:
        template = changes.get("template", {})
        name = template.get("revision", "")
        if name and not re.fullmatch(rf"{SERVICE}-[a-z0-9-]{{0,50}}[a-z0-9]", name):
            raise Refused(400, "INVALID_ARGUMENT", "template.revision: it must begin with the service's name")
        if name in self.revisions and {**self.revisions[name], "created_us": 0} != {**template, "created_us": 0}:
            raise Refused(
                409, "ALREADY_EXISTS", f"Revision named '{name}' with different configuration already exists."
            )
        for noted in (changes.get("annotations", {}), template.get("annotations", {})):
            if any(key.startswith(RESERVED) for key in noted):
                raise Refused(400, "INVALID_ARGUMENT", "annotations: a reserved namespace")
        traffic = changes.get("traffic", ())
        if "traffic" in changes and sum(each.get("percent", 0) for each in traffic) != 100:
            raise Refused(400, "INVALID_ARGUMENT", "traffic: the percents do not sum to 100")
        for each in traffic:
            if each["type"] == PINNED and each["revision"] not in {*self.revisions, name}:
                raise Refused(400, "FAILED_PRECONDITION", f"Revision '{each['revision']}' is not there")
            if not isinstance(each.get("percent", 0), int) or ("percent" not in each and "tag" not in each):
                raise Refused(400, "INVALID_ARGUMENT", "traffic.percent: it is a whole number")


class CloudRunServer(LoopbackServer):
    """The API of a CloudRunWorld. `requests` lists method and path of all that came, `before` is called with them
    before each is carried out; `lost_answers` is how many changes are carried out and then answered with 502."""

    def __init__(self, world: CloudRunWorld) -> None:
        self.world = world
        self.before: Callable[[str, str], None] = lambda _method, _path: None
        self.lost_answers = 0
        self.requests: list[tuple[str, str]] = []
        self._lock = threading.RLock()
        super().__init__(self._handler_class())

    def _handler_class(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                content = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), BODY_BYTES_MAX))
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                status, body = outer._answer(self.command, self.path, token, content)
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PATCH = do_DELETE = _serve  # noqa: N815 - the names of http.server

            def log_message(self, *_: object) -> None:
                """Quiet: what came is in `requests`."""

        return Handler

    def _answer(self, method: str, target: str, token: str, content: bytes) -> tuple[int, dict[str, Any]]:
        parts = urlsplit(target)
        self.before(method, parts.path)
        with self._lock:
            self.requests.append((method, parts.path))
            try:
                _check_token(token)
                answer = self._carry_out(method, parts.path, dict(parse_qsl(parts.query)), content)
            except Refused as refused:
                error = {"code": refused.code, "status": refused.status, "message": refused.message}
                return refused.code, {"error": error}
            if method != "GET" and self.lost_answers > 0:
                self.lost_answers -= 1
                return 502, {}
            return 200, answer

    def _carry_out(self, method: str, path: str, query: dict[str, str], content: bytes) -> dict[str, Any]:
        rest = path.removeprefix(f"/v2/{NAME}")
        if (method, rest) == ("GET", ""):
            return self.world.shown()
        if (method, rest) == ("GET", "/revisions"):
            return self._page(query)
        if (method, rest) == ("PATCH", ""):
            self._patch(query, json.loads(content))
            return {"name": f"projects/{PROJECT}/locations/{LOCATION}/operations/1", "done": False}
        if method == "DELETE" and rest.startswith("/revisions/"):
            self.world.delete(rest.removeprefix("/revisions/"))
            return {"name": f"projects/{PROJECT}/locations/{LOCATION}/operations/2", "done": False}
        raise Refused(404, "NOT_FOUND", f"Resource {path} was not found.")

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        """Two at once, so that pages are turned."""
        names, start = sorted(self.world.revisions), int(query.get("pageToken", "0"))
        page = {"revisions": [self.world.revision(name) for name in names[start : start + 2]]}
        return page | ({"nextPageToken": str(start + 2)} if len(names) > start + 2 else {})

    def _patch(self, query: dict[str, str], body: dict[str, Any]) -> None:
        fields = query["updateMask"].split(",")
        if not set(fields) <= SETTABLE:
            raise Refused(400, "INVALID_ARGUMENT", f"updateMask: {query['updateMask']}")
        if body.get("etag", self.world.shown()["etag"]) != self.world.shown()["etag"]:
            raise Refused(409, "ABORTED", "The etag does not match the service.")
        changes = {name: body[name] for name in fields}
        if query.get("validateOnly") == "true":
            copy.deepcopy(self.world).save(changes)
        else:
            self.world.save(changes)


def _check_token(token: str) -> None:
    if token != TOKEN:
        raise Refused(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
