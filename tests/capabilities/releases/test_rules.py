"""What `shipline release` does: the decision table."""

from __future__ import annotations

import pytest

from shipline.capabilities.releases.rules import (
    Known,
    Start,
    decide_start,
    is_whole,
    with_entries_of,
)
from shipline.domain.change import Bump
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.release_plan import PackagePlan

STOPPED, REFUSED = ReleaseStatus.STOPPED, ReleaseStatus.REFUSED


def plan(current: str | None, following: str | None = None) -> PackagePlan:
    bump = Bump.NONE if following is None else Bump.MINOR
    return PackagePlan("quotes", ".", current, following or current, bump, None, "stable", (), ())


def begun(version: str, status: ReleaseStatus, *, tagged: bool = True) -> Release:
    return Release("rel_1", "quotes", version, f"v{version}", status, 1, 0, commit="c0ffee" if tagged else None)


@pytest.mark.parametrize(
    ("known", "start", "version"),
    [
        (Known(plan(None), None, False, None), Start.NOTHING, None),
        (Known(plan(None, "0.1.0"), None, False, None), Start.NEW, "0.1.0"),
        (Known(plan("1.0.0", "1.1.0"), None, False, None), Start.NEW, "1.1.0"),
        (Known(plan("1.0.0"), None, False, None), Start.NOTHING, None),
        # With an empty store, what the tag and the registry say.
        (Known(plan("1.0.0"), None, True, False), Start.NEW, "1.0.0"),
        (Known(plan("1.0.0", "1.1.0"), None, True, False), Start.NEW, "1.1.0"),
        (Known(plan("1.0.0", "1.1.0"), None, True, False, True), Start.NEW, "1.0.0"),
        (Known(plan("1.0.0"), None, True, True), Start.NOTHING, None),
        (Known(plan("1.0.0", "1.1.0"), None, True, True), Start.NEW, "1.1.0"),
        (Known(plan("1.0.0"), None, True, None), Start.NOTHING, None),
        # What was begun is ended first.
        (Known(plan("1.0.0", "1.1.0"), begun("1.0.0", ReleaseStatus.PREPARING), False, None), Start.FOLLOW, "1.0.0"),
        (Known(plan("1.0.0"), begun("1.0.0", STOPPED), False, None), Start.RESUME, "1.0.0"),
        (Known(plan("1.0.0"), begun("1.0.0", REFUSED), False, None), Start.RESUME, "1.0.0"),
        # Unless newer commits came, and nobody has seen it yet.
        (Known(plan("1.0.0", "1.0.1"), begun("1.0.0", STOPPED), False, None), Start.NEW, "1.0.1"),
        (Known(plan("1.0.0", "1.0.1"), begun("1.0.0", REFUSED), False, None), Start.NEW, "1.0.1"),
        (Known(plan("1.0.0", "1.0.1"), begun("1.0.0", STOPPED), False, None, True), Start.RESUME, "1.0.0"),
        (Known(plan("0.9.0", "1.0.0"), begun("1.0.0", STOPPED, tagged=False), False, None), Start.RESUME, "1.0.0"),
        (Known(plan("0.9.0", "2.0.0"), begun("1.0.0", STOPPED, tagged=False), False, None), Start.NEW, "2.0.0"),
        # Published, and its bundle is missing.
        (
            Known(plan("1.0.0", "1.1.0"), begun("1.0.0", ReleaseStatus.PUBLISHED), False, None, True),
            Start.RESUME,
            "1.0.0",
        ),
    ],
)
def test_what_is_done_follows_from_what_is_known(known: Known, start: Start, version: str | None) -> None:
    decision = decide_start(known)
    assert (decision.start, decision.version) == (start, version)
    assert decision.reason or start is Start.NEW


@pytest.mark.parametrize(
    ("kinds", "names", "whole"),
    [
        (("wheel", "sdist"), (), False),
        (("wheel", "sdist"), ("quotes-1.0.0-py3-none-any.whl",), False),
        (("wheel", "sdist"), ("quotes-1.0.0.tar.gz",), False),
        (("wheel", "sdist"), ("quotes-1.0.0-py3-none-any.whl", "quotes-1.0.0.tar.gz"), True),
        (("npm",), (), False),
        (("npm",), ("quotes-1.0.0.tgz",), True),
        (("oci",), ("quotes-1.0.0.oci",), True),
    ],
)
def test_a_python_version_is_whole_with_wheel_and_sdist(
    kinds: tuple[str, ...], names: tuple[str, ...], *, whole: bool
) -> None:
    assert is_whole(kinds, names) is whole


def test_a_section_keeps_what_only_its_older_form_says() -> None:
    older = "## [1.1.0] - 2026-01-01\n\n### Fixed\n\n- a\n  more of a\n\n### Dependencies\n\n- require core 2.0.0\n"
    newer = "## [1.1.0] - 2026-01-02\n\n### Added\n\n- c\n\n### Fixed\n\n- b\n- a\n  more of a\n"
    assert with_entries_of(newer, older) == newer + "\n### Dependencies\n\n- require core 2.0.0\n"
    assert with_entries_of(newer, newer.replace("\n", "\r\n")) == newer
    assert with_entries_of("## [1.1.0]\n\nNothing.\n", "## [1.1.0]\n\nNothing else.\n") == "## [1.1.0]\n\nNothing.\n"
