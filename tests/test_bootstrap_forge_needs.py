"""What each work on a forge takes of a token."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipline.bootstrap.forge_needs import WORKS, missing, needs_of
from shipline.configuration import parse_settings
from shipline.ports.forge import Capability, Known, Permission

HAS = tuple(Permission(each, f"write {each}", Known.YES) for each in Capability)


def with_answer(capability: Capability, granted: Known) -> tuple[Permission, ...]:
    return tuple(replace(each, granted=granted) if each.capability is capability else each for each in HAS)


def test_a_token_has_what_a_work_takes_lacks_it_or_nobody_says() -> None:
    """What it lacks hides what is not known."""
    needs = (Capability.PULLS, Capability.ISSUES)
    assert missing(needs, HAS) == (Known.YES, ())
    assert missing(needs, with_answer(Capability.HOOKS, Known.NO)) == (Known.YES, ())
    silent = with_answer(Capability.ISSUES, Known.UNKNOWN)
    assert missing(needs, silent) == (Known.UNKNOWN, (silent[2],))
    both = (*with_answer(Capability.PULLS, Known.NO)[:2], *silent[2:])
    assert missing(needs, both) == (Known.NO, (both[1],))


@pytest.mark.parametrize(
    ("text", "on"),
    [
        ("", {"releases"}),
        (
            '[release]\nmode = "pull-request"\nremote = "origin"\n[forge]\nprovider = "gitea"',
            {"releases", "release pull requests"},
        ),
        (
            '[automation.commands]\npromote = "write"\n[forge]\nprovider = "gitea"',
            {"releases", "commands in comments"},
        ),
        ("[gates]\nstatuses = true", {"releases", "verdicts as statuses"}),
        (
            "[housekeeping]\ntitles = true\n[housekeeping.stale]",
            {"releases", "housekeeping: titles", "housekeeping: stale"},
        ),
        ('[[repository.label]]\nname = "bug"', {"releases", "repository settings"}),
    ],
)
def test_only_what_the_settings_switch_on_is_on(text: str, on: set[str]) -> None:
    settings = parse_settings(text.encode())
    assert {work.name for work in WORKS if work.is_on(settings)} == on


def test_settings_of_the_repository_take_what_is_said() -> None:
    (work,) = (one for one in WORKS if one.name == "repository settings")
    said = parse_settings(b'[[repository.tag]]\npattern = "v*"')
    assert needs_of(work, said) == (Capability.SETTINGS,)
    assert needs_of(work, parse_settings(b"")) == work.needs
