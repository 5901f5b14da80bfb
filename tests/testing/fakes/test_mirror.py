"""The mirror in memory passes the suite that the one over git passes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shipline.testing.conformance.mirror import MAIN, MirrorConformance
from shipline.testing.fakes.forge.model import ForgeModel, MemoryRefs
from shipline.testing.fakes.mirror import FakeMirror


class TestFakeMirror(MirrorConformance):
    @pytest.fixture
    def mirror(self) -> FakeMirror:
        return FakeMirror({side: ForgeModel(MemoryRefs({MAIN: "0" * 40})) for side in ("here", "there")})

    @pytest.fixture
    def commit(self, mirror: FakeMirror) -> Callable[[str, str], str]:
        return mirror.commit

    @pytest.fixture
    def protect(self, mirror: FakeMirror) -> Callable[[str, str], None]:
        return lambda side, branch: mirror.models[side].protected.add(branch)

    @pytest.fixture
    def forbid(self, mirror: FakeMirror) -> Callable[[str], None]:
        return lambda side: setattr(mirror.models[side], "may_write", False)
