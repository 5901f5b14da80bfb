"""Traffic split by an application load balancer of AWS: weights in one rule of a listener that is there already.

The rule's tags hold all that is known: the groups as they were applied, and the newest revision (`aws_fence`). Shares
are read from the weights, whoever wrote them. What the fence cannot do here is what it cannot for the target `ecs`: a
call that was paused between its last question and its one request does carry this one out. So each `apply` reads back
what holds, and a newer revision that finds other weights than its own sets them right when it is called again.

A load balancer does not tell how many requests are open for a group. One that gets none is drained when the
deregistration delay of its target group has gone by since then; the time stands in the tags. Copies are found by the
target groups: endpoints are noted as they are told, and route nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from shipline.clients.aws_api import AWSComplaint, AWSPlace
from shipline.clients.aws_fence import claim, newest
from shipline.clients.aws_marks import ENVIRONMENT, read, short_name, written
from shipline.clients.durable_state import check_fence
from shipline.clients.elastic_load_balancing import PRIORITY_MAX, LoadBalancing
from shipline.clients.saved_routes import SavedRoute, SavedRoutes, checked_routes
from shipline.domain.errors import ConfigurationError, ConflictError, RefusedError, ShiplineError, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.traffic import Route
from shipline.providers.traffic.alb_plan import (
    PreviewRule,
    beside,
    checked_rule,
    listener_of,
    main_actions,
    planned_weights,
    shares_of,
)

TRAFFIC = "traffic"
RULE = re.compile(r"arn:[a-z-]+:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:listener-rule/app/[A-Za-z0-9/-]{1,160}")
PREVIEW_HEADER = re.compile(r"[A-Za-z0-9-]{1,40}: [A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class ALBSettings:
    """Which rule leads to the groups.

    `region` is where it is, `rule` its ARN; it is no listener's default rule. `preview_header` is what a request that
    asks for a preview has, as `Name: value`, "" means that none can; `preview_priority` is that of the rule for it, 1
    to 50000, free, and before the other one. `address` is where users are served, host:port; "" is the load balancer's
    own name. `endpoint_url` stands in for AWS. `metadata` is "ecs" or "ec2" where credentials come from this machine's
    role.
    """

    region: str
    rule: str
    preview_header: str = ""
    preview_priority: int = 0
    address: str = ""
    endpoint_url: str = ""
    metadata: str = ""

    def __post_init__(self) -> None:
        """Refuse what could not be in a rule."""
        self.place.url("elasticloadbalancing")
        if not RULE.fullmatch(self.rule):
            raise ConfigurationError("rule: this is not the ARN of a rule of an application load balancer")
        if self.preview_header and not PREVIEW_HEADER.fullmatch(self.preview_header):
            raise ConfigurationError(
                f"preview_header: {self.preview_header[:80]!r} is no header", todo="write it as `Name: value`"
            )
        if self.preview_header and not 1 <= self.preview_priority <= PRIORITY_MAX:
            raise ConfigurationError(f"preview_priority: a preview needs a free one, 1 to {PRIORITY_MAX}")

    @property
    def place(self) -> AWSPlace:
        """Which AWS is asked."""
        return AWSPlace(self.region, self.endpoint_url, self.metadata)


class ALBTraffic:
    """The splitter of one environment: one rule, and one beside it while there is a preview."""

    api_version = 4
    faults: tuple[str, ...] = ()
    splits = True
    mirrors = False
    Settings = ALBSettings

    def __init__(self, settings: ALBSettings, context: ProviderContext) -> None:
        self._settings = settings
        self.previews = bool(settings.preview_header)
        self._clock = context.clock
        self._environment = context.environment or "default"
        self._balancing = LoadBalancing(settings.place, context.clock)
        self._preview = PreviewRule(settings.preview_header, settings.preview_priority)

    def claim(self, *, revision: int) -> None:
        """Note the number in the rule's tags."""
        self._saved(self._tags())
        self._claimed(revision)

    def open(self, *, revision: int) -> None:
        """Find the rule; where it was closed, give it back what it had, as far as that still runs."""
        tags = self._tags()
        saved = self._saved(tags)
        check_fence(newest(tags), revision)
        if saved.closed or not tags.get(ENVIRONMENT):
            arns = self._arns(saved)
            checked_rule(self._rule(), arns.values())
            saved = self._saved(self._claimed(revision))
            self._write(replace(saved, closed=False), arns, revision)

    def address(self) -> str:
        """host:port on which users are served."""
        return self._settings.address or self._balancing.address(listener_of(self._settings.rule))

    def apply(self, routes: tuple[Route, ...], *, revision: int) -> None:
        """Note the routes, change the rule in one call, and return once it reads as it shall."""
        checked_routes(routes, previews=self.previews, mirrors=self.mirrors)
        saved = self._opened(self._claimed(revision))
        wanted = saved.with_applied(routes, self._clock.now_us())
        arns = self._arns(wanted)
        rule, ours = self._rule(), [arn for name, arn in arns.items() if name in saved.groups]
        checked_rule(rule, ours, alone=saved.would_give(wanted))
        missing = {route.group_id for route in routes if route.serves} - arns.keys()
        if missing:
            raise ShiplineError(
                f"group {min(missing)} has no target group", todo="run the group before it gets traffic"
            )
        self._write(wanted, arns, revision)
        given = main_actions(beside(planned_weights(wanted, arns), rule, arns.values()), closed=False)
        if shares_of(self._rule()) != shares_of({"Actions": given}):
            raise UnavailableError("the rule does not hold the weights that it was given")

    def routes(self) -> tuple[Route, ...]:
        """What the load balancer does now, by group."""
        return self._now(self._opened(self._tags()))

    def open_requests(self, group_id: str, endpoint_id: str | None = None) -> int:  # noqa: ARG002 - none is told apart
        """0 once a group has got no request for its deregistration delay, 1 before: how many there are nobody tells."""
        saved = self._opened(self._tags())
        now = next((one for one in self._now(saved) if one.group_id == group_id), None)
        if now is None:
            return 0
        return 0 if self._is_drained(SavedRoute(now, saved.groups[group_id].idle_us)) else 1

    def forget(self, group_id: str, *, revision: int) -> None:
        """Take a group out of the notes. RefusedError while it gets requests, or its delay is not over."""
        saved = self._opened(self._claimed(revision))
        now = {route.group_id: route for route in self._now(saved)}
        if group_id not in now:
            return
        if now[group_id].serves:
            raise RefusedError(f"group {group_id} still has traffic")
        if not self._is_drained(saved.groups[group_id]):
            raise RefusedError(f"group {group_id} may still have open requests")
        left = saved.without(group_id)
        self._write(left, self._arns(left), revision)

    def close(self, *, revision: int) -> None:
        """Let the rule answer 503: nobody is served by it any more. What it had stays noted in its tags."""
        tags = self._tags()
        saved = self._saved(tags)
        check_fence(newest(tags), revision)
        if not saved.closed:
            saved = self._saved(self._claimed(revision))
            self._write(replace(saved, closed=True), self._arns(saved), revision)

    def _write(self, saved: SavedRoutes, arns: Mapping[str, str], revision: int) -> None:
        """Note it, then make it hold. Nothing is sent that holds already."""
        tags = self._tags()
        noted = {ENVIRONMENT: self._environment, **written(TRAFFIC, saved)}
        if any(tags.get(name) != text for name, text in noted.items()):
            check_fence(newest(tags), revision)
            self._balancing.tag(self._settings.rule, noted)
        rule = self._rule()
        actions = main_actions(beside(planned_weights(saved, arns), rule, arns.values()), closed=saved.closed)
        if shares_of(rule) != shares_of({"Actions": actions}):
            check_fence(newest(self._tags()), revision)
            self._balancing.change_rule(self._settings.rule, actions)
        if self.previews:
            self._write_preview(saved, arns, rule, revision)
        check_fence(newest(self._tags()), revision)

    def _write_preview(
        self, saved: SavedRoutes, arns: Mapping[str, str], rule: Mapping[str, Any], revision: int
    ) -> None:
        shown = () if saved.closed else saved.groups.items()
        previewed = next((name for name, one in shown if one.route.preview and name in arns), None)
        found = self._preview_rule()
        if previewed is None:
            if found is not None:
                check_fence(newest(self._tags()), revision)
                self._balancing.remove_rule(found["RuleArn"])
            return
        conditions, actions = self._preview.conditions(rule), main_actions({arns[previewed]: 1}, closed=False)
        if found is None:
            check_fence(newest(self._tags()), revision)
            listener, priority = listener_of(self._settings.rule), self._settings.preview_priority
            marks = {ENVIRONMENT: self._environment}
            self._balancing.create_rule(listener, priority, conditions, actions, marks)
        elif not self._preview.holds(found, rule, arns[previewed]):
            check_fence(newest(self._tags()), revision)
            self._balancing.change_rule(found["RuleArn"], actions, conditions)

    def _preview_rule(self) -> dict[str, Any] | None:
        """The rule at the preview's priority; None where there is none. ConflictError for somebody else's."""
        return self._preview_among(self._balancing.rules(listener_of(self._settings.rule)))

    def _preview_among(self, rules: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
        found = self._preview.among(rules, self._settings.rule)
        if found is not None and self._tags_of(found["RuleArn"]).get(ENVIRONMENT) != self._environment:
            raise ConflictError(
                f"the listener has a rule with the priority {self._settings.preview_priority} that is not Shipline's",
                todo="set preview_priority to one that is free",
            )
        return found

    def _now(self, saved: SavedRoutes) -> tuple[Route, ...]:
        arns = self._arns(saved)
        # Who has a preview asks for all rules of the listener anyway, and this one is among them.
        rules = self._balancing.rules(listener_of(self._settings.rule)) if self.previews else ()
        rule = next((each for each in rules if each["RuleArn"] == self._settings.rule), None) or self._rule()
        preview = self._preview_among(rules) if self.previews else None
        shares, previewed = shares_of(rule), set() if preview is None else set(shares_of(preview))
        return tuple(
            replace(
                saved.groups[name].route,
                share=shares.get(arns.get(name, ""), 0.0),
                preview=arns.get(name, "") in previewed,
            )
            for name in sorted(saved.groups)
        )

    def _is_drained(self, one: SavedRoute) -> bool:
        found = self._balancing.target_group(short_name(self._environment, one.route.group_id))
        delay_s = 0 if found is None else self._balancing.delay_s(found["TargetGroupArn"])
        return one.is_drained(self._clock.now_us(), delay_s)

    def _arns(self, saved: SavedRoutes) -> dict[str, str]:
        """The ARN of the target group of each group that has one; who was stopped while all was closed has none."""
        names = {name: short_name(self._environment, name) for name in saved.groups}
        found = self._balancing.target_groups(list(names.values()))
        return {name: str(found[short]["TargetGroupArn"]) for name, short in names.items() if short in found}

    def _claimed(self, revision: int) -> Mapping[str, str]:
        rule = self._settings.rule
        return claim(
            revision,
            "",
            read=self._tags,
            add=lambda tags: self._balancing.tag(rule, tags),
            remove=lambda names: self._balancing.untag(rule, names),
        )

    def _opened(self, tags: Mapping[str, str]) -> SavedRoutes:
        saved = self._saved(tags)
        if saved.closed:
            raise UnavailableError("the traffic is closed", todo="open the environment's traffic again")
        return saved

    def _saved(self, tags: Mapping[str, str]) -> SavedRoutes:
        saved = read(SavedRoutes, TRAFFIC, tags) or SavedRoutes(self._environment)
        if saved.environment != self._environment:
            raise ConflictError(
                f"this rule belongs to the environment {saved.environment[:60]}",
                todo="give each environment a rule of its own",
            )
        return saved

    def _rule(self) -> dict[str, Any]:
        with naming_what_is_missing():
            return self._balancing.rule(self._settings.rule)

    def _tags(self) -> dict[str, str]:
        with naming_what_is_missing():
            return self._tags_of(self._settings.rule)

    def _tags_of(self, rule: str) -> dict[str, str]:
        return self._balancing.tags([rule])[rule]


@contextmanager
def naming_what_is_missing() -> Iterator[None]:
    """ConfigurationError where the rule that is asked for does not exist."""
    try:
        yield
    except AWSComplaint as complaint:
        if complaint.code != "RuleNotFound":
            raise
        raise ConfigurationError(
            "there is no such rule of a listener", todo="create it before the first rollout, and set `rule`"
        ) from None
