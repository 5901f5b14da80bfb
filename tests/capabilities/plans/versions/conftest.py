"""What the tests of versions share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cargo import Cargo, asked_in
from tests.npm_semver import NpmSemver, running


@pytest.fixture(scope="session")
def npm_semver(request: pytest.FixtureRequest) -> Iterator[NpmSemver]:
    """Npm's own `semver`, which is asked the same questions."""
    assert request.config.cache is not None
    yield from running(request.config.cache.mkdir("npm-semver"))


@pytest.fixture(scope="session")
def cargo(tmp_path_factory: pytest.TempPathFactory) -> Cargo:
    """Cargo, which is asked the same questions."""
    return asked_in(tmp_path_factory.mktemp("cargo"))
