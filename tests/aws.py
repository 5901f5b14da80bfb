"""AWS for tests: moto's server, which keeps what it is told, behind a state machine that moves tasks (`ecs_states`).

Moto checks and keeps calls, tags and weights, but rolls nothing out: what tasks do here is simulated.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shipline.clients.aws_api import AWSPlace, AWSService
from shipline.clients.aws_marks import short_name
from shipline.clients.elastic_load_balancing import DELAY, LoadBalancing
from shipline.ports.provider import ProviderContext
from shipline.providers.target.ecs import ECSTarget
from shipline.providers.traffic.alb import ALBTraffic
from shipline.testing.fakes.clock import FakeClock
from tests.ecs_states import ECSStates
from tests.machine import free_port

TOP = Path(__file__).parents[1]
LOCK = TOP / "tests" / "moto" / "requirements.txt"
INSTALLED = TOP / ".cache" / "moto"
INSTALL_TIMEOUT_S = 240
START_TIMEOUT_S = 60.0
REGION, CLUSTER, TEMPLATE, HEADER = "eu-central-1", "quotes", "template", "X-Preview: yes"
DEFINITION: dict[str, Any] = {
    "family": "quotes",
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
    "cpu": "256",
    "memory": "512",
    "containerDefinitions": [
        {"name": "web", "image": "HOST/team/quotes:latest", "portMappings": [{"containerPort": 8080}]},
        {"name": "logs", "image": "registry.example/team/logs:1"},
    ],
}


class MotoMissing(Exception):
    """Moto's server is not to be had on this machine. Says why."""


