"""Application load balancers of AWS: target groups, rules, their tags and the health of targets.

From: docs.aws.amazon.com/elasticloadbalancing/latest/APIReference (API version 2015-12-01)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from shipline.clients.aws_api import PAGES_MAX, AWSComplaint, AWSPlace, AWSService
from shipline.clients.aws_marks import listed
from shipline.domain.errors import RefusedError, ShiplineError, UnavailableError
from shipline.ports.clock import Clock

VERSION = "2015-12-01"
PRIORITY_MAX = 50_000
TAGGED_AT_ONCE = 20
DELAY = "deregistration_delay.timeout_seconds"
# What makes a target group what it is, and can be given when one is created.
COPIED = (
    "Protocol",
    "ProtocolVersion",
    "Port",
    "VpcId",
    "HealthCheckProtocol",
    "HealthCheckPort",
    "HealthCheckEnabled",
    "HealthCheckPath",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
    "Matcher",
    "TargetType",
    "IpAddressType",
)


class LoadBalancing:
    """The calls. Tables come as they are in the API, their numbers as texts."""

    def __init__(self, place: AWSPlace, clock: Clock) -> None:
        self._service = AWSService("elasticloadbalancing", "Elastic Load Balancing", place, clock)

    def target_group(self, name: str) -> dict[str, Any] | None:
        """The target group of that name; None where there is none."""
        return self.target_groups([name]).get(name)

    def target_groups(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Those of these names that there are, by name: in one call, unless one is missing."""
        if not names:
            return {}
        try:
            found = list(self._items("DescribeTargetGroups", {"Names": list(names)}, "TargetGroups"))
        except AWSComplaint as complaint:
            if complaint.code != "TargetGroupNotFound":
                raise
            # Which of them is missing is not told, nor what the others are.
            alone = (self.target_groups([name]) for name in names) if len(names) > 1 else ()
            return {name: group for one in alone for name, group in one.items()}
        return {str(group["TargetGroupName"]): group for group in found}

    def create_like(self, template: Mapping[str, Any], name: str, tags: Mapping[str, str]) -> dict[str, Any]:
        """A target group like `template`, but for its attributes; the one that is there where it has these settings."""
        copied = {key: template[key] for key in COPIED if template.get(key) not in (None, "")}
        given = {"Name": name, **copied, "Tags": listed(tags, key="Key", value="Value")}
        return dict(_only(self._call("CreateTargetGroup", given), "TargetGroups"))

    def attributes(self, target_group: str) -> dict[str, str]:
        """Attributes of a target group, by name."""
        answer = self._call("DescribeTargetGroupAttributes", {"TargetGroupArn": target_group})
        return {each["Key"]: each["Value"] for each in answer.get("Attributes") or ()}

    def set_attributes(self, target_group: str, attributes: Mapping[str, str]) -> None:
        """Give a target group these attributes."""
        given = listed(attributes, key="Key", value="Value")
        self._call("ModifyTargetGroupAttributes", {"TargetGroupArn": target_group, "Attributes": given})

    def delay_s(self, target_group: str) -> int:
        """How long requests may go on to a target that has left the group, in seconds."""
        text = self.attributes(target_group).get(DELAY, "")
        if not text.isdecimal():
            raise ShiplineError(f"the target group {target_group[-60:]} has no {DELAY}")
        return int(text)

    def remove_target_group(self, target_group: str) -> None:
        """Remove it. RefusedError while a rule leads to it."""
        try:
            self._call("DeleteTargetGroup", {"TargetGroupArn": target_group})
        except AWSComplaint as complaint:
            if complaint.code != "ResourceInUse":
                raise
            raise RefusedError(
                "a rule of a load balancer still leads to a group that has been stopped",
                why=complaint.why,
                todo="take its target group out of that rule",
            ) from None

    def health(self, target_group: str) -> list[dict[str, Any]]:
        """State, Reason and Description of each target."""
        answer = self._call("DescribeTargetHealth", {"TargetGroupArn": target_group})
        return [each["TargetHealth"] for each in answer.get("TargetHealthDescriptions") or ()]

    def rule(self, rule: str) -> dict[str, Any]:
        """A rule. AWSComplaint where there is none."""
        return dict(_only(self._call("DescribeRules", {"RuleArns": [rule]}), "Rules"))

    def rules(self, listener: str) -> tuple[dict[str, Any], ...]:
        """All rules of a listener."""
        return tuple(self._items("DescribeRules", {"ListenerArn": listener}, "Rules"))

    def create_rule(
        self,
        listener: str,
        priority: int,
        conditions: Sequence[Mapping[str, Any]],
        actions: Sequence[Mapping[str, Any]],
        tags: Mapping[str, str],
    ) -> None:
        """Add a rule. UnavailableError where its priority has just been taken."""
        given = {
            "ListenerArn": listener,
            "Priority": priority,
            "Conditions": conditions,
            "Actions": actions,
            "Tags": listed(tags, key="Key", value="Value"),
        }
        try:
            self._call("CreateRule", given)
        except AWSComplaint as complaint:
            if complaint.code != "PriorityInUse":
                raise
            raise UnavailableError(
                f"the priority {priority} of the listener has just been taken", why=complaint.why
            ) from None

    def change_rule(
        self,
        rule: str,
        actions: Sequence[Mapping[str, Any]],
        conditions: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Give a rule other actions, and other conditions where some are named."""
        given = {"RuleArn": rule, "Actions": actions, "Conditions": conditions or None}
        self._call("ModifyRule", given)

    def remove_rule(self, rule: str) -> None:
        """Remove a rule; nothing where there is none."""
        try:
            self._call("DeleteRule", {"RuleArn": rule})
        except AWSComplaint as complaint:
            if complaint.code != "RuleNotFound":
                raise

    def tags(self, arns: Iterable[str]) -> dict[str, dict[str, str]]:
        """The tags of these resources, by ARN."""
        wanted, found = list(arns), {}
        for at in range(0, len(wanted), TAGGED_AT_ONCE):
            answer = self._call("DescribeTags", {"ResourceArns": wanted[at : at + TAGGED_AT_ONCE]})
            for each in answer.get("TagDescriptions") or ():
                found[each["ResourceArn"]] = {tag["Key"]: tag.get("Value", "") for tag in each.get("Tags") or ()}
        return {arn: found.get(arn, {}) for arn in wanted}

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Add or change tags."""
        self._call("AddTags", {"ResourceArns": [arn], "Tags": listed(tags, key="Key", value="Value")})

    def untag(self, arn: str, names: Sequence[str]) -> None:
        """Remove tags."""
        if names:
            self._call("RemoveTags", {"ResourceArns": [arn], "TagKeys": list(names)})

    def address(self, listener: str) -> str:
        """host:port on which a listener serves users."""
        found = _only(self._call("DescribeListeners", {"ListenerArns": [listener]}), "Listeners")
        asked = {"LoadBalancerArns": [found["LoadBalancerArn"]]}
        balancer = _only(self._call("DescribeLoadBalancers", asked), "LoadBalancers")
        return f"{balancer['DNSName']}:{found['Port']}"

    def _call(self, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return self._service.query(action, VERSION, parameters)

    def _items(self, action: str, parameters: Mapping[str, Any], name: str) -> Iterator[dict[str, Any]]:
        marker: str | None = None
        for _ in range(PAGES_MAX):
            answer = self._call(action, {**parameters, "Marker": marker})
            yield from answer.get(name) or ()
            marker = answer.get("NextMarker") or None
            if marker is None:
                return
        raise ShiplineError(f"{action} has more than {PAGES_MAX} pages")


def _only(answer: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = answer.get(name) or []
    if len(found) != 1:
        raise ShiplineError(f"Elastic Load Balancing answered with {len(found)} {name}, and not with one")
    return dict(found[0])


def forward(weights: Mapping[str, int]) -> list[dict[str, Any]]:
    """The action that sends requests to target groups, by ARN, with these weights (0 to 999)."""
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]


def weights_of(actions: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Where the actions of a rule send requests: weights by the ARN of the target group."""
    for action in actions:
        if action.get("Type") == "forward":
            groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or ()
            found = {each["TargetGroupArn"]: int(each.get("Weight") or 1) for each in groups}
            return found or {action["TargetGroupArn"]: 1}
    return {}
