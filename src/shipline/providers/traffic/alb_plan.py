"""From routes to the rules of a load balancer, and back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipline.clients.elastic_load_balancing import forward, weights_of
from shipline.clients.saved_routes import SavedRoutes, whole_numbers
from shipline.domain.errors import ConfigurationError, InvalidValue, RefusedError

# From: docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html and
# load-balancer-limits.html
WEIGHT_MAX = 999
TARGET_GROUPS_MAX = 5
CLOSED = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503", "ContentType": "text/plain"}}]


def listener_of(rule: str) -> str:
    """The ARN of the listener that a rule belongs to."""
    return rule.rpartition("/")[0].replace(":listener-rule/", ":listener/")


def checked_rule(rule: Mapping[str, Any], ours: Iterable[str], *, alone: bool = True) -> None:
    """ConfigurationError for a rule that cannot be used; if it has to lead to nobody else (`alone`), RefusedError for
    one that does.

    `ours` are the ARNs of the groups' target groups.
    """
    if str(rule.get("IsDefault")).lower() == "true":
        raise ConfigurationError(
            "this is the default rule of its listener", todo="add a rule (say, for the path /*), and set `rule` to it"
        )
    others = [action["Type"] for action in rule["Actions"] if action["Type"] not in ("forward", "fixed-response")]
    if others:
        raise ConfigurationError(f"the rule does {str(others[0])[:40]}, too, which would be lost")
    foreign = sorted(weights_of(rule["Actions"]).keys() - set(ours))
    if foreign and alone:
        raise RefusedError(
            f"the rule leads to {foreign[0].rpartition('targetgroup/')[2][:80]}, which is not Shipline's",
            why="the shares of a rollout are those of all requests",
            todo="give Shipline a rule of its own, which answers with a fixed response until the first rollout",
        )


def planned_weights(saved: SavedRoutes, arns: Mapping[str, str]) -> dict[str, int]:
    """Weights by the ARN of the target group, for the groups that have a share; none where all is closed."""
    shared = [] if saved.closed else [one.route for one in saved.groups.values() if one.route.share > 0]
    shown = [route for route in shared if route.group_id in arns]
    if len(shown) > TARGET_GROUPS_MAX:
        raise InvalidValue(f"a rule sends requests to {TARGET_GROUPS_MAX} groups at most")
    numbers = whole_numbers([route.share for route in shown], WEIGHT_MAX)
    return {arns[route.group_id]: weight for route, weight in zip(shown, numbers, strict=True)}


def beside(weights: Mapping[str, int], rule: Mapping[str, Any], ours: Iterable[str]) -> dict[str, int]:
    """The weights with those that the rule gives to somebody else, who keeps as large a part of it as now."""
    known, there = set(ours), weights_of(rule["Actions"])
    foreign = {arn: weight for arn, weight in there.items() if weight and arn not in known}
    held, total = sum(there[arn] for arn in known & there.keys()), sum(weights.values())
    if not foreign or not held:
        return dict(weights) | foreign
    scaled = {arn: max(1, min(WEIGHT_MAX, round(weight * held / total))) for arn, weight in weights.items()}
    return scaled | foreign


def main_actions(weights: Mapping[str, int], *, closed: bool) -> Sequence[dict[str, Any]]:
    """The actions of the rule. Nobody is served where it is closed, or nobody has a share yet."""
    return CLOSED if closed or not weights else forward(weights)


def shares_of(rule: Mapping[str, Any]) -> dict[str, float]:
    """The part of the rule's requests that each target group gets, by ARN, of those that get any."""
    weights = {arn: weight for arn, weight in weights_of(rule["Actions"]).items() if weight}
    total = sum(weights.values())
    return {arn: weight / total for arn, weight in weights.items()}


@dataclass(frozen=True, slots=True)
class PreviewRule:
    """The rule for who asks for the preview: by `header` (`Name: value`), at `priority`."""

    header: str
    priority: int

    def conditions(self, rule: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Those of the other rule, and the header."""
        name, _, value = self.header.partition(": ")
        asked = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": [value]}}
        return [*(_sent(each) for each in rule["Conditions"]), asked]

    def among(self, rules: Sequence[dict[str, Any]], main: str) -> dict[str, Any] | None:
        """The rule at the priority. ConfigurationError where it would not come before the other one."""
        priorities = {each["RuleArn"]: str(each["Priority"]) for each in rules}
        mine = priorities.get(main, "default")
        if mine.isdecimal() and int(mine) <= self.priority:
            raise ConfigurationError(
                f"preview_priority = {self.priority} is not before the rule itself, which has {mine}",
                todo="set it to a smaller number",
            )
        return next((each for each in rules if priorities[each["RuleArn"]] == str(self.priority)), None)

    def holds(self, found: Mapping[str, Any], rule: Mapping[str, Any], target_group: str) -> bool:
        """True if it leads where it shall, for whom it shall."""
        same = [_sent(each) for each in found["Conditions"]] == self.conditions(rule)
        return same and set(shares_of(found)) == {target_group}


def _sent(condition: Mapping[str, Any]) -> dict[str, Any]:
    """A condition as it may be sent back: what is answered has its values twice, which is not taken."""
    tables = {name: value for name, value in condition.items() if name.endswith("Config") and value}
    return {"Field": condition["Field"], **(tables or {"Values": condition.get("Values")})}
