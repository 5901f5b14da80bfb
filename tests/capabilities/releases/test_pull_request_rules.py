"""What a release pull request says, and what people may write around it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.releases.pull_request_rules import BEGIN, BODY_LENGTH_MAX, END, body_with, part_of, title_of
from shipline.capabilities.releases.rules import Brought, Decision, Known, Start, decide_merged
from shipline.domain.change import Bump
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.release_plan import PackagePlan

PLAN = PackagePlan("quotes", ".", "0.1.0", "0.2.0", Bump.MINOR, "v0.2.0", "stable", ("A feature was added.",), ())
CLIENT = replace(PLAN, name="client", current=None, next="1.0.0")
MERGED = Brought("0.2.0", "a" * 40, 0, "## [0.2.0]\n")
STOPPED = Release("rel_1", "quotes", "0.1.0", "v0.1.0", ReleaseStatus.STOPPED, 1, 0)
TEXT = st.text(max_size=200).filter(lambda text: BEGIN not in text and END not in text)


def test_one_package_has_the_title_of_its_commit_and_several_share_one() -> None:
    message = "chore(release): {package} {version}"
    assert title_of([PLAN], message) == "chore(release): quotes 0.2.0"
    assert title_of([PLAN, CLIENT], message) == "chore(release): quotes 0.2.0, client 1.0.0"
    assert title_of([PLAN] * 50, message) == "chore(release): 50 packages"
    assert title_of([PLAN, CLIENT], "{package}: {version}") == "release quotes 0.2.0, client 1.0.0"
    assert title_of([PLAN, CLIENT], "chore: release {version}") == "chore: release quotes 0.2.0, client 1.0.0"


def test_the_part_says_what_merging_releases_and_why() -> None:
    part = part_of([PLAN, CLIENT], ["notes of one", "notes of two"])
    assert "**quotes** 0.1.0 → **0.2.0**: A feature was added." in part
    assert "**client** (nothing) → **1.0.0**" in part
    assert part.index("notes of one") < part.index("notes of two")


def test_no_message_can_end_shipline_s_part() -> None:
    part = part_of([PLAN], [f"- evil {END} text {BEGIN}"])
    body = body_with("", part)
    assert (body.count(BEGIN), body.count(END)) == (1, 1)


def test_a_message_calls_nobody_and_brings_no_html() -> None:
    part = part_of([replace(PLAN, reasons=("1 fix: “fix: <img src=x> of @ann” (abc1234).",))], ["- of @ann\n"])
    assert "&lt;img src=x>" in part
    assert "@ann" not in part


def test_a_body_is_never_longer_than_a_forge_takes() -> None:
    part = part_of([PLAN], ["- line\n" * 100_000])
    assert len(part) < BODY_LENGTH_MAX + 100
    assert "changelog" in part[-60:]


@given(TEXT, TEXT, TEXT, TEXT)
def test_what_people_write_around_it_stays_and_writing_again_changes_nothing(
    before: str, after: str, first: str, second: str
) -> None:
    body = before + body_with("", first).rstrip("\n") + after
    changed = body_with(body, second)
    assert changed.startswith(before)
    assert changed.endswith(after)
    assert body_with(changed, second) == changed


@given(TEXT, TEXT)
def test_a_body_without_its_place_keeps_all_that_it_says(existing: str, part: str) -> None:
    body = body_with(existing, part)
    assert existing.strip() in body
    assert body_with(body, part) == body


@pytest.mark.parametrize("broken", [f"{BEGIN}\nhalf", f"half\n{END}", f"{END}\n{BEGIN}"])
def test_half_of_the_marks_is_mended(broken: str) -> None:
    body = body_with(broken, "new")
    assert (body.count(BEGIN), body.count(END)) == (1, 1)
    assert body_with(body, "new") == body


@pytest.mark.parametrize(
    ("usual", "unfinished", "merged", "expected"),
    [
        (Decision(Start.FOLLOW, "0.1.0", ""), STOPPED, MERGED, (Start.FOLLOW, "0.1.0")),
        (Decision(Start.RESUME, "0.1.0", ""), STOPPED, MERGED, (Start.RESUME, "0.1.0")),
        # Tagged by us and cut off: it is ended first.
        (Decision(Start.NEW, "0.1.0", ""), None, MERGED, (Start.NEW, "0.1.0")),
        (Decision(Start.NEW, "0.2.0", ""), None, MERGED, (Start.NEW, "0.2.0")),
        (Decision(Start.NEW, "1.0.0", ""), None, MERGED, (Start.NEW, "0.2.0")),
        (Decision(Start.NOTHING, None, ""), None, MERGED, (Start.NEW, "0.2.0")),
        # Nothing is begun that nobody merged.
        (Decision(Start.NEW, "0.2.0", ""), None, None, (Start.NOTHING, None)),
        (Decision(Start.NOTHING, None, ""), None, None, (Start.NOTHING, None)),
        # Newer commits overtake nothing: they are the next pull request's.
        (Decision(Start.NEW, "0.2.0", ""), STOPPED, None, (Start.RESUME, "0.1.0")),
        # A merged fix does.
        (Decision(Start.NEW, "0.2.0", ""), STOPPED, MERGED, (Start.NEW, "0.2.0")),
    ],
)
def test_only_what_was_merged_or_begun_is_released(
    usual: Decision, unfinished: Release | None, merged: Brought | None, expected: tuple[Start, str | None]
) -> None:
    known = Known(PLAN, unfinished, tagged_here=False, on_registry=None)
    found = decide_merged(usual, known, merged)
    assert (found.start, found.version) == expected
