"""Behaviour that every Target owes its callers. Subclass it and supply the fixtures."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shipline.domain.errors import ConflictError, InvalidValue, RefusedError, ShiplineError
from shipline.ports.target import Target

PACKAGE, GOOD, BETTER, BROKEN, MISSING = "conforming", "1.0.0", "1.1.0", "1.2.0", "9.9.9"


class TargetConformance:
    """The world has the package `conforming` in 1.0.0 and 1.1.0, in 1.2.0 (never healthy), not in 9.9.9."""

    @pytest.fixture
    def open_target(self) -> Callable[[], Target]:
        """Make a Target over the same world each time; all that they start ends with the test."""
        raise NotImplementedError("supply a target factory")

    @pytest.fixture
    def target(self, open_target: Callable[[], Target]) -> Target:
        """A target where GOOD is prepared."""
        target = open_target()
        target.prepare(PACKAGE, GOOD)
        return target

    def test_nothing_runs_at_first(self, target: Target) -> None:
        """A prepared version is not a running one."""
        assert target.instances() == ()
        assert not target.is_healthy("one")

    def test_an_unknown_version_cannot_be_prepared(self, target: Target) -> None:
        """What the registry does not have is an error, and cannot be started."""
        with pytest.raises(ShiplineError):
            target.prepare(PACKAGE, MISSING)
        with pytest.raises(ShiplineError):
            target.start("one", PACKAGE, MISSING, revision=1)

    def test_a_started_instance_is_healthy_and_listed(self, target: Target) -> None:
        """`start` returns once the health check passes."""
        instance = target.start("one", PACKAGE, GOOD, revision=1)
        assert (instance.id, instance.version) == ("one", GOOD)
        assert target.is_healthy("one")
        assert target.instances() == (instance,)

    def test_starting_and_preparing_twice_is_once(self, target: Target) -> None:
        """The same id gives the same instance, the same version the same installation."""
        first = target.start("one", PACKAGE, GOOD, revision=1)
        target.prepare(PACKAGE, GOOD)
        assert target.start("one", PACKAGE, GOOD, revision=1) == first
        assert target.instances() == (first,)

    def test_two_versions_run_side_by_side(self, target: Target) -> None:
        """Instances do not share an address."""
        target.prepare(PACKAGE, BETTER)
        one = target.start("one", PACKAGE, GOOD, revision=1)
        two = target.start("two", PACKAGE, BETTER, revision=2)
        assert one.address != two.address
        assert target.instances() == (one, two)

    def test_an_id_does_not_change_its_version(self, target: Target) -> None:
        """An id that runs something else is a conflict, and goes on running it."""
        target.prepare(PACKAGE, BETTER)
        one = target.start("one", PACKAGE, GOOD, revision=1)
        with pytest.raises(ConflictError):
            target.start("one", PACKAGE, BETTER, revision=2)
        assert target.instances() == (one,)

    def test_an_instance_that_does_not_become_healthy_is_an_error_with_its_output(self, target: Target) -> None:
        """The error shows what the instance said; nothing is left running."""
        target.prepare(PACKAGE, BROKEN)
        with pytest.raises(ShiplineError) as failure:
            target.start("one", PACKAGE, BROKEN, revision=1)
        assert "it is broken" in failure.value.diagnosis()
        assert target.instances() == ()

    def test_a_stopped_instance_is_gone_and_stopping_again_is_nothing(self, target: Target) -> None:
        """`stop` is idempotent, and an id may be started anew."""
        target.start("one", PACKAGE, GOOD, revision=1)
        target.stop("one", revision=2)
        target.stop("one", revision=2)
        assert target.instances() == ()
        assert not target.is_healthy("one")
        assert target.start("one", PACKAGE, GOOD, revision=3).id == "one"

    def test_instances_outlive_the_engine(self, target: Target, open_target: Callable[[], Target]) -> None:
        """A new provider over the same state finds what runs."""
        one = target.start("one", PACKAGE, GOOD, revision=1)
        again = open_target()
        assert again.instances() == (one,)
        assert again.start("one", PACKAGE, GOOD, revision=2) == one
        again.stop("one", revision=3)
        assert target.instances() == ()

    def test_a_late_call_is_refused(self, target: Target, open_target: Callable[[], Target]) -> None:
        """An older revision takes no effect, whichever provider object saw the newer one."""
        one = target.start("one", PACKAGE, GOOD, revision=5)
        zombie = open_target()
        with pytest.raises(RefusedError):
            zombie.stop("one", revision=4)
        with pytest.raises(RefusedError):
            zombie.start("two", PACKAGE, GOOD, revision=4)
        assert target.instances() == (one,)

    @pytest.mark.parametrize("name", ["", "a" * 61, "../x", "A", "a b", "a\n"])
    def test_a_hostile_id_is_refused(self, target: Target, name: str) -> None:
        """Ids are checked before anything is done with them."""
        with pytest.raises(InvalidValue):
            target.start(name, PACKAGE, GOOD, revision=1)
        with pytest.raises(InvalidValue):
            target.stop(name, revision=1)
