"""Whether an environment opens for a rollout: its gates, and its calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from shipline.capabilities.releases import Expedite, ReleaseGround
    from shipline.configuration import EnvironmentSettings
    from shipline.configuration.policy import Policy
    from shipline.domain.rollout import Rollout
    from shipline.engine.workflow import Save
    from shipline.ports.clock import Clock
    from shipline.store.database import Store

    class Place(Protocol):
        """What is asked of an application."""

        @property
        def clock(self) -> Clock:
            """The time."""
            ...

        @property
        def store(self) -> Store:
            """The open store."""
            ...

        @property
        def policy(self) -> Policy:
            """Environments and calendar, as they count."""
            ...

        @property
        def release_ground(self) -> ReleaseGround:
            """What releases stand on."""
            ...

        def environment(self, name: str) -> EnvironmentSettings:
            """An environment's settings; UnknownName where there is none."""
            ...

        def stage_of(self, environment: str) -> str:
            """The stage whose gates and calendar hold there."""
            ...


def refusal_of_gates(place: Place, rollout: Rollout) -> tuple[str, Save]:
    """Why the gates of an environment do not open for a version, "" if they do, and what writes that down."""
    from shipline.capabilities.releases import refusal_of
    from shipline.capabilities.rollouts import has_served, is_back

    with place.store.begin() as tx:
        back = is_back(rollout) and has_served(tx, rollout.environment, rollout.package, rollout.version)
    stage = place.stage_of(rollout.environment)
    expedite = None
    if rollout.expedited:
        expedite = expedite_of(place.environment(rollout.environment), rollout.expedited, rollout.ordered_by)
    return refusal_of(
        place.release_ground, rollout.release_id, stage=stage, has_served=back, expedite=expedite, posts=True
    )


def expedite_of(environment: EnvironmentSettings, reason: str, by: str) -> Expedite | None:
    """The shorter way of a hotfix as the settings have it now; None where nobody has asked for it, or may."""
    from shipline.capabilities.releases import Expedite

    said = environment.hotfix
    if not (reason and said.allowed):
        return None
    return Expedite(reason, by, said.skip_gates, dict(said.approvals))


def closed_by_calendar(place: Place, rollout: Rollout) -> str:
    """Why the calendar lets a rollout not begin now, "" if it does. A way back is never held up."""
    from shipline.bootstrap.freezing import calendar_of
    from shipline.capabilities.gates import judge
    from shipline.capabilities.releases import RELEASES, opening
    from shipline.domain.rollout import RolloutPurpose
    from shipline.domain.verdict import Answer, combined

    if rollout.purpose is RolloutPurpose.ROLLBACK:
        return ""
    # The shorter way of a hotfix passes what people have frozen, and not what the policy has.
    expedited = rollout.expedited and place.environment(rollout.environment).hotfix.allowed
    rules = place.policy.calendar if expedited else calendar_of(place)
    stage, now_us = place.stage_of(rollout.environment), place.clock.now_us()
    with place.store.begin() as tx:
        release = RELEASES.find(tx, rollout.release_id) if rollout.release_id is not None else None
    verdicts = (
        judge(rules, stage, now_us, release=f"{rollout.package} {rollout.version}")
        if release is None
        else opening(place.release_ground, release, stage, rules, now_us)
    )
    is_open = combined(verdicts) is Answer.PASS
    return "" if is_open else f"Waiting until it is open: {verdicts[0].reasons[0]}."


def approved_by(place: Place, rollout: Rollout, plan: str) -> dict[str, tuple[str, ...]]:
    """Who has approved a rollout's release for its environment, or the plan of this digest for it, by role."""
    from shipline.capabilities.releases import RELEASES, approvers_by_role

    with place.store.begin() as tx:
        release = RELEASES.find(tx, rollout.release_id) if rollout.release_id is not None else None
    if release is None:
        return {}
    stage, now_us = place.stage_of(rollout.environment), place.clock.now_us()
    return approvers_by_role(place.release_ground, release, stage, plan=plan, now_us=now_us)
