"""Whether what runs in an environment is what is on record: pure.

What cannot be read is UNKNOWN, which is not the same as no drift.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from shipline.capabilities.rollouts.waiting import standing
from shipline.ports.target import Group
from shipline.ports.traffic import Route

# Splitters round: HAProxy's weights are 256ths.
SHARE_TOLERANCE = 0.01
FINDINGS_MAX = 50
WORDS_MAX = 500


class DriftAnswer(StrEnum):
    """What came of the comparison."""

    NONE = "none"
    DRIFT = "drift"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. `kind` is version, share, digests, size, health, content, or stray; `about` is the group, or the
    version, that it is about, or `elsewhere`; `words` say it to people."""

    kind: str
    about: str
    words: str

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same finding at another look."""
        return self.kind, self.about


@dataclass(frozen=True, slots=True)
class Drift:
    """`why_unknown` says why nobody can tell, "" otherwise. `held` is the version that is held there, "" for none: what
    brings versions does not bring that one again. `is_pending`: a look is under way, which will tell."""

    answer: DriftAnswer
    findings: tuple[Finding, ...] = ()
    why_unknown: str = ""
    held: str = ""
    is_pending: bool = False

    @property
    def is_by_hand(self) -> bool:
        """True if something else serves than is on record: what adopting and restoring are for."""
        return any(one.kind in ("version", "share", "digests", "content") for one in self.findings)

    @property
    def is_adoptable(self) -> bool:
        """True if what serves can be put on record: a version that was made into another one cannot, as what it is
        not."""
        return self.is_by_hand and not any(one.kind == "content" for one in self.findings)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is on record as served, by `size` copies; None where a controller says how many. `warm` is the version that
    is kept running beside, or None."""

    package: str
    version: str
    digests: tuple[str, ...]
    size: int | None
    warm: str | None = None


def compared(recorded: Recorded | None, routes: tuple[Route, ...], groups: tuple[Group, ...]) -> Drift:
    """Compare the record (None: nothing serves) with what the splitter and the target say."""
    findings = tuple(_findings(recorded, routes, {group.id: group for group in groups}))[:FINDINGS_MAX]
    return Drift(DriftAnswer.DRIFT if findings else DriftAnswer.NONE, findings)


def unknown(why: str, *, is_pending: bool = False) -> Drift:
    """Nobody can tell, or not yet."""
    return Drift(DriftAnswer.UNKNOWN, why_unknown=why[:WORDS_MAX], is_pending=is_pending)


def _findings(recorded: Recorded | None, routes: tuple[Route, ...], groups: dict[str, Group]) -> Iterator[Finding]:
    serving = [route for route in routes if route.share > 0]
    yield from _shares(recorded, serving)
    mine = [groups[route.group_id] for route in serving if route.group_id in groups and _is_of(recorded, route)]
    if recorded is not None:
        yield from _copies(recorded, mine)
    for route in serving:
        if route.group_id not in groups:
            yield Finding("health", route.group_id, f"the proxy leads to {route.group_id}, which does not run")
    served = {route.group_id for route in routes if route.serves}
    for group in groups.values():
        if group.id not in served and not (recorded is not None and group.version == recorded.warm):
            words = f"{group.id} ({group.package} {group.version}) runs, and no traffic leads there"
            yield Finding("stray", group.id, words)


def _is_of(recorded: Recorded | None, route: Route) -> bool:
    return recorded is not None and route.version == recorded.version


def _shares(recorded: Recorded | None, serving: list[Route]) -> Iterator[Finding]:
    """Which version has which part of the traffic."""
    wanted = None if recorded is None else recorded.version
    on_record = "nothing" if recorded is None else f"{recorded.package} {recorded.version}"
    shares: dict[str, float] = {}
    for route in serving:
        shares[route.version] = shares.get(route.version, 0.0) + route.share
    for version, share in sorted(shares.items()):
        if version != wanted and share > SHARE_TOLERANCE:
            kind = "version" if share >= 1 - SHARE_TOLERANCE else "share"
            yield Finding(kind, version, f"{version} has {share:.1%} of the traffic, and {on_record} is on record")
    elsewhere = 1 - sum(shares.values())
    if shares and elsewhere > SHARE_TOLERANCE:
        yield Finding("share", "elsewhere", f"{elsewhere:.1%} of the traffic goes to what is none of Shipline's")
    if wanted is not None and not shares:
        yield Finding("version", wanted, f"nothing has traffic, and {on_record} is on record")


def _copies(recorded: Recorded, groups: list[Group]) -> Iterator[Finding]:
    """The groups of the recorded version that serve: what they run, how many copies, and whether those are well."""
    for group in groups:
        if group.digests and not set(group.digests) & set(recorded.digests or group.digests):
            yield Finding("digests", group.id, f"{group.id} runs other artifacts than those that are on record")
        if group.is_whole and group.trouble:
            yield Finding("content", group.id, f"{group.id}: {group.trouble[:WORDS_MAX]}")
        elif not group.is_whole:
            yield Finding(
                "health", group.id, f"{standing(group)}" + (f": {group.trouble[:WORDS_MAX]}" if group.trouble else "")
            )
    there = sum(group.size for group in groups)
    if groups and recorded.size is not None and there != recorded.size:
        words = f"{there} copies of {recorded.package} {recorded.version} are there, and {recorded.size} should be"
        yield Finding("size", recorded.version, words)
