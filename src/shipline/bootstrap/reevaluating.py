"""Gates asked anew when what decides has changed: the policy, or a waiver that has ended."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from shipline.capabilities.gates import Waiving
    from shipline.capabilities.releases import ReleaseGround
    from shipline.configuration.policy import Policy
    from shipline.domain.gate import Approver, Gate, Waiver
    from shipline.engine.engine import Engine
    from shipline.ports.clock import Clock

    class Place(Protocol):
        """What is asked of an application."""

        @property
        def clock(self) -> Clock:
            """The time."""
            ...

        @property
        def policy(self) -> Policy:
            """Gates, approvers and waivers, as they count."""
            ...

        @property
        def engine(self) -> Engine:
            """This process's engine."""
            ...

        @property
        def release_ground(self) -> ReleaseGround:
            """What releases stand on."""
            ...

    Decides = tuple[tuple[Gate, ...], tuple[Approver, ...], tuple[Waiver, ...], object, date | None]


def waiving_of(policy: Policy) -> Waiving:
    """What the policy says of waivers."""
    from shipline.capabilities.gates import WaiverRule, Waiving

    return Waiving(policy.waivers, policy.approvers, WaiverRule(policy.waiving.days_max, policy.waiving.roles))


class Reevaluation:
    """A chore: each call looks whether what decides is still what it was, and asks the gates anew where it is not.

    Waivers hold for whole days, so with any the day is a part of what decides. The first call asks, too: nobody has
    looked while no engine ran.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._decided: Decides | None = None

    def __call__(self) -> None:
        """Look, and ask where something has changed."""
        from shipline.capabilities.gates import day_of

        policy = self._place.policy
        day = day_of(self._place.clock.now_us()) if policy.waivers else None
        decides = (policy.gates, policy.approvers, policy.waivers, policy.waiving, day)
        if decides == self._decided:
            return
        from shipline.capabilities.releases import reevaluate_all
        from shipline.domain.actor import SYSTEM

        reevaluate_all(self._place.release_ground, lambda: self._place.engine, SYSTEM)
        self._decided = decides
