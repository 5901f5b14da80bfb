"""Which channel a branch releases on, and the line of versions that it keeps to. Pure, and without any state: the
branch and the tags say it all, so nobody enters or leaves a mode.

A channel is `stable`, or a word that stands in its versions (`rc`, `beta`, `next`, `dev`), or `snapshot`: a version of
one commit that is below all others. A branch may keep to a line beside that: `1.x` and `1.4.x` by their own names, and
a hotfix branch to the patches of the release that it came from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from shipline.capabilities.plans.versions import SNAPSHOT, STABLE, Numbers, checked_channel
from shipline.domain.errors import InvalidValue, RefusedError, UsageError

LINE = re.compile(r"(?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8}))?\.x", re.ASCII)
# Maintenance branches as others name them: `1.x`, `1.4.x`, `v1.x`, `release/1.x`, `maintenance/1.4.x`.
MAINTENANCE = re.compile(rf"(?:[^/]+/)*v?({LINE.pattern})", re.ASCII)
HOTFIX = re.compile(r"hotfix(?:es)?[/-].+")
PATCHES = "patch"
"""The line of a hotfix branch: the patches of the last release that it contains."""


@dataclass(frozen=True, slots=True)
class ChannelRule:
    """`[[channel]]`: what the branches that fit the glob `branch` release. `name` is the channel. `line` is `1.x`,
    `1.4.x` or `patch`; "" is the one that the branch is named for, if it is named for one."""

    branch: str
    name: str = STABLE
    line: str = ""


@dataclass(frozen=True, slots=True)
class Channel:
    """What is released: the `word` in its versions (`stable` for none), and the `line` that they keep to, or ""."""

    word: str = STABLE
    line: str = ""


def channel_of(branch: str | None, rules: Sequence[ChannelRule], asked: str | None) -> Channel:
    """The channel of a branch: what was asked for, or what the first rule that fits says, or stable.

    The line is the branch's, whatever was asked for, unless that is itself a line. UsageError where HEAD is detached
    (None), so that no rule can fit, and nothing was asked for.
    """
    if branch is None and rules and asked is None:
        raise UsageError(
            "HEAD is detached, so no branch says which channel this is",
            why="shipline.toml has [[channel]] tables, which go by branches",
            todo="name the channel, as with --channel stable, or switch to a branch",
        )
    rule = rule_for(branch, rules) or ChannelRule("")
    line = rule.line or _line_by_name(branch or "")
    if asked is not None and LINE.fullmatch(asked):
        return Channel(STABLE, asked)
    word = checked_channel(rule.name if asked is None else asked)
    return Channel(word, "" if word == SNAPSHOT else line)


def is_hotfix(branch: str | None) -> bool:
    """True for the name of a hotfix branch."""
    return branch is not None and HOTFIX.fullmatch(branch) is not None


def rule_for(branch: str | None, rules: Sequence[ChannelRule]) -> ChannelRule | None:
    """The first rule that fits a branch; `*` stands for anything, slashes too."""
    return next((rule for rule in rules if branch is not None and fnmatchcase(branch, rule.branch)), None)


def line_of(channel: Channel, last: Numbers | None) -> str:
    """The line as text, once it is known what was released last."""
    if channel.line != PATCHES:
        return channel.line
    return "" if last is None else ".".join([*map(str, last[:-1]), "x"])


def check_line(package: str, line: str, target: Numbers, *, text: str, why: str) -> None:
    """Refuse (RefusedError) a version that would leave the line, "" for none; `why` says what asks for it."""
    kept = tuple(int(part) for part in line.split(".")[:-1])
    if target[: len(kept)] != kept:
        raise RefusedError(
            f"{package} {text} would leave the line {line}, which this branch keeps to",
            why=why,
            todo=f"release it from the branch that has what is newer than {line}; here, take the change back or bring "
            "in a smaller one. To keep to another line or to none, give the branch a [[channel]] table",
        )


def _line_by_name(branch: str) -> str:
    named = MAINTENANCE.fullmatch(branch)
    if named is not None:
        return named[1]
    return PATCHES if HOTFIX.fullmatch(branch) else ""


def checked_line(line: str) -> str:
    """Return `line` if it is one; InvalidValue otherwise."""
    if line not in ("", PATCHES) and LINE.fullmatch(line) is None:
        raise InvalidValue(f"{line[:40]!r} is not a line of versions", todo="write it as 1.x, 1.4.x or patch")
    return line
