"""AWS for tests: moto's server, which keeps what it is told, behind a state machine that moves tasks (`ecs_states`).

Moto checks and keeps calls, tags and weights, but rolls nothing out: what tasks do here is simulated.
"""

from __future__ import annotations

import http.client
import json
import re
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
from tests.moto_server import START_TIMEOUT_S, has_forgotten

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
    template: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        """Reset moto, and make what a user has made before."""
        assert has_forgotten(self.states.moto_port, timeout_s=START_TIMEOUT_S)
        self.balancing = LoadBalancing(self.place, self.clock)
        self.write_definition()
        vpc, self.subnets = _network(self.states.moto_port)
        self.ecs("CreateCluster", {"clusterName": CLUSTER})
        balancer = self.elb("CreateLoadBalancer", {"Name": "quotes", "Subnets": self.subnets})["LoadBalancers"][0]
        template = {"Name": TEMPLATE, "Protocol": "HTTP", "Port": 8080, "VpcId": vpc}
        template |= {"TargetType": "ip", "HealthCheckPath": "/healthz", "HealthCheckIntervalSeconds": 7}
        self.template = self.elb("CreateTargetGroup", template)["TargetGroups"][0]
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
        found = self.balancing.target_groups([short_name("staging", group) for group in groups])
        assert len(found) == len(groups)
        for each in found.values() or [self.template]:
            self.balancing.set_attributes(each["TargetGroupArn"], {DELAY: str(seconds)})

    def add_target_group(self, group_id: str, environment: str = "staging") -> None:
        """The target group of a group that nobody runs."""
        self.balancing.create_like(self.template, short_name(environment, group_id), {})

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
