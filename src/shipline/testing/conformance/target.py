"""Behaviour that every Target owes its callers. Subclass it and supply the fixtures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from shipline.domain.errors import ConflictError, InvalidValue, RefusedError, ShiplineError
from shipline.ports.target import Group, GroupSpec, Role, Target

PACKAGE, GOOD, BETTER, BROKEN, MISSING = "conforming", "1.0.0", "1.1.0", "1.2.0", "9.9.9"
ONE = GroupSpec("one", Role.STABLE, PACKAGE, GOOD, 2)
TWO = GroupSpec("two", Role.CANARY, PACKAGE, BETTER, 1)


class TargetConformance:
    """The world has the package `conforming` in 1.0.0 and 1.1.0, in 1.2.0 (its copies end at once), not in 9.9.9."""

    @pytest.fixture
    def open_target(self) -> Callable[[], Target]:
        """Make a Target over the same world each time; all that they run ends with the test."""
        raise NotImplementedError("supply a target factory")

    @pytest.fixture
    def kill_copy(self) -> Callable[[Target, str], None]:
        """Let one copy of a group that is whole die by itself; returns once it is dead."""
        raise NotImplementedError("supply what ends a copy")

    @pytest.fixture
    def wait(self) -> Callable[[Callable[[], bool], str], None]:
        """Wait until something holds, for a while; the second argument names it. Where nothing takes time: assert."""

        def holds_now(condition: Callable[[], bool], what: str) -> None:
            assert condition(), what

        return holds_now

    @pytest.fixture
    def target(self, open_target: Callable[[], Target]) -> Target:
        """A target where GOOD is prepared."""
        target = open_target()
        target.prepare(PACKAGE, GOOD)
        return target

    @pytest.fixture
    def until_whole(self, wait: Callable[[Callable[[], bool], str], None]) -> Callable[[Target, str], Group]:
        """Wait until all copies of a group are ready, and return it."""

        def until_whole(target: Target, group_id: str) -> Group:
            wait(lambda: found(target, group_id).is_whole, f"the copies of {group_id}")
            return found(target, group_id)

        return until_whole

    def test_nothing_runs_at_first(self, target: Target) -> None:
        """A prepared version is not a running one."""
        assert target.groups() == ()

    def test_an_unknown_version_cannot_be_prepared(self, target: Target) -> None:
        """What the registry does not have is an error, and cannot be run."""
        with pytest.raises(ShiplineError):
            target.prepare(PACKAGE, MISSING)
        with pytest.raises(ShiplineError):
            target.run(replace(ONE, version=MISSING), revision=1)
        assert target.groups() == ()

    def test_a_group_becomes_ready_and_is_listed(
        self, target: Target, until_whole: Callable[[Target, str], Group]
    ) -> None:
        """`run` says at once what it is, and `groups` goes on saying how it stands."""
        begun = target.run(ONE, revision=1)
        assert begun.spec == ONE
        whole = until_whole(target, "one")
        assert (whole.spec, whole.ready, whole.trouble, whole.hopeless) == (ONE, 2, "", False)
        assert whole.started_us == begun.started_us
        assert len({each.address for each in whole.endpoints}) == len(whole.endpoints) in (0, 2)
        assert len({each.id for each in whole.endpoints}) == len(whole.endpoints)
        assert target.groups() == (whole,)

    def test_running_and_preparing_twice_is_once(
        self, target: Target, until_whole: Callable[[Target, str], Group]
    ) -> None:
        """The same id gives the same group, the same version the same installation."""
        target.run(ONE, revision=1)
        first = until_whole(target, "one")
        target.prepare(PACKAGE, GOOD)
        assert target.run(ONE, revision=1) == first
        assert target.groups() == (first,)

    def test_two_versions_run_side_by_side(self, target: Target, until_whole: Callable[[Target, str], Group]) -> None:
        """Groups do not share an address."""
        target.prepare(PACKAGE, BETTER)
        target.run(TWO, revision=1)
        target.run(ONE, revision=2)
        one, two = until_whole(target, "one"), until_whole(target, "two")
        assert not {each.address for each in one.endpoints} & {each.address for each in two.endpoints}
        assert target.groups() == (one, two)

    def test_a_larger_size_starts_more_and_leaves_what_lives_alone(
        self, target: Target, until_whole: Callable[[Target, str], Group]
    ) -> None:
        """So a promoted canary grows."""
        target.run(replace(ONE, size=1), revision=1)
        small = until_whole(target, "one")
        assert target.run(ONE, revision=2).size == 2
        large = until_whole(target, "one")
        assert (large.size, large.ready, large.started_us) == (2, 2, small.started_us)
        assert set(small.endpoints) <= set(large.endpoints)

    def test_a_smaller_size_is_carried_out_or_refused(
        self,
        target: Target,
        until_whole: Callable[[Target, str], Group],
        wait: Callable[[Callable[[], bool], str], None],
    ) -> None:
        """Where it is refused, everything stays; where it is not, the platform has taken the traffic away first."""
        target.run(ONE, revision=1)
        whole = until_whole(target, "one")
        try:
            target.run(replace(ONE, size=1), revision=2)
        except RefusedError:
            assert target.groups() == (whole,)
        else:
            wait(lambda: (found(target, "one").size, found(target, "one").ready) == (1, 1), "the smaller size")

    def test_a_copy_that_died_is_missed_and_run_again(
        self,
        target: Target,
        until_whole: Callable[[Target, str], Group],
        kill_copy: Callable[[Target, str], None],
    ) -> None:
        """The group goes on existing with what lives of it; `run` brings the copy back."""
        target.run(ONE, revision=1)
        whole = until_whole(target, "one")
        kill_copy(target, "one")
        hurt = found(target, "one")
        assert (hurt.spec, hurt.ready, hurt.lives) == (ONE, 1, True)
        assert hurt.trouble
        assert set(hurt.endpoints) <= set(whole.endpoints)
        target.run(hurt.spec, revision=2)
        back = until_whole(target, "one")
        assert set(hurt.endpoints) <= set(back.endpoints)
        assert (back.trouble, back.started_us) == ("", whole.started_us)

    @pytest.mark.parametrize("other", [{"version": BETTER}, {"role": Role.CANARY}])
    def test_an_id_does_not_change_what_it_is(
        self, target: Target, until_whole: Callable[[Target, str], Group], other: dict[str, str]
    ) -> None:
        """An id that runs something else is a conflict, and goes on running it."""
        target.prepare(PACKAGE, BETTER)
        target.run(ONE, revision=1)
        one = until_whole(target, "one")
        with pytest.raises(ConflictError):
            target.run(replace(ONE, **other), revision=2)  # type: ignore[arg-type] # a version or a role
        assert target.groups() == (one,)

    def test_a_group_that_cannot_become_ready_says_so(
        self, target: Target, wait: Callable[[Callable[[], bool], str], None]
    ) -> None:
        """With what its copies have said, and it can be stopped."""
        target.prepare(PACKAGE, BROKEN)
        target.run(replace(ONE, version=BROKEN), revision=1)
        wait(lambda: found(target, "one").hopeless, "the end of the copies")
        wait(lambda: "it is broken" in found(target, "one").trouble, "their output")
        assert found(target, "one").ready == 0
        target.stop("one", revision=2)
        assert target.groups() == ()

    def test_a_stopped_group_is_gone_and_stopping_again_is_nothing(
        self, target: Target, until_whole: Callable[[Target, str], Group]
    ) -> None:
        """`stop` is idempotent, and an id may be run anew, as something else."""
        target.run(ONE, revision=1)
        target.stop("one", revision=2)
        target.stop("one", revision=2)
        assert target.groups() == ()
        target.prepare(PACKAGE, BETTER)
        target.run(replace(TWO, id="one"), revision=3)
        assert until_whole(target, "one").version == BETTER

    def test_groups_outlive_the_engine(
        self, target: Target, open_target: Callable[[], Target], until_whole: Callable[[Target, str], Group]
    ) -> None:
        """A new provider over the same state finds what runs."""
        target.run(ONE, revision=1)
        one = until_whole(target, "one")
        again = open_target()
        assert again.groups() == (one,)
        assert again.run(ONE, revision=2) == one
        again.stop("one", revision=3)
        assert target.groups() == ()

    def test_a_late_call_is_refused(
        self, target: Target, open_target: Callable[[], Target], until_whole: Callable[[Target, str], Group]
    ) -> None:
        """An older revision takes no effect, whichever provider object saw the newer one."""
        target.run(ONE, revision=5)
        one = until_whole(target, "one")
        zombie = open_target()
        with pytest.raises(RefusedError):
            zombie.stop("one", revision=4)
        with pytest.raises(RefusedError):
            zombie.run(replace(ONE, size=3), revision=4)
        assert target.groups() == (one,)

    @pytest.mark.parametrize("name", ["", "a" * 61, "../x", "A", "a b", "a\n"])
    def test_a_hostile_id_is_refused(self, target: Target, name: str) -> None:
        """Ids are checked before anything is done with them."""
        with pytest.raises(InvalidValue):
            target.run(replace(ONE, id=name), revision=1)
        with pytest.raises(InvalidValue):
            target.stop(name, revision=1)

    @pytest.mark.parametrize("size", [0, -1, 1001])
    def test_a_size_that_is_none_is_refused(self, target: Target, size: int) -> None:
        """A group without copies is stopped, not run."""
        with pytest.raises(InvalidValue):
            target.run(replace(ONE, size=size), revision=1)


def found(target: Target, group_id: str) -> Group:
    """The group of this id, which is there."""
    return next(group for group in target.groups() if group.id == group_id)
