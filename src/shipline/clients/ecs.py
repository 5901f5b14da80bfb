"""Amazon ECS: services, task definitions, tasks and tags of one cluster.

From: docs.aws.amazon.com/AmazonECS/latest/APIReference
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shipline.clients.aws_api import PAGES_MAX, AWSComplaint, AWSPlace, AWSService
from shipline.clients.aws_marks import listed
from shipline.domain.errors import ConfigurationError, ShiplineError
from shipline.ports.clock import Clock

TARGET = "AmazonEC2ContainerServiceV20141113"
# At most so many of each may be described at once.
SERVICES_AT_ONCE, TASKS_AT_ONCE = 10, 100


class ECSCluster:
    """The calls, for one cluster. Tables come as they are in the API."""

    def __init__(self, cluster: str, place: AWSPlace, clock: Clock) -> None:
        self._cluster = cluster
        self._service = AWSService("ecs", "ECS", place, clock)

    def describe(self) -> dict[str, Any]:
        """The cluster itself, with its tags. ConfigurationError where there is none."""
        answer = self._call("DescribeClusters", {"clusters": [self._cluster], "include": ["TAGS"]})
        found = [each for each in answer.get("clusters") or () if each.get("status") == "ACTIVE"]
        if len(found) != 1:
            raise ConfigurationError(
                f"there is no active ECS cluster {self._cluster}", todo="create it, or set `cluster` and `region`"
            )
        return dict(found[0])

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Add or change tags of something."""
        self._call("TagResource", {"resourceArn": arn, "tags": listed(tags)})

    def untag(self, arn: str, names: Sequence[str]) -> None:
        """Remove tags of something."""
        if names:
            self._call("UntagResource", {"resourceArn": arn, "tagKeys": list(names)})

    def services(self, prefix: str) -> list[dict[str, Any]]:
        """The services whose names begin with `prefix`, with their tags."""
        arns = [arn for arn in self._arns("ListServices", "serviceArns", {}) if _last(arn).startswith(prefix)]
        return self.described([_last(arn) for arn in arns])

    def described(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """The services of these names that there are, with their tags; also such that have been deleted a while ago."""
        found: list[dict[str, Any]] = []
        for at in range(0, len(names), SERVICES_AT_ONCE):
            asked = {"services": list(names[at : at + SERVICES_AT_ONCE]), "include": ["TAGS"]}
            found += self._call("DescribeServices", self._here(asked)).get("services") or ()
        return found

    def create_service(self, service: Mapping[str, Any]) -> dict[str, Any]:
        """Create a service."""
        return dict(self._call("CreateService", self._here(service))["service"])

    def update_service(self, name: str, changes: Mapping[str, Any]) -> None:
        """Change a service."""
        self._call("UpdateService", self._here({"service": name, **changes}))

    def delete_service(self, name: str) -> None:
        """Stop all tasks of a service and remove it; nothing where there is none."""
        try:
            self._call("DeleteService", self._here({"service": name, "force": True}))
        except AWSComplaint as complaint:
            if complaint.code not in ("ServiceNotFoundException", "ServiceNotActiveException"):
                raise

    def newest_definition(self, family: str) -> tuple[dict[str, Any], dict[str, str]] | None:
        """The newest task definition of exactly this family, with its tags; None where there is none."""
        asked = {"familyPrefix": family, "status": "ACTIVE", "sort": "DESC", "maxResults": 1}
        arns = self._call("ListTaskDefinitions", asked).get("taskDefinitionArns") or []
        if not arns:
            return None
        answer = self._call("DescribeTaskDefinition", {"taskDefinition": arns[0], "include": ["TAGS"]})
        tags = {each["key"]: each.get("value", "") for each in answer.get("tags") or ()}
        return dict(answer["taskDefinition"]), tags

    def register_definition(self, body: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        """Register a task definition."""
        self._call("RegisterTaskDefinition", {**body, "tags": listed(tags)})

    def stopped_tasks(self, service: str) -> list[dict[str, Any]]:
        """The tasks of a service that have stopped; ECS remembers them for an hour or more."""
        asked = self._here({"serviceName": service, "desiredStatus": "STOPPED", "maxResults": TASKS_AT_ONCE})
        arns = self._call("ListTasks", asked).get("taskArns") or []
        if not arns:
            return []
        return list(self._call("DescribeTasks", self._here({"tasks": arns})).get("tasks") or ())

    def _arns(self, action: str, name: str, asked: Mapping[str, Any]) -> Iterator[str]:
        more: dict[str, Any] = {}
        for _ in range(PAGES_MAX):
            answer = self._call(action, self._here({**asked, "maxResults": 100, **more}))
            yield from answer.get(name) or ()
            if not answer.get("nextToken"):
                return
            more = {"nextToken": answer["nextToken"]}
        raise ShiplineError(f"the ECS cluster {self._cluster} has more than {PAGES_MAX} pages of services")

    def _here(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"cluster": self._cluster, **asked}

    def _call(self, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._service.json(f"{TARGET}.{action}", body)


def _last(arn: str) -> str:
    return arn.rpartition("/")[2]
