"""Versions run in a cluster of Amazon ECS: a group is a service with a target group of its own.

Its task definition is made from the project's, by the digest that was released, and stays the same for its life. Copies
are started again by ECS, and found by the load balancer: groups have no endpoints here. A smaller size is carried out:
ECS takes a task out of its target group, and stops it after that one's deregistration delay.

What fences can and cannot do here: each call notes its revision as a tag of the cluster (`aws_fence`), and asks for
the newest right before each change. A call that comes late is refused. But no change of ECS tests what was read, so an
engine that is paused just between that question and its one request, and wakes up after a newer one has acted, does
carry this one request out: it may give a group an older size. The call then ends as refused, and the next look of the
newer one shows what it has left. A group that was stopped it cannot begin again, once its target group is gone.

Copies are never fewer than a person or an autoscaler has made of them, unless a smaller size is ordered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shipline.clients.aws_api import AWSComplaint, AWSPlace
from shipline.clients.aws_fence import claim, newest
from shipline.clients.aws_marks import (
    ENVIRONMENT,
    GROUP,
    ORDERED,
    PREFIX,
    ROLE,
    SIZE,
    check_ours,
    number,
    service_name,
    service_prefix,
    written,
)
from shipline.clients.durable_state import check_fence
from shipline.clients.ecs import ECSCluster
from shipline.clients.oci_credentials import client_credentials
from shipline.clients.oci_registry import OCIClient
from shipline.domain.errors import ConfigurationError, ConflictError, RefusedError, ShiplineError, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import Group, GroupSpec, check_same, checked_digests, checked_group_id
from shipline.providers.target.ecs_attachment import Attachments
from shipline.providers.target.ecs_definition import family_of, read_definition, source_of
from shipline.providers.target.ecs_state import (
    BIRTH,
    Birth,
    Observed,
    group_of,
    has_failed,
    runs_another,
    spec_of,
    tags_of,
)

ANSWER_TIMEOUT_S = 10.0
SOURCE = f"{PREFIX}source"
LISTENER = re.compile(r"arn:[a-z-]+:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:listener/app/[A-Za-z0-9/-]{1,120}")
NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
LAUNCH_TYPES = ("", "FARGATE", "EC2", "EXTERNAL")


@dataclass(frozen=True, slots=True)
class ECSSettings:
    """Where and from what groups are made.

    `region` and `cluster` name what is there already. `task_definition` is a JSON file of the repository, as
    RegisterTaskDefinition takes it; `container` names the one in it that runs the released image, "" the only one, and
    `port` is where that one answers, 1 to 65535. `listener` is the ARN of the load balancer's listener, `target_group`
    the name of a target group that those of the groups are like. `launch_type` is FARGATE, EC2, EXTERNAL or "" for what
    the cluster does by itself. `subnets`, `security_groups` and `public_address` are for tasks with a network of their
    own (awsvpc). `health_grace_s` is how long a new copy may fail its health check, `ready_timeout_s` how long a group
    may take to become ready, both in seconds. `endpoint_url` stands in for AWS. `metadata` is "ecs" or "ec2" where
    credentials come from this machine's role.
    """

    region: str
    cluster: str
    task_definition: str
    port: int
    listener: str
    target_group: str
    container: str = ""
    launch_type: str = ""
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    public_address: bool = False
    health_grace_s: int = 60
    ready_timeout_s: int = 600
    endpoint_url: str = ""
    metadata: str = ""

    def __post_init__(self) -> None:
        """Refuse what could not be the name of something."""
        self.place.url("ecs")
        for name in ("cluster", "target_group"):
            if not NAME.fullmatch(getattr(self, name)):
                raise ConfigurationError(f"{name}: {getattr(self, name)[:80]!r} is no name")
        if not LISTENER.fullmatch(self.listener):
            raise ConfigurationError("listener: this is not the ARN of a listener of an application load balancer")
        if not self.task_definition:
            raise ConfigurationError("task_definition: a file is needed to make groups from")
        if not 1 <= self.port <= 65535:
            raise ConfigurationError(f"port: {self.port} is not a port")
        if self.launch_type not in LAUNCH_TYPES:
            raise ConfigurationError(
                f"launch_type: {self.launch_type[:40]!r} is not known", todo='it is "", "FARGATE", "EC2" or "EXTERNAL"'
            )
        if not 0 <= self.health_grace_s <= 86_400 or not 1 <= self.ready_timeout_s <= 86_400:
            raise ConfigurationError("health_grace_s and ready_timeout_s are seconds, a day at most")

    @property
    def place(self) -> AWSPlace:
        """Which AWS is asked."""
        return AWSPlace(self.region, self.endpoint_url, self.metadata)

    @property
    def network(self) -> dict[str, Any]:
        """The network of the tasks; empty where they have that of their machine."""
        if not self.subnets:
            return {}
        given = {
            "subnets": list(self.subnets),
            "securityGroups": list(self.security_groups),
            "assignPublicIp": "ENABLED" if self.public_address else "DISABLED",
        }
        return {"networkConfiguration": {"awsvpcConfiguration": given}}


class ECSTarget:
    """Runs the groups of one environment in one cluster."""

    api_version = 3
    artifact_kinds: tuple[str, ...] = ("oci",)
    gives = ("variables",)  # Its secrets are those of AWS, which the task definition names.
    Settings = ECSSettings

    def __init__(self, settings: ECSSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._clock = context.clock
        self._root = context.root
        self._variables = context.variables
        self._environment = context.environment or "default"
        self._cluster = ECSCluster(settings.cluster, settings.place, context.clock)
        self._attachments = Attachments(
            settings.listener, settings.target_group, self._environment, settings.place, context.clock
        )

    def prepare(self, package: str, version: str, digests: tuple[str, ...]) -> None:
        """Find the image in its registry, and register the task definition that runs it, where it is not there yet."""
        checked_digests(digests)
        settings = self._settings
        read = read_definition(self._root, settings.task_definition, settings.container, settings.port)
        definition = read.giving(self._variables.plain())
        image = definition.image
        registry = OCIClient(image.registry_url, image.path, ANSWER_TIMEOUT_S, client_credentials(image.host))
        found = next((digest for digest in digests if registry.digest_of(digest) == digest), None)
        if found is None:
            raise ShiplineError(
                f"{image} has no image of {package} {version}",
                why="none of the released digests is there",
                todo="let a [[registry]] publish to the repository that the task definition names",
            )
        request = definition.with_image(found, family_of(self._environment, package, version, digests))
        source = source_of(request)
        known = self._cluster.newest_definition(request["family"])
        if known is None or known[1].get(SOURCE) != source:
            self._cluster.register_definition(request, {ENVIRONMENT: self._environment, SOURCE: source})

    def run(
        self,
        spec: GroupSpec,
        *,
        revision: int,
        leaving: tuple[str, ...] = (),  # noqa: ARG002 - copies have no names here, so none can be meant
    ) -> Group:
        """Make the group what `spec` says, and return how it stands.

        RefusedError for an older revision, and for a smaller size where the target group gives requests no time.
        UnavailableError while a group of that id is still being stopped.
        """
        name = service_name(self._environment, spec.id)
        self._fence(revision)
        found = self._find(name)
        try:
            if found is None:
                self._begin(name, spec, revision)
            else:
                self._change(name, found, spec, revision)
        except AWSComplaint:
            # What it needed may have been removed by a newer revision: then that is the reason.
            self._check(revision)
            raise
        self._check(revision)
        now = self._find(name)
        if now is None:
            raise UnavailableError(f"the ECS service {name} is not to be seen yet")
        return self._look(now)

    def groups(self) -> tuple[Group, ...]:
        """The groups of this environment, by id, as they stand."""
        found = (self._look(each) for each in self._services())
        return tuple(sorted(found, key=lambda group: group.id))

    def stop(self, group_id: str, *, revision: int) -> None:
        """Delete the service with its tasks; its target group goes when ECS has drained it, at a later call."""
        name = service_name(self._environment, checked_group_id(group_id))
        self._fence(revision)
        found = self._find(name, draining=True)
        if found is not None:
            check_ours(tags_of(found), self._environment, f"the ECS service {name}")
            self._check(revision)
            self._cluster.delete_service(name)
        self._sweep({group_id})

    def _begin(self, name: str, spec: GroupSpec, revision: int) -> None:
        family = family_of(self._environment, spec.package, spec.version, spec.digests)
        definition = self._cluster.newest_definition(family)
        if definition is None:
            raise ShiplineError(f"{spec.package} {spec.version} is not prepared here", todo="prepare the version first")
        self._sweep(set(), but=spec.id)
        self._check(revision)
        target_group = self._attachments.attach(spec.id)
        self._check(revision)
        self._cluster.create_service(self._service(name, spec, definition[0], target_group))

    def _service(self, name: str, spec: GroupSpec, definition: Mapping[str, Any], target_group: str) -> dict[str, Any]:
        """The request that creates the service."""
        settings, now_us = self._settings, self._clock.now_us()
        container = self._container(definition, spec)
        birth = Birth(spec.role, spec.package, spec.version, spec.digests, now_us)
        tags = {
            ENVIRONMENT: self._environment,
            GROUP: spec.id,
            ROLE: spec.role.value,
            SIZE: str(spec.size),
            ORDERED: str(now_us),
            **written(BIRTH, birth),
        }
        behind = {"targetGroupArn": target_group, "containerName": container["name"], "containerPort": settings.port}
        breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
        return {
            "serviceName": name,
            "taskDefinition": definition["taskDefinitionArn"],
            "desiredCount": spec.size,
            "loadBalancers": [behind],
            "healthCheckGracePeriodSeconds": settings.health_grace_s,
            "deploymentConfiguration": {"minimumHealthyPercent": 100, "maximumPercent": 200, **breaker},
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
            **({"launchType": settings.launch_type} if settings.launch_type else {}),
            **settings.network,
        }

    def _container(self, definition: Mapping[str, Any], spec: GroupSpec) -> Mapping[str, Any]:
        """The container of a registered task definition that runs one of the digests."""
        for each in definition.get("containerDefinitions") or ():
            if str(each.get("image")).endswith(spec.digests):
                return dict(each)
        raise ConflictError(
            f"the task definition {definition.get('family')} does not run {spec.package} {spec.version}",
            todo="deregister it, and deploy again",
        )

    def _change(self, name: str, found: Mapping[str, Any], spec: GroupSpec, revision: int) -> None:
        """Give a group that is there its size, and ECS another try where it has given it up."""
        check_ours(tags_of(found), self._environment, f"the ECS service {name}")
        check_same(spec_of(found), spec)
        if runs_another(found):
            raise ConflictError(
                f"somebody has given the ECS service {name} another task definition",
                todo="set it back, or stop the group and deploy again",
            )
        before, desired = number(tags_of(found), SIZE), int(found["desiredCount"])
        if spec.size < before:
            self._check_drains(spec, before)
        wanted = spec.size if spec.size < before else max(spec.size, desired)
        if (before, desired) == (spec.size, wanted) and not has_failed(found):
            return
        self._check(revision)
        self._cluster.tag(found["serviceArn"], {SIZE: str(spec.size), ORDERED: str(self._clock.now_us())})
        self._check(revision)
        self._cluster.update_service(name, {"desiredCount": wanted, "forceNewDeployment": has_failed(found)})

    def _check_drains(self, spec: GroupSpec, before: int) -> None:
        target_group = self._attachments.leftover(spec.id)
        if target_group is None or not self._attachments.drains(target_group):
            raise RefusedError(
                f"group {spec.id} has {before} copies, and {spec.size} cannot be left",
                why="its target group has no deregistration delay: a task that is stopped cuts its open requests off",
                todo=f"set deregistration_delay.timeout_seconds of {self._settings.target_group} to some seconds",
            )

    def _look(self, service: Mapping[str, Any]) -> Group:
        """How a group stands; stopped tasks are asked for only where it is not whole."""
        behind = service.get("loadBalancers") or ()
        health = self._attachments.health(behind[0]["targetGroupArn"]) if behind else []
        observed = Observed(service, health)
        if observed.ready < spec_of(service).size:
            observed = Observed(service, health, self._cluster.stopped_tasks(service["serviceName"]))
        return group_of(observed, ready_timeout_s=self._settings.ready_timeout_s, now_us=self._clock.now_us())

    def _services(self) -> list[dict[str, Any]]:
        found = self._cluster.services(service_prefix(self._environment))
        return [
            each for each in found if each["status"] == "ACTIVE" and tags_of(each).get(ENVIRONMENT) == self._environment
        ]

    def _find(self, name: str, *, draining: bool = False) -> dict[str, Any] | None:
        """The service of that name; None where there is none. UnavailableError for one that is being removed, unless
        `draining` ones count as gone."""
        for each in self._cluster.described([name]):
            if each["status"] == "ACTIVE":
                return each
            if each["status"] == "DRAINING" and not draining:
                raise UnavailableError(
                    f"the ECS service {name} is still being stopped", why="its requests have time to end"
                )
        return None

    def _sweep(self, stopped: set[str], *, but: str = "") -> None:
        """Remove target groups and rules of groups that have ended, but for those that ECS still drains."""
        attached = self._attachments.attached()
        names = {service_name(self._environment, each): each for each in attached.keys() | stopped if each != but}
        found = self._cluster.described(sorted(names))
        there = {each["serviceName"] for each in found if each["status"] != "INACTIVE"}
        for name in sorted(names.keys() - there):
            group_id = names[name]
            if group_id in attached:
                self._attachments.detach(*attached[group_id])
            elif (target_group := self._attachments.leftover(group_id)) is not None:
                self._attachments.remove(target_group)

    def _fence(self, revision: int) -> None:
        arn = str(self._cluster.describe()["clusterArn"])
        claim(
            revision,
            self._environment,
            read=self._cluster_tags,
            add=lambda tags: self._cluster.tag(arn, tags),
            remove=lambda names: self._cluster.untag(arn, names),
        )

    def _check(self, revision: int) -> None:
        """RefusedError if a newer revision has acted meanwhile."""
        check_fence(newest(self._cluster_tags(), self._environment), revision)

    def _cluster_tags(self) -> dict[str, str]:
        return tags_of(self._cluster.describe())
