"""Environments that rollouts are tried in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.testing.world import World
from tests.capabilities.events import check_positions
from tests.capabilities.rollouts.rollout_world import RolloutWorld


@pytest.fixture
def place(tmp_path: Path, sqlite_url: str) -> Iterator[RolloutWorld]:
    """An environment that nothing was ever deployed to; what must never happen is looked for at the end."""
    world = World(5, tmp_path, url=sqlite_url)
    made = RolloutWorld(world)
    yield made
    check_positions(world.store)
    world.close()
    assert made.breaches == []


@pytest.fixture
def serving(place: RolloutWorld) -> RolloutWorld:
    """An environment that serves 1.0.0."""
    for version in ("1.0.0", "1.1.0"):
        place.behave(version, error_rate=0.001)
    place.behave("1.2.0", error_rate=0.05)
    place.shipped("1.0.0")
    return place
