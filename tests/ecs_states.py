"""What ECS does with tasks, SIMULATED: a state machine in front of moto's server, by the test's clock.

Calls go on to moto, which checks and keeps them. What moto never does is put into its answers: tasks start, end, are
started again and reach a steady state; a circuit breaker gives up; targets become healthy; a service drains. Two
checks of ECS that moto leaves out are made here. Nothing of this was compared with the real service but
by its documentation.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from shipline.ports.clock import Clock
from shipline.testing.fakes.loopback import LoopbackServer

SECOND_US = 1_000_000
RESTART_S = 10.0
BODY_BYTES_MAX = 4 << 20
ATTEMPTS_MAX = 3


@dataclass
class Task:
    """One that runs from `started_us`, or has ended."""

    id: int
    started_us: int
    ended_us: int | None = None
    reason: str = ""
    code: int | None = None


@dataclass
class SimulatedService:
    """A service's tasks, by what moto keeps of the service itself."""

    arn: str
    digest: str
    target_group: str
    desired: int = 0
    tasks: list[Task] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    failed: bool = False
    steady: bool = False
    drained_us: int | None = None


class ECSStates(LoopbackServer):
    """The state machine. `broken` are digests whose tasks end at once, `slow_s` how long those of a digest need until
    they are healthy, `unplaceable` True while there is no room for any. `drain_s` is how long a service that was
    deleted goes on draining. `before` is called with each action before it is carried out; `requests` are those
    that came; `lost_answers` is how many changes are carried out and then answered with 500."""

    def __init__(self, moto_port: int, clock: Clock) -> None:
        self.moto_port = moto_port
        self.clock = clock
        self.broken: set[str] = set()
        self.slow_s: dict[str, float] = {}
        self.unplaceable = False
        self.drain_s = 0.0
        self.lost_answers = 0
        self.requests: list[str] = []
        self.before: Callable[[str], None] = lambda _action: None
        self.services: dict[str, SimulatedService] = {}
        self._images: dict[str, str] = {}
        self._tasks_made = 0
        self._lock = threading.RLock()
        self._moto = http.client.HTTPConnection("127.0.0.1", moto_port, timeout=30)
        super().__init__(self._handler_class())

    def __exit__(self, *error: object) -> None:
        """End."""
        super().__exit__(*error)
        with self._lock:
            self._moto.close()

    def crash(self, name: str) -> None:
        """A task that runs ends by itself; ECS starts another after RESTART_S."""
        with self._lock:
            self._settle()
            task = next(one for one in self.services[name].tasks if self._is_healthy(self.services[name], one))
            self._end(self.services[name], task, "Essential container in task exited", code=1)
            self._settle()

    def _handler_class(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                """Every call of AWS is one."""
                content = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), BODY_BYTES_MAX))
                status, kind, body = outer._answer(dict(self.headers), content)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet: what came is in `requests`."""

        return Handler

    def _answer(self, headers: dict[str, str], content: bytes) -> tuple[int, str, bytes]:
        target = headers.get("X-Amz-Target", "").rpartition(".")[2]
        asked = json.loads(content) if target else {key: row[0] for key, row in parse_qs(content.decode()).items()}
        action = target or asked["Action"]
        self.before(action)
        with self._lock:
            self.requests.append(action)
            self._settle()
            status, kind, body = self._carry_out(action, asked, headers, content)
            self._settle()
            if self.lost_answers > 0 and not action.startswith(("Describe", "List")):
                self.lost_answers -= 1
                return 500, kind, b"{}"
            return status, kind, body

    def _carry_out(
        self, action: str, asked: dict[str, Any], headers: dict[str, str], content: bytes
    ) -> tuple[int, str, bytes]:
        if action == "DescribeTargetHealth":
            return 200, "text/xml", self._health(asked["TargetGroupArn"]).encode()
        if action in ("ListTasks", "DescribeTasks"):
            return 200, "application/json", json.dumps(self._stopped(asked)).encode()
        complaint = self._complaint(asked, headers) if action == "CreateService" else ""
        if complaint:
            said = {"__type": "InvalidParameterException", "message": complaint}
            return 400, "application/json", json.dumps(said).encode()
        status, kind, body = self._forward(headers, content)
        if status == http.client.OK and action in OBSERVED:
            body = json.dumps(self._observed(action, asked, json.loads(body))).encode()
        return status, kind, body

    def _forward(self, headers: dict[str, str], content: bytes) -> tuple[int, str, bytes]:
        """Only with the lock: there is one connection for all."""
        self._moto.request("POST", "/", body=content, headers=headers)
        answer = self._moto.getresponse()
        return answer.status, answer.getheader("Content-Type", ""), answer.read()

    def _complaint(self, asked: dict[str, Any], headers: dict[str, str]) -> str:
        """What ECS refuses and moto does not."""
        known = self.services.get(asked["serviceName"])
        if known is not None and self._status(known) != "INACTIVE":
            return "Creation of service was not idempotent."
        arn = asked["loadBalancers"][0]["targetGroupArn"]
        form = f"Action=DescribeTargetGroups&Version=2015-12-01&TargetGroupArns.member.1={arn}".encode()
        sent = {name: text for name, text in headers.items() if name not in ("X-Amz-Target", "Content-Length")}
        sent["Authorization"] = headers["Authorization"].replace("/ecs/", "/elasticloadbalancing/")
        sent["Content-Type"] = "application/x-www-form-urlencoded"
        _, _, body = self._forward(sent, form)
        attached = b"loadbalancer/app/" in body
        return "" if attached else f"The target group {arn} does not have an associated load balancer."

    def _observed(self, action: str, asked: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        if action == "RegisterTaskDefinition":
            made = answer["taskDefinition"]
            self._images[made["taskDefinitionArn"]] = next(
                each["image"].partition("@")[2] for each in made["containerDefinitions"] if "@" in each["image"]
            )
        elif action == "CreateService":
            made = answer["service"]
            digest, behind = self._images[made["taskDefinition"]], made["loadBalancers"][0]["targetGroupArn"]
            self.services[made["serviceName"]] = SimulatedService(made["serviceArn"], digest, behind)
            self.services[made["serviceName"]].desired = made["desiredCount"]
        elif action == "UpdateService":
            known = self.services[answer["service"]["serviceName"]]
            known.desired, known.steady = answer["service"]["desiredCount"], False
            if asked.get("forceNewDeployment"):
                known.failed = False
                known.tasks = [one for one in known.tasks if one.ended_us is None]
        elif action == "DeleteService":
            self._drain(self.services[answer["service"]["serviceName"]])
        self._settle()
        shown = answer.get("services") or ([answer["service"]] if "service" in answer else [])
        for service in shown:
            self._show(service)
        return answer

    def _drain(self, known: SimulatedService) -> None:
        if known.drained_us is None:
            known.drained_us = self.clock.now_us() + int(self.drain_s * SECOND_US)
        known.desired = 0

    def _status(self, known: SimulatedService) -> str:
        if known.drained_us is None:
            return "ACTIVE"
        return "INACTIVE" if self.clock.now_us() >= known.drained_us else "DRAINING"

    def _show(self, service: dict[str, Any]) -> None:
        """Put into moto's answer what the tasks do."""
        known = self.services[service["serviceName"]]
        running = sum(one.ended_us is None for one in known.tasks)
        state = "FAILED" if known.failed else "COMPLETED" if known.steady else "IN_PROGRESS"
        reason = "tasks failed to start" if known.failed else "ECS deployment completed"
        service |= {"status": self._status(known), "runningCount": running, "events": known.events[::-1][:100]}
        service["pendingCount"] = known.desired - running
        service["deployments"][0] |= {"rolloutState": state, "rolloutStateReason": f"ECS deployment: {reason}."}

    def _settle(self) -> None:
        """Let everything happen that time has brought."""
        for known in self.services.values():
            self._move(known)

    def _move(self, known: SimulatedService) -> None:
        now_us = self.clock.now_us()
        running = [one for one in known.tasks if one.ended_us is None]
        for task in running[known.desired :]:
            self._end(known, task, "Scaling activity initiated by (deployment ecs-svc/1)", wanted=True)
        crashed = [one for one in known.tasks if one.ended_us is not None and one.code is not None]
        waiting = sum(now_us < (one.ended_us or 0) + RESTART_S * SECOND_US for one in crashed)
        for _ in range(known.desired - len(running) - waiting):
            self._start(known)
        ended = sum(one.code is not None for one in known.tasks)
        if known.digest in self.broken and ended >= ATTEMPTS_MAX:
            known.failed = True
        healthy = sum(self._is_healthy(known, one) for one in known.tasks)
        if known.desired and healthy == known.desired and not known.steady:
            known.steady = True
            self._tell(known, "has reached a steady state.")

    def _start(self, known: SimulatedService) -> None:
        if known.failed:
            return
        if self.unplaceable:
            known.steady = False
            if not known.events or "unable" not in known.events[-1]["message"]:
                self._tell(
                    known, "was unable to place a task because no container instance met all of its requirements."
                )
            return
        attempts = ATTEMPTS_MAX if known.digest in self.broken else 1
        for _ in range(attempts):
            self._tasks_made += 1
            task = Task(self._tasks_made, self.clock.now_us())
            known.tasks.append(task)
            self._tell(known, f"has started 1 tasks: (task {task.id}).")
            if known.digest in self.broken:
                self._end(known, task, "Essential container in task exited: it is broken", code=1)

    def _end(
        self, known: SimulatedService, task: Task, reason: str, *, code: int | None = None, wanted: bool = False
    ) -> None:
        task.ended_us, task.reason, task.code = self.clock.now_us(), reason, code
        if not wanted:
            known.steady = False
            self._tell(known, f"deregistered 1 targets in (target-group {known.target_group})")

    def _tell(self, known: SimulatedService, message: str) -> None:
        name = known.arn.rpartition("/")[2]
        known.events.append(
            {
                "id": str(len(known.events)),
                "createdAt": self.clock.now_us() / SECOND_US,
                "message": f"(service {name}) {message}",
            }
        )

    def _is_healthy(self, known: SimulatedService, task: Task) -> bool:
        due_us = task.started_us + int(self.slow_s.get(known.digest, 0.0) * SECOND_US)
        return task.ended_us is None and self.clock.now_us() >= due_us

    def _health(self, target_group: str) -> str:
        rows = []
        for known in self.services.values():
            for task in known.tasks if known.target_group == target_group and known.drained_us is None else ():
                if task.ended_us is None:
                    healthy = self._is_healthy(known, task)
                    state = "<State>healthy</State>" if healthy else INITIAL
                    target = f"<Target><Id>10.0.0.{task.id}</Id><Port>8080</Port></Target>"
                    rows.append(f"<member>{target}<TargetHealth>{state}</TargetHealth></member>")
        return HEALTH.format(rows="".join(rows))

    def _stopped(self, asked: dict[str, Any]) -> dict[str, Any]:
        """ListTasks and DescribeTasks, of stopped ones."""
        if "serviceName" in asked:
            known = self.services[asked["serviceName"]]
            assert asked["desiredStatus"] == "STOPPED"
            return {"taskArns": [_task_arn(one) for one in known.tasks if one.ended_us is not None]}
        every = [one for known in self.services.values() for one in known.tasks]
        return {"tasks": [_task(one) for one in every if _task_arn(one) in asked["tasks"]], "failures": []}


OBSERVED = ("RegisterTaskDefinition", "CreateService", "UpdateService", "DeleteService", "DescribeServices")
INITIAL = "<State>initial</State><Reason>Elb.RegistrationInProgress</Reason>"
HEALTH = (
    '<DescribeTargetHealthResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">'
    "<DescribeTargetHealthResult><TargetHealthDescriptions>{rows}</TargetHealthDescriptions>"
    "</DescribeTargetHealthResult></DescribeTargetHealthResponse>"
)


def _task_arn(task: Task) -> str:
    return f"arn:aws:ecs:eu-central-1:123456789012:task/quotes/{task.id}"


def _task(task: Task) -> dict[str, Any]:
    container = {"name": "web", **({"exitCode": task.code} if task.code is not None else {})}
    return {
        "taskArn": _task_arn(task),
        "stoppedReason": escape(task.reason),
        "stoppedAt": (task.ended_us or 0) / SECOND_US,
        "containers": [container],
    }
