"""Environments that rollouts are tried in."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.store.database import Store
from shipline.testing.world import World
from tests.capabilities.events import check_positions
from tests.capabilities.rollouts.rollout_world import RolloutWorld


@pytest.fixture
def place(tmp_path: Path, sqlite_url: str) -> Iterator[RolloutWorld]:
    """An environment that nothing was ever deployed to; what must never happen is looked for at the end."""
    yield from looked_at(RolloutWorld(World(5, tmp_path, url=sqlite_url)))


@pytest.fixture(scope="session")
def begun(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> RolloutWorld:
    """One that serves 1.0.0, for copies of it: its first rollout is the same for all, and its store is closed."""
    folder = tmp_path_factory.mktemp("serving")
    shutil.copyfile(sqlite_template, folder / "store.db")
    made = RolloutWorld(World(5, folder, url=f"sqlite:///{folder / 'store.db'}"))
    for version in ("1.0.0", "1.1.0"):
        made.behave(version, error_rate=0.001)
    made.behave("1.2.0", error_rate=0.05)
    made.shipped("1.0.0")
    made.world.close()
    return made


@pytest.fixture
def serving(begun: RolloutWorld, tmp_path: Path) -> Iterator[RolloutWorld]:
    """An environment that serves 1.0.0."""
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    shutil.copyfile(str(begun.world.store.path), str(store.path))
    made = copy.deepcopy(begun, {id(begun.world.store): store})
    store.open()
    yield from looked_at(made)


def looked_at(made: RolloutWorld) -> Iterator[RolloutWorld]:
    """Give it to a test, and look for what must never happen."""
    yield made
    check_positions(made.world.store)
    made.world.close()
    assert made.breaches == []
