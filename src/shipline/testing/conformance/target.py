"""Behaviour that every Target owes its callers. Subclass it and supply the fixtures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from shipline.domain.errors import ConflictError, InvalidValue, RefusedError, ShiplineError
from shipline.ports.target import Group, GroupSpec, Role, Target

PACKAGE, GOOD, BETTER, BROKEN, MISSING = "conforming", "1.0.0", "1.1.0", "1.2.0", "9.9.9"
OTHER_BYTES = ("sha256:" + "0" * 64,)


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
    def digests_of(self) -> Callable[[str], tuple[str, ...]]:
        """The digests of what the world has as a version of the package."""
        raise NotImplementedError("supply the digests")

    @pytest.fixture
    def one(self, digests_of: Callable[[str], tuple[str, ...]]) -> GroupSpec:
        """Two copies of GOOD."""
        return GroupSpec("one", Role.STABLE, PACKAGE, GOOD, 2, digests_of(GOOD))

    @pytest.fixture
    def two(self, digests_of: Callable[[str], tuple[str, ...]]) -> GroupSpec:
        """A copy of BETTER."""
        return GroupSpec("two", Role.CANARY, PACKAGE, BETTER, 1, digests_of(BETTER))

    @pytest.fixture
    def target(self, open_target: Callable[[], Target], one: GroupSpec) -> Target:
        """A target where GOOD is prepared."""
        target = open_target()
        target.prepare(one.package, one.version, one.digests)
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

    def test_an_unknown_version_cannot_be_prepared(self, target: Target, one: GroupSpec) -> None:
        """What the registry does not have is an error, and cannot be run."""
        with pytest.raises(ShiplineError):
            target.prepare(PACKAGE, MISSING, OTHER_BYTES)
        with pytest.raises(ShiplineError):
            target.run(replace(one, version=MISSING), revision=1)
        assert target.groups() == ()

    def test_a_group_becomes_ready_and_is_listed(
        self, target: Target, until_whole: Callable[[Target, str], Group], one: GroupSpec
    ) -> None:
        """`run` says at once what it is, and `groups` goes on saying how it stands."""
        begun = target.run(one, revision=1)
        assert begun.spec == one
        whole = until_whole(target, "one")
        assert (whole.spec, whole.ready, whole.trouble, whole.hopeless) == (one, 2, "", False)
        assert whole.started_us == begun.started_us
        assert len({each.address for each in whole.endpoints}) == len(whole.endpoints) in (0, 2)
        assert len({each.id for each in whole.endpoints}) == len(whole.endpoints)
        assert target.groups() == (whole,)

    def test_running_and_preparing_twice_is_once(
        self,
        target: Target,
        until_whole: Callable[[Target, str], Group],
        one: GroupSpec,
        digests_of: Callable[[str], tuple[str, ...]],
    ) -> None:
        """The same id gives the same group, the same version the same installation."""
        target.run(one, revision=1)
        first = until_whole(target, "one")
        target.prepare(PACKAGE, GOOD, digests_of(GOOD))
        assert target.run(one, revision=1) == first
        assert target.groups() == (first,)

    def test_two_versions_run_side_by_side(
        self,
        target: Target,
        until_whole: Callable[[Target, str], Group],
        one: GroupSpec,
        two: GroupSpec,
        digests_of: Callable[[str], tuple[str, ...]],
    ) -> None:
        """Groups do not share an address."""
        target.prepare(PACKAGE, BETTER, digests_of(BETTER))
        target.run(two, revision=1)
        target.run(one, revision=2)
        first, second = until_whole(target, "one"), until_whole(target, "two")
        assert not {each.address for each in first.endpoints} & {each.address for each in second.endpoints}
        assert target.groups() == (first, second)

    def test_a_larger_size_starts_more_and_leaves_what_lives_alone(
        self, target: Target, until_whole: Callable[[Target, str], Group], one: GroupSpec
    ) -> None:
        """So a promoted canary grows."""
        target.run(replace(one, size=1), revision=1)
        small = until_whole(target, "one")
        assert target.run(one, revision=2).size == 2
        large = until_whole(target, "one")
        assert (large.size, large.ready, large.started_us) == (2, 2, small.started_us)
        assert set(small.endpoints) <= set(large.endpoints)

    def test_a_smaller_size_is_carried_out_or_refused(
        self,
        target: Target,
        until_whole: Callable[[Target, str], Group],
        wait: Callable[[Callable[[], bool], str], None],
        one: GroupSpec,
    ) -> None:
        """Where it is refused, everything stays; where it is not, the platform has taken the traffic away first."""
        target.run(one, revision=1)
        whole = until_whole(target, "one")
        try:
            target.run(replace(one, size=1), revision=2)
        except RefusedError:
            assert target.groups() == (whole,)
        else:
            wait(lambda: (found(target, "one").size, found(target, "one").ready) == (1, 1), "the smaller size")

    def test_copies_that_are_named_leave(
        self,
        target: Target,
        until_whole: Callable[[Target, str], Group],
        one: GroupSpec,
        wait: Callable[[Callable[[], bool], str], None],
    ) -> None:
        """The others go on as they are, saying it again is nothing, and a larger size gives others."""
        target.run(replace(one, size=3), revision=1)
        whole = until_whole(target, "one")
        ids = [each.id for each in whole.endpoints]
        target.run(replace(one, size=2), revision=2, leaving=tuple(ids[:1]))
        wait(lambda: (found(target, "one").size, found(target, "one").ready) == (2, 2), "the smaller size")
        left = found(target, "one")
        assert left.endpoints == whole.endpoints[1:]
        target.run(replace(one, size=2), revision=3, leaving=tuple(ids[:1]))
        assert found(target, "one") == left
        target.run(replace(one, size=3), revision=4)
        assert set(left.endpoints) <= set(until_whole(target, "one").endpoints)

    def test_others_than_are_named_do_not_leave(
        self, target: Target, until_whole: Callable[[Target, str], Group], one: GroupSpec
    ) -> None:
        """Nobody is stopped in place of a copy that was not said to be free of requests."""
        target.run(replace(one, size=3), revision=1)
        whole = until_whole(target, "one")
        ids = tuple(each.id for each in whole.endpoints)
        if not ids:
            return  # The platform names no copies, and drains them itself.
        for size, leaving in ((1, ids[:1]), (2, ids[:2]), (3, ids[:1]), (4, ids[:1])):
            with pytest.raises(RefusedError):
                target.run(replace(one, size=size), revision=2, leaving=leaving)
        assert target.groups() == (whole,)

    def test_a_copy_that_died_is_missed_and_run_again(
        self,
        target: Target,
        until_whole: Callable[[Target, str], Group],
        kill_copy: Callable[[Target, str], None],
        one: GroupSpec,
    ) -> None:
        """The group goes on existing with what lives of it; `run` brings the copy back."""
        target.run(one, revision=1)
        whole = until_whole(target, "one")
        kill_copy(target, "one")
        hurt = found(target, "one")
        assert (hurt.spec, hurt.ready, hurt.lives) == (one, 1, True)
        assert hurt.trouble
        assert set(hurt.endpoints) <= set(whole.endpoints)
        target.run(hurt.spec, revision=2)
        back = until_whole(target, "one")
        assert set(hurt.endpoints) <= set(back.endpoints)
        assert (back.trouble, back.started_us) == ("", whole.started_us)

    @pytest.mark.parametrize("other", [{"version": BETTER}, {"role": Role.CANARY}])
    def test_an_id_does_not_change_what_it_is(
        self,
        target: Target,
        until_whole: Callable[[Target, str], Group],
        other: dict[str, str],
        one: GroupSpec,
        digests_of: Callable[[str], tuple[str, ...]],
    ) -> None:
        """An id that runs something else is a conflict, and goes on running it."""
        target.prepare(PACKAGE, BETTER, digests_of(BETTER))
        target.run(one, revision=1)
        whole = until_whole(target, "one")
        with pytest.raises(ConflictError):
            target.run(replace(one, **other), revision=2)  # type: ignore[arg-type] # a version or a role
        assert target.groups() == (whole,)

    def test_a_group_that_cannot_become_ready_says_so(
        self,
        target: Target,
        wait: Callable[[Callable[[], bool], str], None],
        one: GroupSpec,
        digests_of: Callable[[str], tuple[str, ...]],
    ) -> None:
        """With what its copies have said, and it can be stopped."""
        target.prepare(PACKAGE, BROKEN, digests_of(BROKEN))
        target.run(replace(one, version=BROKEN, digests=digests_of(BROKEN)), revision=1)
        wait(lambda: found(target, "one").hopeless, "the end of the copies")
        wait(lambda: "it is broken" in found(target, "one").trouble, "their output")
        assert found(target, "one").ready == 0
        target.stop("one", revision=2)
        assert target.groups() == ()

    def test_a_stopped_group_is_gone_and_stopping_again_is_nothing(
        self,
        target: Target,
        until_whole: Callable[[Target, str], Group],
        one: GroupSpec,
        two: GroupSpec,
        digests_of: Callable[[str], tuple[str, ...]],
    ) -> None:
        """`stop` is idempotent, and an id may be run anew, as something else."""
        target.run(one, revision=1)
        target.stop("one", revision=2)
        target.stop("one", revision=2)
        assert target.groups() == ()
        target.prepare(PACKAGE, BETTER, digests_of(BETTER))
        target.run(replace(two, id="one"), revision=3)
        assert until_whole(target, "one").version == BETTER

    def test_groups_outlive_the_engine(
        self,
        target: Target,
        open_target: Callable[[], Target],
        until_whole: Callable[[Target, str], Group],
        one: GroupSpec,
    ) -> None:
        """A new provider over the same state finds what runs."""
        target.run(one, revision=1)
        whole = until_whole(target, "one")
        again = open_target()
        assert again.groups() == (whole,)
        assert again.run(one, revision=2) == whole
        again.stop("one", revision=3)
        assert target.groups() == ()

    def test_a_late_call_is_refused(
        self,
        target: Target,
        open_target: Callable[[], Target],
        until_whole: Callable[[Target, str], Group],
        one: GroupSpec,
    ) -> None:
        """An older revision takes no effect, whichever provider object saw the newer one."""
        target.run(one, revision=5)
        whole = until_whole(target, "one")
        zombie = open_target()
        with pytest.raises(RefusedError):
            zombie.stop("one", revision=4)
        with pytest.raises(RefusedError):
            zombie.run(replace(one, size=3), revision=4)
        assert target.groups() == (whole,)

    def test_what_was_ordered_is_seen_at_once(self, target: Target, one: GroupSpec) -> None:
        """Whoever orders reads it back before anything is built upon it: a group, its size, and that it is gone."""
        target.run(one, revision=1)
        assert found(target, "one").spec == one
        target.run(replace(one, size=3), revision=2)
        assert found(target, "one").size == 3
        target.stop("one", revision=3)
        assert target.groups() == ()

    def test_stopping_nobody_fences_too(
        self, target: Target, open_target: Callable[[], Target], one: GroupSpec
    ) -> None:
        """So whoever takes over can shut out the one before it, and change nothing."""
        target.run(one, revision=1)
        target.stop("nobody", revision=5)
        zombie = open_target()
        for late in (lambda: zombie.stop("one", revision=4), lambda: zombie.run(replace(one, size=3), revision=4)):
            with pytest.raises(RefusedError):
                late()
        assert found(target, "one").spec == one

    @pytest.mark.parametrize("name", ["", "a" * 61, "../x", "A", "a b", "a\n"])
    def test_a_hostile_id_is_refused(self, target: Target, name: str, one: GroupSpec) -> None:
        """Ids are checked before anything is done with them."""
        with pytest.raises(InvalidValue):
            target.run(replace(one, id=name), revision=1)
        with pytest.raises(InvalidValue):
            target.stop(name, revision=1)

    @pytest.mark.parametrize("size", [0, -1, 1001])
    def test_a_size_that_is_none_is_refused(self, target: Target, size: int, one: GroupSpec) -> None:
        """A group without copies is stopped, not run."""
        with pytest.raises(InvalidValue):
            target.run(replace(one, size=size), revision=1)


def found(target: Target, group_id: str) -> Group:
    """The group of this id, which is there."""
    return next(group for group in target.groups() if group.id == group_id)
