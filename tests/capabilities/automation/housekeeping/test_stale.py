"""What is quiet: warned, left in peace when somebody answers, closed when nobody does."""

from __future__ import annotations

import pytest

from shipline.capabilities.automation import StaleRules
from shipline.capabilities.automation.housekeeping import stale
from shipline.capabilities.automation.housekeeping.stale import DAY_US, STALE_MARKER, Quiet, concerns, stale_acts
from shipline.ports.forge import Comment, marked
from shipline.ports.forge.answers import Thread

RULES = StaleRules(60, 14, "stale", ("pinned",), 10)
NOW = 1000 * DAY_US


def quiet(days: float, *labels: str) -> Quiet:
    return Quiet(Thread.issue(7), labels, int(NOW - days * DAY_US))


def comment(days: float, *, author: str = "ada", body: str = "hm") -> Comment:
    return Comment(f"{author}{days}", body, author, int(NOW - days * DAY_US))


def warning(days: float, author: str = "robot") -> Comment:
    return comment(days, author=author, body=marked("quiet", STALE_MARKER))


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (quiet(59.9), False),
        (quiet(60), True),
        (quiet(400, "Pinned"), False),
        (quiet(0, "Stale"), True),
        (quiet(0, "Stale", "pinned"), True),
    ],
)
def test_which_are_looked_at(item: Quiet, *, expected: bool) -> None:
    assert concerns(RULES, item, NOW) is expected


def test_what_may_have_been_answered_is_looked_at_first_and_not_all_that_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a thousand warned ones, which wait for their end, only those that changed last are read again."""
    monkeypatch.setattr(stale, "ANSWERED_MAX", 2)
    waiting = [quiet(days, "stale") for days in (1, 5, 3)]
    others = [quiet(70), quiet(90), quiet(14, "stale"), quiet(10)]
    assert stale.in_order(RULES, [*waiting, *others], NOW) == (
        waiting[0],
        waiting[2],
        others[1],
        others[0],
        others[2],
    )


@pytest.mark.parametrize(
    ("item", "comments", "acts"),
    [
        (quiet(60), [], ["put on stale", "warn that it is quiet"]),
        (quiet(60), [warning(200)], ["remove the old warning", "put on stale", "warn that it is quiet"]),
        (quiet(1, "stale"), [], ["warn that it is quiet"]),
        (quiet(1, "stale"), [warning(1)], []),
        (quiet(13.9, "stale"), [comment(90), warning(13.9)], []),
        (quiet(14, "stale"), [warning(14)], ["close it, quiet for 14 days after its warning"]),
        (quiet(2, "stale"), [warning(14), comment(2)], ["take off stale", "remove the warning"]),
        (quiet(2, "stale"), [warning(14)], ["take off stale", "remove the warning"]),
        (quiet(20, "stale", "pinned"), [warning(20)], ["take off stale", "remove the warning"]),
        (quiet(14, "stale"), [warning(14, author="mallory")], ["warn that it is quiet"]),
    ],
)
def test_what_is_due(item: Quiet, comments: list[Comment], acts: list[str]) -> None:
    """The last one: what a stranger wrote is no warning of ours."""
    found = stale_acts(RULES, item, comments, "robot", NOW)
    assert [act.sentence.removeprefix("issue 7: ") for act in found] == acts


def test_nothing_is_closed_where_nothing_is_to_be() -> None:
    rules = StaleRules(60, None, "stale", (), 10)
    assert stale_acts(rules, quiet(500, "stale"), [warning(500)], "robot", NOW) == ()
