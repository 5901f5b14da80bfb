"""Which commits a branch lacks: pure."""

from __future__ import annotations

from shipline.capabilities.releases.backport.rules import (
    alike,
    branch_for,
    oldest_first,
    sort_out,
    standing,
    text_of,
    title_of,
)
from shipline.ports.repository import Commit

A, B, C, D = (letter * 40 for letter in "abcd")


def commit(oid: str, message: str = "fix: it", *, parents: tuple[str, ...] = (), paths: tuple[str, ...] = ()) -> Commit:
    return Commit(oid, parents, "Ann", "ann@example.com", 0, message, paths)


def test_parents_come_first_whatever_clocks_say_and_merges_not_at_all() -> None:
    """Git lists by time, so a child of a slow clock stands below its parent."""
    listed = (commit(A, parents=(B, C)), commit(B), commit(D, parents=(B,)), commit(C, parents=(D,)))
    assert [one.id for one in oldest_first(listed)] == [B, D, C]


def test_only_what_changes_the_same_paths_is_compared() -> None:
    wanted, known = (commit(A, paths=("a", "b")),), (commit(B, paths=("a", "b")), commit(C, paths=("a",)))
    assert alike(wanted, known) == (A, B)
    assert alike(wanted, known[1:]) == ()


def test_a_change_is_there_by_its_name_by_its_patch_or_by_itself() -> None:
    wanted = (commit(A), commit(B), commit(C), commit(D))
    has = (commit("1" * 40, f"fix: it\n\n(cherry picked from commit {A})"), commit("2" * 40))
    found = sort_out(wanted, has, {C}, {B: "same", "2" * 40: "same", D: "other"})
    assert [(one.id, same) for one, same in found.there] == [(A, "1" * 40), (B, "2" * 40), (C, C)]
    assert [one.id for one in found.to_pick] == [D]


def test_what_was_carried_over_in_the_other_direction_is_there() -> None:
    """The fix was made on the development branch, and the hotfix has it from there; or both from a third."""
    back = (commit(A, f"fix: it\n\n(cherry picked from commit {B})"),)
    assert sort_out(back, (commit(B),), (), {}).there == ((back[0], B),)
    cousin = commit(C, f"fix: it (#7)\n\n* fix: it\n\n(cherry picked from commit {B})")
    assert sort_out(back, (cousin,), (), {}).there == ((back[0], C),)


def test_what_was_reverted_since_is_not_there_unless_that_was_reverted_too() -> None:
    picked = commit(B, f"fix: it\n\n(cherry picked from commit {A})")
    revert = commit(C, f"revert: fix: it\n\nThis reverts commit {B}.")
    again = commit(D, f"revert: revert: fix: it\n\nThis reverts commit {C[:10]}.")
    wanted = (commit(A),)
    assert [one.id for one in sort_out(wanted, (revert, picked), (), {}).to_pick] == [A]
    assert sort_out(wanted, (again, revert, picked), (), {}).there == ((wanted[0], B),)
    assert standing((again, revert, picked)) == (again, picked)


def test_what_a_release_made_for_itself_stays_where_it_is() -> None:
    own = commit(A, "chore(release): 1.4.1\n\nShipline-Key: release:quotes:1.4.1")
    assert sort_out((own,), (), (), {}).own == (own,)


def test_what_people_read_is_one_line_a_commit_and_calls_nobody() -> None:
    found = sort_out((commit(A, "fix: ask @ann\x1b[2J <b>\n\nmore"), commit(B)), (), (), {})
    text = text_of("v1.4.1", "main", found)
    assert "- aaaaaaaaaaaa fix: ask @\u2060ann [2J &lt;b" in text
    assert "\x1b" not in text
    assert "@ann" not in text
    assert title_of("v1.4.1", "main", found.to_pick) == "chore: bring v1.4.1 to main"
    assert title_of("v1.4.1", "main", found.to_pick[1:]) == "fix: it"
    assert branch_for("hotfix/till", "release/1.x") == "shipline/backport-hotfix-till-to-release-1.x"
