"""Behaviour that every Mirror owes its callers.

Subclass it and supply the fixtures. Every test begins with two sides, `here` and `there`, that have nothing in common
but a branch `main` on the same commit.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shipline.domain.errors import RefusedError
from shipline.ports.mirror import Mirror, Move, Pushed

MAIN, TOPIC, TAG = "refs/heads/main", "refs/heads/topic/ü", "refs/tags/v1.0.0"


class MirrorConformance:
    """The suite."""

    @pytest.fixture
    def mirror(self) -> Mirror:
        raise NotImplementedError("supply a mirror")

    @pytest.fixture
    def commit(self) -> Callable[[str, str], str]:
        raise NotImplementedError("supply what puts a commit on a ref of a side, above what it stands on or main")

    @pytest.fixture
    def protect(self) -> Callable[[str, str], None]:
        raise NotImplementedError("supply what protects a branch of a side")

    @pytest.fixture
    def forbid(self) -> Callable[[str], None]:
        raise NotImplementedError("supply what takes the right to write to a side")

    def test_what_is_on_one_side_is_put_on_the_other_moved_and_deleted(
        self, mirror: Mirror, commit: Callable[[str, str], str]
    ) -> None:
        first, tag = commit("here", TOPIC), commit("here", TAG)
        assert mirror.fetch("here", {TOPIC: first, TAG: tag}) == {first, tag}
        made = mirror.push("there", [Move(TOPIC, first, None), Move(TAG, tag, None)])
        assert made == (Pushed(TOPIC), Pushed(TAG))
        assert mirror.refs("there") == mirror.refs("here")
        second = commit("here", TOPIC)
        mirror.fetch("here", {TOPIC: second})
        assert mirror.contains(first, second)
        assert not mirror.contains(second, first)
        assert all(each.done for each in mirror.push("there", [Move(TOPIC, second, first), Move(TAG, None, tag)]))
        assert mirror.refs("there").get(TOPIC) == second
        assert TAG not in mirror.refs("there")

    def test_what_has_moved_meanwhile_stays_and_holds_up_nothing_else(
        self, mirror: Mirror, commit: Callable[[str, str], str]
    ) -> None:
        ours, theirs = commit("here", TOPIC), commit("there", TOPIC)
        tag, base = commit("here", TAG), mirror.refs("here")[MAIN]
        mirror.fetch("here", {TOPIC: ours, TAG: tag})
        moved = mirror.push("there", [Move(TOPIC, ours, None), Move(MAIN, None, ours), Move(TAG, tag, None)])
        assert moved == (Pushed(TOPIC, moved=True), Pushed(MAIN, moved=True), Pushed(TAG))
        assert mirror.refs("there") == {MAIN: base, TOPIC: theirs, TAG: tag}

    def test_what_is_protected_is_refused_and_holds_up_nothing_else(
        self, mirror: Mirror, commit: Callable[[str, str], str], protect: Callable[[str, str], None]
    ) -> None:
        base, ours = mirror.refs("here")[MAIN], commit("here", MAIN)
        mirror.fetch("here", {MAIN: ours})
        protect("there", "main")
        main, topic = mirror.push("there", [Move(MAIN, ours, base), Move(TOPIC, ours, None)])
        assert (topic, main.done, main.moved) == (Pushed(TOPIC), False, False)
        assert "protected" in main.refused
        assert mirror.refs("there")[MAIN] == base

    def test_a_ref_that_is_seen_elsewhere_than_it_stands_does_not_come(
        self, mirror: Mirror, commit: Callable[[str, str], str]
    ) -> None:
        first = commit("here", TOPIC)
        second = commit("here", TOPIC)
        other = commit("there", TOPIC)
        assert other not in mirror.fetch("here", {TOPIC: other})
        assert mirror.fetch("here", {TOPIC: second}) == {second}
        assert mirror.contains(first, second)
        mirror.forget(but=())
        assert mirror.fetch("here", {TOPIC: second}) == {second}

    def test_a_token_that_may_not_write_is_refused(
        self, mirror: Mirror, commit: Callable[[str, str], str], forbid: Callable[[str], None]
    ) -> None:
        ours = commit("here", TOPIC)
        mirror.fetch("here", {TOPIC: ours})
        forbid("there")
        with pytest.raises(RefusedError):
            mirror.push("there", [Move(TOPIC, ours, None)])
