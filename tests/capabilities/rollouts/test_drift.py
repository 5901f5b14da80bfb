"""What counts as drift: pure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipline.capabilities.rollouts.upkeep.drift import (
    FINDINGS_MAX,
    Drift,
    DriftAnswer,
    Finding,
    Recorded,
    compared,
    unknown,
)
from shipline.capabilities.rollouts.upkeep.drifting import DriftMemory, drift_words, remembered
from shipline.ports.target import Group, Role
from shipline.ports.traffic import Route

ONE, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64
RECORDED = Recorded("quotes", "1.1.0", (ONE,), 2)


def group(version: str = "1.1.0", *, size: int = 2, ready: int | None = None, trouble: str = "") -> Group:
    name = f"g-{version.replace('.', '-')}"
    is_ready = size if ready is None else ready
    return Group(name, Role.STABLE, "quotes", version, size, is_ready, (), 0, (ONE,), trouble)


def route(version: str = "1.1.0", share: float = 1.0) -> Route:
    return Route(f"g-{version.replace('.', '-')}", Role.STABLE, version, share, ())


def kinds(drift: Drift) -> list[tuple[str, str]]:
    return [one.key for one in drift.findings]


def test_what_runs_as_recorded_is_no_drift() -> None:
    """Rounded shares and routes that serve nothing included; and what is kept warm."""
    rounded = (route(share=0.996), route("1.0.0", 0.004))
    assert compared(RECORDED, rounded, (group(), group("1.0.0"))).answer is DriftAnswer.NONE
    warm = replace(RECORDED, warm="1.0.0")
    assert compared(warm, (route(), route("1.0.0", 0.0)), (group(), group("1.0.0"))).answer is DriftAnswer.NONE
    assert compared(None, (), ()).answer is DriftAnswer.NONE


@pytest.mark.parametrize(
    ("routes", "groups", "found", "by_hand"),
    [
        ((route("1.0.0"),), (group("1.0.0"),), [("version", "1.0.0")], True),
        ((), (group(),), [("version", "1.1.0"), ("stray", "g-1-1-0")], True),
        ((route(share=0.7), route("1.0.0", 0.3)), (group(), group("1.0.0")), [("share", "1.0.0")], True),
        ((route(share=0.5),), (group(),), [("share", "elsewhere")], True),
        ((route(),), (replace(group(), digests=(OTHER,)),), [("digests", "g-1-1-0")], True),
        ((route(),), (group(trouble="its image was changed by somebody else"),), [("content", "g-1-1-0")], True),
        ((route(),), (group(size=5),), [("size", "1.1.0")], False),
        ((route(),), (group(ready=1, trouble="it ended"),), [("health", "g-1-1-0")], False),
        ((route(),), (), [("health", "g-1-1-0")], False),
        ((route(),), (group(), group("1.0.0")), [("stray", "g-1-0-0")], False),
    ],
)
def test_what_does_not_is_named(
    routes: tuple[Route, ...], groups: tuple[Group, ...], found: list[tuple[str, str]], *, by_hand: bool
) -> None:
    drift = compared(RECORDED, routes, groups)
    assert (kinds(drift), drift.is_by_hand) == (found, by_hand)
    assert drift.is_adoptable == (by_hand and ("content", "g-1-1-0") not in found)


def test_it_is_said_in_words() -> None:
    drift = compared(RECORDED, (route(share=0.7), route("1.0.0", 0.3)), (group(size=1), group("1.0.0")))
    assert [one.words for one in drift.findings] == [
        "1.0.0 has 30.0% of the traffic, and quotes 1.1.0 is on record",
        "1 copies of quotes 1.1.0 are there, and 2 should be",
    ]
    assert compared(None, (route(),), (group(),)).findings[0].words.endswith("and nothing is on record")


def test_there_is_an_end_to_it() -> None:
    many = tuple(replace(group(), id=f"g-{number}") for number in range(200))
    assert len(compared(RECORDED, (route(),), (group(), *many)).findings) == FINDINGS_MAX


def test_a_look_that_cannot_tell_forgets_nothing() -> None:
    found = (Finding("size", "1.1.0", "1 copy is there"),)
    known = remembered(DriftMemory(), Drift(DriftAnswer.DRIFT, found), 10)
    assert known == DriftMemory(10, found, 10, "")
    blind = remembered(known, unknown("the proxy does not answer"), 20)
    assert blind == DriftMemory(10, found, 10, "the proxy does not answer")
    assert drift_words(blind) == "Whether it is as recorded cannot be told now: the proxy does not answer."
    assert remembered(blind, Drift(DriftAnswer.DRIFT, found), 30) == DriftMemory(30, found, 10, "")
    well = remembered(blind, Drift(DriftAnswer.NONE), 40)
    assert (well, drift_words(well)) == (DriftMemory(40, (), None, ""), "It is as recorded.")
