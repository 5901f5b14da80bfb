"""Behaviour that every Controller owes its callers. Subclass it and supply the fixtures."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shipline.domain.errors import RefusedError, ShiplineError
from shipline.ports.controller import Content, Controlled, Controller, Phase, Verb

PACKAGE, GOOD, BETTER, BROKEN, MISSING = "conforming", "1.0.0", "1.1.0", "1.2.0", "9.9.9"
OTHER_BYTES = ("sha256:" + "0" * 64,)
LOOKS_MAX = 400


class ControllerConformance:
    """The world runs GOOD of the package `conforming`, which Shipline has set there, and knows BETTER and BROKEN (whose
    copies never become ready), not MISSING. The controller stops on its way until it is let go on."""

    @pytest.fixture
    def open_controller(self) -> Callable[[], Controller]:
        """Make a Controller over the same world each time."""
        raise NotImplementedError("supply a controller factory")

    @pytest.fixture
    def advance(self) -> Callable[[float], None]:
        """Let so many seconds pass."""
        raise NotImplementedError("supply the time")

    @pytest.fixture
    def hears(self) -> Callable[[Verb], None]:
        """Let a controller that asks hear this from now on; nothing for one that is told."""
        return lambda _verb: None

    @pytest.fixture
    def digests_of(self) -> Callable[[str], tuple[str, ...]]:
        """The digests of what the world has as a version of the package."""
        raise NotImplementedError("supply the digests")

    @pytest.fixture
    def controller(self, open_controller: Callable[[], Controller]) -> Controller:
        return open_controller()

    @pytest.fixture
    def until(
        self, controller: Controller, advance: Callable[[float], None]
    ) -> Callable[[Callable[[Controlled], bool]], Controlled]:
        """Look until something holds."""

        def until(holds: Callable[[Controlled], bool]) -> Controlled:
            state = controller.look()
            for _ in range(LOOKS_MAX):
                if holds(state):
                    return state
                advance(5.0)
                state = controller.look()
            pytest.fail(f"waited in vain; last: {state.phase}: {state.words}")

        return until

    @pytest.fixture
    def better(
        self,
        controller: Controller,
        digests_of: Callable[[str], tuple[str, ...]],
        until: Callable[[Callable[[Controlled], bool]], Controlled],
    ) -> Content:
        """BETTER, which has begun to have traffic."""
        content = controller.prepare(PACKAGE, BETTER, digests_of(BETTER))
        controller.set(content, revision=2)
        until(lambda state: state.noticed and state.weight > 0)
        return content

    def test_what_serves_is_told_by_version(self, controller: Controller) -> None:
        state = controller.look()
        assert (state.phase, state.weight, state.noticed) == (Phase.SETTLED, 0.0, True)
        assert state.stable is not None
        assert (state.stable.content.package, state.stable.content.version) == (PACKAGE, GOOD)
        assert state.canary is None
        assert state.wanted == state.stable.content

    def test_what_the_registry_has_not_cannot_be_prepared(self, controller: Controller) -> None:
        before = controller.look()
        with pytest.raises(ShiplineError, match="has no image of"):
            controller.prepare(PACKAGE, MISSING, OTHER_BYTES)
        assert controller.look() == before

    def test_preparing_changes_nothing(
        self, controller: Controller, digests_of: Callable[[str], tuple[str, ...]], advance: Callable[[float], None]
    ) -> None:
        before = controller.look()
        content = controller.prepare(PACKAGE, BETTER, digests_of(BETTER))
        assert content.image.endswith(f"@{digests_of(BETTER)[0]}")
        advance(60.0)
        assert controller.look() == before

    def test_a_new_image_becomes_the_canary(self, better: Content, controller: Controller) -> None:
        """Both sides are told apart, and each by its version."""
        state = controller.look()
        assert state.canary is not None
        assert state.stable is not None
        assert (state.canary.content, state.stable.content.version) == (better, GOOD)
        assert state.canary.id != state.stable.id
        assert 0 < state.weight < 1
        assert state.splits

    def test_it_stops_until_it_is_let_go_on(
        self,
        better: Content,
        controller: Controller,
        until: Callable[[Callable[[Controlled], bool]], Controlled],
        hears: Callable[[Verb], None],
    ) -> None:
        assert until(lambda state: state.phase is Phase.WAITING).awaits_verdict
        hears(Verb.RESUME)
        controller.tell(Verb.RESUME, revision=3)
        state = until(lambda state: state.phase is Phase.SETTLED)
        assert state.stable is not None
        assert state.stable.content == better == state.wanted

    def test_it_is_promoted(
        self,
        better: Content,
        controller: Controller,
        until: Callable[[Callable[[Controlled], bool]], Controlled],
        hears: Callable[[Verb], None],
    ) -> None:
        hears(Verb.PROMOTE)
        for _ in range(2):
            controller.tell(Verb.PROMOTE, revision=3)
        state = until(lambda state: state.phase is Phase.SETTLED)
        assert state.stable is not None
        assert state.stable.content == better

    def test_it_is_turned_back_and_set_back(
        self,
        better: Content,
        controller: Controller,
        until: Callable[[Callable[[Controlled], bool]], Controlled],
        hears: Callable[[Verb], None],
        advance: Callable[[float], None],
    ) -> None:
        """The stable version has all traffic before the image is set back, and nothing is begun by that."""
        hears(Verb.ABORT)
        for _ in range(2):
            controller.tell(Verb.ABORT, revision=3)
        state = until(lambda state: state.phase is Phase.BACK)
        assert (state.weight, state.wanted) == (0.0, better)
        assert state.stable is not None
        controller.set(state.stable.content, revision=4)
        until(lambda state: state.phase is Phase.SETTLED)
        advance(120.0)
        state = controller.look()
        assert (state.phase, state.wanted.version) == (Phase.SETTLED, GOOD)

    def test_setting_is_idempotent_and_fenced(
        self, better: Content, controller: Controller, open_controller: Callable[[], Controller]
    ) -> None:
        before = controller.look()
        open_controller().set(better, revision=2)
        assert controller.look() == before
        with pytest.raises(RefusedError, match="older than"):
            controller.set(better, revision=1)

    def test_another_version_is_refused_while_it_is_at_work(
        self, better: Content, controller: Controller, digests_of: Callable[[str], tuple[str, ...]]
    ) -> None:
        assert controller.prepare(PACKAGE, BETTER, digests_of(BETTER)) == better
        with pytest.raises(RefusedError, match="at work"):
            controller.prepare(PACKAGE, BROKEN, digests_of(BROKEN))

    def test_what_does_not_become_ready_gets_no_traffic_and_ends(
        self,
        controller: Controller,
        digests_of: Callable[[str], tuple[str, ...]],
        until: Callable[[Callable[[Controlled], bool]], Controlled],
    ) -> None:
        controller.set(controller.prepare(PACKAGE, BROKEN, digests_of(BROKEN)), revision=2)
        state = until(lambda state: state.phase in (Phase.BACK, Phase.BROKEN))
        assert state.weight == 0
        assert state.words
