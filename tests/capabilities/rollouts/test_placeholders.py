"""What the queries of a rollout's checks are about."""

from shipline.capabilities.rollouts.placeholders import PLACEHOLDERS, canary_of, stable_of
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.ports.target import Role

ROLLOUT = Rollout(
    "rol_1", "quotes", "1.2.0", "production", "canary", RolloutStatus.RUNNING, started_us=0, stable_version="1.1.0"
)


def test_a_rollout_says_what_its_queries_are_about() -> None:
    """The canary under way; before it begins, what serves."""
    canary, stable = canary_of(ROLLOUT), stable_of(ROLLOUT)
    assert (canary.version, canary.role, canary.group) == ("1.2.0", Role.CANARY, "quotes-1-2-0-a1-canary")
    assert (stable.version, stable.role, stable.group) == ("1.1.0", Role.STABLE, None)
    assert set(canary.values) == set(PLACEHOLDERS)
