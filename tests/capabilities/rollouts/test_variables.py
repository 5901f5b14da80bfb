"""Secrets that cannot be had: nothing begins without them, and no way back waits for them."""

from __future__ import annotations

from functools import partial

from shipline.domain.rollout import RolloutStatus
from shipline.ports.variables import Variables
from shipline.testing.fakes.secrets import MemorySecrets
from tests.capabilities.rollouts.rollout_world import RolloutWorld


def test_a_secret_that_cannot_be_had_ends_a_rollout_before_anything_runs(serving: RolloutWorld) -> None:
    """The reason names it, and what to do."""
    manager = MemorySecrets({})
    serving.variables = Variables({}, {"DB_PASSWORD": partial(manager.read, "DB")})
    rollout = serving.shipped("1.1.0")
    assert rollout.status is RolloutStatus.ROLLED_BACK
    assert "the secret DB_PASSWORD cannot be had: there is no secret 'DB'" in rollout.reason
    assert "put it there" in rollout.reason
    assert serving.alive() == ["1.0.0", "1.0.0"]
    assert [one.version for one in serving.deployments()] == ["1.0.0"]
    manager.kept["DB"] = "hunter2"
    again = serving.shipped("1.1.0")
    assert again.status is RolloutStatus.PROMOTED
    path = serving.world.store.path
    assert path is not None
    stored = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    assert b"DB_PASSWORD" in stored
    assert b"hunter2" not in stored


def test_a_secret_manager_that_is_down_does_not_block_a_rollback(serving: RolloutWorld) -> None:
    """What was kept for it needs none; what must be started asks for them itself."""
    serving.shipped("1.1.0")
    manager = MemorySecrets({"DB": "hunter2"})
    manager.is_down = True
    serving.variables = Variables({}, {"DB_PASSWORD": partial(manager.read, "DB")})
    rollout = serving.deploy("1.0.0", strategy="all-at-once", rollback=True)
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.PROMOTED
