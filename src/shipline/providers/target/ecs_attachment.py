"""A group's target group, and the rule that attaches it to the load balancer from the beginning.

ECS creates no service for a target group that no load balancer knows, and targets of such a one are not checked. So
each group has a rule of its own, which nobody's request meets: it asks for a sender of a network that is for
documentation only (RFC 5737). With it the group may lose its share and keep being checked, and finish its requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipline.clients.aws_api import AWSPlace
from shipline.clients.aws_marks import ENVIRONMENT, GROUP, check_ours, short_name
from shipline.clients.elastic_load_balancing import PRIORITY_MAX, LoadBalancing, forward, weights_of
from shipline.domain.errors import ConfigurationError, ShiplineError
from shipline.ports.clock import Clock

NOBODY = "192.0.2.1/32"
CONDITION = {"Field": "source-ip", "SourceIpConfig": {"Values": [NOBODY]}}


class Attachments:
    """Those of one environment at one listener. `template` is the name of the target group that all are like."""

    def __init__(self, listener: str, template: str, environment: str, place: AWSPlace, clock: Clock) -> None:
        self._listener = listener
        self._template = template
        self._environment = environment
        self._balancing = LoadBalancing(place, clock)

    def attach(self, group_id: str) -> str:
        """The ARN of the group's target group, which is there and attached when this returns."""
        template = self._balancing.target_group(self._template)
        if template is None:
            raise ConfigurationError(
                f"there is no target group {self._template}", todo="create it: the groups' own are made like it"
            )
        name, marks = short_name(self._environment, group_id), {ENVIRONMENT: self._environment, GROUP: group_id}
        found = self._balancing.target_group(name) or self._balancing.create_like(template, name, marks)
        arn = str(found["TargetGroupArn"])
        check_ours(self._balancing.tags([arn])[arn], self._environment, f"the target group {name}")
        wanted, given = self._balancing.attributes(template["TargetGroupArn"]), self._balancing.attributes(arn)
        changed = {key: value for key, value in wanted.items() if given.get(key) != value}
        if changed:
            self._balancing.set_attributes(arn, changed)
        rules = self._balancing.rules(self._listener)
        if not any(_attaches(rule, arn) for rule in rules):
            self._balancing.create_rule(self._listener, _free_priority(rules), [CONDITION], forward({arn: 1}), marks)
        return arn

    def attached(self) -> dict[str, tuple[str, str]]:
        """Rule and target group, by ARN, of all groups of this environment that have such a rule, by group."""
        found = {each["RuleArn"]: each for each in self._balancing.rules(self._listener) if _is_for_nobody(each)}
        groups: dict[str, tuple[str, str]] = {}
        for rule, tags in self._balancing.tags(found).items():
            behind = list(weights_of(found[rule]["Actions"]))
            if tags.get(ENVIRONMENT) == self._environment and GROUP in tags and len(behind) == 1:
                groups[tags[GROUP]] = (rule, behind[0])
        return groups

    def detach(self, rule: str, target_group: str) -> None:
        """Remove both. RefusedError where another rule leads to the target group, which stays then."""
        self._balancing.remove_rule(rule)
        self._balancing.remove_target_group(target_group)

    def leftover(self, group_id: str) -> str | None:
        """The ARN of a target group whose rule is gone; None where there is none."""
        found = self._balancing.target_group(short_name(self._environment, group_id))
        return None if found is None else str(found["TargetGroupArn"])

    def remove(self, target_group: str) -> None:
        """Remove a target group that no rule leads to."""
        self._balancing.remove_target_group(target_group)

    def health(self, target_group: str) -> list[dict[str, Any]]:
        """How the targets of a group stand."""
        return self._balancing.health(target_group)

    def drains(self, target_group: str) -> bool:
        """True if copies that leave may finish their requests."""
        return self._balancing.delay_s(target_group) > 0


def _is_for_nobody(rule: Mapping[str, Any]) -> bool:
    conditions = list(rule.get("Conditions") or [])
    return len(conditions) == 1 and (conditions[0].get("SourceIpConfig") or {}).get("Values") == [NOBODY]


def _attaches(rule: Mapping[str, Any], target_group: str) -> bool:
    return _is_for_nobody(rule) and target_group in weights_of(rule["Actions"])


def _free_priority(rules: tuple[dict[str, Any], ...]) -> int:
    """The last that is free: rules of yours come before it."""
    taken = {rule["Priority"] for rule in rules}
    free = next((number for number in range(PRIORITY_MAX, 0, -1) if str(number) not in taken), None)
    if free is None:
        raise ShiplineError("the listener has no free priority for another rule")
    return free