def moto() -> Path:
    """A Python with moto's server, installed once into .cache; MotoMissing where that cannot be."""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with (INSTALLED / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        stamp, python = INSTALLED / ".installed", INSTALLED / "bin" / "python"
        if not (python.is_file() and stamp.is_file() and stamp.read_bytes() == LOCK.read_bytes()):
            _install(python)
            stamp.write_bytes(LOCK.read_bytes())
    return python


def _install(python: Path) -> None:
    # Most of it is never imported, so that compiling all of it would cost more than it saves.
    how = ("-q", "--disable-pip-version-check", "--no-compile", "--no-deps", "--require-hashes")
    pip = [str(python), "-m", "pip", "install", *how, "-r", str(LOCK)]
    for command in ([sys.executable, "-m", "venv", str(INSTALLED)], pip):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            raise MotoMissing(f"moto was not installed within {INSTALL_TIMEOUT_S} s") from None
        if done.returncode != 0:
            raise MotoMissing(f"moto could not be installed: {done.stderr[-300:]}")


@contextmanager
def moto_server(folder: Path) -> Iterator[int]:
    """Moto's server, its port, for the time of the block."""
    port = free_port()
    command = [str(moto()), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    log = folder / "moto.txt"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, cwd=folder)
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _answers(port):
            alive = process.poll() is None and time.monotonic() < deadline
            assert alive, f"moto did not start: {log.read_text(errors='replace')[-1000:]}"
            time.sleep(0.05)  # noqa: TID251 - real time: a process starts
        yield port
    finally:
        process.kill()
        process.wait()


def _answers(port: int, timeout_s: float = 2.0) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        with suppress(OSError, http.client.HTTPException):
            connection.request("POST", "/moto-api/reset")
            return connection.getresponse().status == http.client.OK
        return False
    finally:
        connection.close()


@dataclass
class AWSWorld:
    """A cluster, a load balancer with a listener, a rule on it, and a target group that others are like."""

    states: ECSStates
    clock: FakeClock
    root: Path
    host: str
    listener: str = ""
    rule: str = ""
    subnets: tuple[str, ...] = ()
    balancing: LoadBalancing = field(init=False)

    def __post_init__(self) -> None:
        """Reset moto, and make what a user has made before."""
        assert _answers(self.states.moto_port, timeout_s=START_TIMEOUT_S)
        self.balancing = LoadBalancing(self.place, self.clock)
        self.write_definition()
        vpc, self.subnets = _network(self.states.moto_port)
        self.ecs("CreateCluster", {"clusterName": CLUSTER})
        balancer = self.elb("CreateLoadBalancer", {"Name": "quotes", "Subnets": self.subnets})["LoadBalancers"][0]
        template = {"Name": TEMPLATE, "Protocol": "HTTP", "Port": 8080, "VpcId": vpc}
        template |= {"TargetType": "ip", "HealthCheckPath": "/healthz", "HealthCheckIntervalSeconds": 7}
        self.elb("CreateTargetGroup", template)
        closed = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503", "ContentType": "text/plain"}}]
        listener = {"LoadBalancerArn": balancer["LoadBalancerArn"], "Protocol": "HTTP", "Port": 80}
        made = self.elb("CreateListener", listener | {"DefaultActions": closed})
        self.listener = made["Listeners"][0]["ListenerArn"]
        path = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}]
        rule = {"ListenerArn": self.listener, "Priority": 100, "Conditions": path, "Actions": closed}
        self.rule = self.elb("CreateRule", rule)["Rules"][0]["RuleArn"]

    @property
    def place(self) -> AWSPlace:
        """The state machine, which hands on to moto."""
        return AWSPlace(REGION, self.states.url)

    def ecs(self, action: str, body: dict[str, Any]) -> dict[str, Any]:
        """A call of a person to ECS."""
        service = AWSService("ecs", "ECS", self.place, self.clock)
        return service.json(f"AmazonEC2ContainerServiceV20141113.{action}", body)

    def elb(self, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """A call of a person to the load balancer."""
        service = AWSService("elasticloadbalancing", "Elastic Load Balancing", self.place, self.clock)
        return service.query(action, "2015-12-01", parameters)

    def write_definition(self, **changes: Any) -> None:
        """The project's task definition."""
        text = json.dumps(DEFINITION | changes).replace("HOST", self.host)
        (self.root / "task.json").write_text(text, encoding="utf-8")

    def delay(self, seconds: int, *groups: str) -> None:
        """Set the deregistration delay of the template, or of groups."""
        for name in [short_name("staging", group) for group in groups] or [TEMPLATE]:
            found = self.balancing.target_group(name)
            assert found is not None
            self.balancing.set_attributes(found["TargetGroupArn"], {DELAY: str(seconds)})

    def add_target_group(self, group_id: str, environment: str = "staging") -> None:
        """The target group of a group that nobody runs."""
        template = self.balancing.target_group(TEMPLATE)
        assert template is not None
        self.balancing.create_like(template, short_name(environment, group_id), {})

    def target(self, environment: str = "staging", **settings: Any) -> ECSTarget:
        """A provider of its own, as another engine would have it."""
        given: dict[str, Any] = {"container": "web", "subnets": self.subnets, "launch_type": "FARGATE"}
        given |= {"endpoint_url": self.states.url, "ready_timeout_s": 60} | settings
        made = ECSTarget.Settings(REGION, CLUSTER, "task.json", 8080, self.listener, TEMPLATE, **given)
        return ECSTarget(made, self.context(environment))

    def traffic(self, environment: str = "staging", **settings: Any) -> ALBTraffic:
        """The same for traffic, by the rule."""
        given: dict[str, Any] = {"preview_header": HEADER, "preview_priority": 50} | settings
        given = {"endpoint_url": self.states.url} | given
        return ALBTraffic(ALBTraffic.Settings(REGION, self.rule, **given), self.context(environment))

    def context(self, environment: str) -> ProviderContext:
        """Where its providers work."""
        return ProviderContext(self.root, self.root / "state", self.clock, environment)


def _network(port: int) -> tuple[str, tuple[str, ...]]:
    """The VPC that every account has, and two subnets of it. EC2 answers in a form that Shipline does not read."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        scope = f"Credential=AKIDEXAMPLE/20260101/{REGION}/ec2/aws4_request"
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"AWS4-HMAC-SHA256 {scope}"}
        connection.request("POST", "/", body="Action=DescribeSubnets&Version=2016-11-15", headers=headers)
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    subnets = re.findall(r"<subnetId>([^<]+)</subnetId>", text)
    return re.findall(r"<vpcId>([^<]+)</vpcId>", text)[0], tuple(subnets[:2])
