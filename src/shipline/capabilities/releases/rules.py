"""What `shipline release` has to do for a package: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.release_plan import PackagePlan

STOPPED, REFUSED = ReleaseStatus.STOPPED, ReleaseStatus.REFUSED
UNPUBLISHED = (ReleaseStatus.PREPARING, STOPPED, REFUSED)
SUBJECT_LENGTH_MAX = 120
ENDINGS = {"wheel": (".whl",), "sdist": (".tar.gz", ".zip")}


class Start(StrEnum):
    """What to do."""

    NEW = "new"
    RESUME = "resume"
    FOLLOW = "follow"  # It is under way already.
    WAIT = "wait"  # For the release of a package that it requires.
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do and why, in a sentence; `version` is the version concerned, None for nothing."""

    start: Start
    version: str | None
    reason: str

    @property
    def waits(self) -> bool:
        """True where another release has to end first."""
        return self.start is Start.WAIT


@dataclass(frozen=True, slots=True)
class Brought:
    """A version that a commit of the branch has brought, by a pull request or with other packages, untagged yet.

    `commit` is the one that brought it onto the branch, whose time is `time_us`; `section` is its part of the changelog
    as it is there.
    """

    version: str
    commit: str
    time_us: int
    section: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a package before its release.

    `unfinished` is its newest release if that has not been published, or if it stopped after that. `tagged_here` says
    that Shipline itself made the tag of the plan's current version and that the store does not know of its end (so
    that, with an empty store, it may have been cut off); `on_registry` says that the registry serves all files of that
    version, None if there is nothing to serve. `publishing_begun` says that the unfinished release may be on a remote
    or registry in part already. `committed` is a version that a release commit holds and that has no tag yet, since it
    waited for another package's release; `overtaken` is one that newer commits have made obsolete. `taken_back`: git
    remembers that the current version was yanked.
    """

    plan: PackagePlan
    unfinished: Release | None
    tagged_here: bool
    on_registry: bool | None
    publishing_begun: bool = False
    moved: bool = False
    committed: Brought | None = None
    taken_back: bool = False
    overtaken: Brought | None = None


def decide_start(known: Known) -> Decision:
    """What `shipline release` does for one package.

    A version that was begun is ended before another is begun, unless newer commits (a fix, most likely) came before
    any of it was published. With an empty store (a CI runner's) the tag and the registry say whether the last version
    was begun and not ended. One of which nothing is served is left where it is once newer commits came: it may as
    well have been removed as never published, and the next version holds all that it held.
    """
    plan, unfinished = known.plan, known.unfinished
    if unfinished is not None:
        if unfinished.status is ReleaseStatus.PREPARING:
            return Decision(Start.FOLLOW, unfinished.version, f"{unfinished.version} is under way")
        if _is_overtaken(known, unfinished):
            since = (
                "since commits came after it"
                if unfinished.channel == plan.channel
                else "since another channel was asked for"
            )
            words = f"{unfinished.version} is {unfinished.status.value} and stays unpublished, {since}"
            if plan.next == unfinished.version:
                words = f"{unfinished.version} had come to nothing, and is begun anew on the commits that came after it"
            return _committed(known) or Decision(Start.NEW, plan.next, words)
        words = f"{unfinished.version} was begun and is {unfinished.status.value}; it goes on from where it stopped"
        return Decision(Start.RESUME, unfinished.version, words)
    cut_off = known.tagged_here and known.on_registry is False and (known.publishing_begun or not plan.releasable)
    if cut_off and plan.current is not None:
        return Decision(Start.NEW, plan.current, f"{plan.current} is tagged and is not on the registry")
    return _committed(known) or _planned(known)


def decide_merged(usual: Decision, known: Known, merged: Brought | None) -> Decision:
    """What `shipline release` does where releases come by pull request, given what it would do directly.

    What was begun is ended, also after newer commits: those are the next pull request's. Nothing else is begun but what
    was merged.
    """
    cut_off = usual.start is Start.NEW and usual.version == known.plan.current
    if cut_off or usual.start in (Start.FOLLOW, Start.RESUME):
        return usual
    if merged is not None:
        return Decision(Start.NEW, merged.version, f"{merged.version} was merged")
    if known.unfinished is not None:
        words = f"{known.unfinished.version} was begun and goes on from where it stopped"
        return Decision(Start.RESUME, known.unfinished.version, words)
    if usual.start is Start.NEW:
        return Decision(Start.NOTHING, None, f"{usual.version} waits for its pull request to be merged")
    return usual


def _planned(known: Known) -> Decision:
    plan = known.plan
    if plan.releasable:
        return Decision(Start.NEW, plan.next, " ".join(plan.reasons))
    if known.taken_back:
        return Decision(Start.NOTHING, None, f"{plan.current} was taken back, and nothing was mended since")
    return Decision(Start.NOTHING, None, " ".join(plan.reasons) or "nothing has changed that is worth a release")


def _committed(known: Known) -> Decision | None:
    brought = known.committed
    if brought is None:
        return None
    words = f"{brought.version} is in the release commit {brought.commit[:7]}, and has no tag yet"
    return Decision(Start.NEW, brought.version, words)


def _is_overtaken(known: Known, unfinished: Release) -> bool:
    """True if newer commits, or another channel, make another version of what nobody has seen yet."""
    plan = known.plan
    if not plan.releasable or known.publishing_begun or unfinished.status not in (STOPPED, REFUSED):
        return False
    if unfinished.channel != plan.channel and unfinished.version not in (plan.current, plan.next):
        return True
    is_another = known.moved or plan.next != unfinished.version
    return plan.current == unfinished.version or (unfinished.commit is None and is_another)


def is_whole(kinds: tuple[str, ...], names: tuple[str, ...]) -> bool:
    """True if a registry that serves files of these names serves all of a version, of which artifacts of these kinds
    are built: wheel and sdist both, where there are both."""
    endings = [ENDINGS[kind] for kind in kinds if kind in ENDINGS]
    return bool(names) and all(any(name.endswith(ending) for name in names) for ending in endings)


def former_folder_name(package: str, version: str) -> str:
    """The name that a release's folder had up to 0.1: two packages could share one. Read where a release is in it."""
    safe = "".join(char if char.isalnum() or char in "._-" else "_" for char in package)
    return f"{safe.lstrip('.')}-{version}"


def subject_of(pattern: str, released: Sequence[tuple[str, str]]) -> str:
    """The subject of a release commit: by the pattern of `commit_message` for one package, else all their names.

    `released` are names and versions; where that gets too long, it is how many.
    """
    if len(released) == 1:
        ((name, version),) = released
        return pattern.replace("{package}", name).replace("{version}", version)
    start = pattern.partition("{package}")[0].partition("{version}")[0].rstrip() or "release"
    whole = f"{start} {', '.join(f'{name} {version}' for name, version in released)}"
    return whole if len(whole) <= SUBJECT_LENGTH_MAX else f"{start} {len(released)} packages"


def with_entries_of(section: str, older: str) -> str:
    """A changelog's section with the entries of an older form of it that it lacks, each below its heading.

    What another package's release has made necessary, and what changesets have said, no plan finds again once a commit
    holds it.
    """
    groups = _entries(section)
    for heading, entries in _entries(older).items():
        known = {entry.strip() for entry in groups.get(heading, [])}
        groups.setdefault(heading, []).extend(entry for entry in entries if entry.strip() not in known)
    head, *_ = section.partition("\n### ")
    blocks = (f"\n{heading}\n\n" + "".join(entries).rstrip("\n") + "\n" for heading, entries in groups.items())
    return (head.rstrip("\n") + "\n" + "".join(blocks)) if groups else section


def _entries(section: str) -> dict[str, list[str]]:
    """The entries of a section by their headings, each with all its lines."""
    groups: dict[str, list[str]] = {}
    heading = ""
    for line in section.replace("\r\n", "\n").splitlines(keepends=True):
        if line.startswith("### "):
            heading = line.strip()
            groups.setdefault(heading, [])
        elif heading and (line.startswith("- ") or not groups[heading]):
            if line.strip():
                groups[heading].append(line)
        elif heading:
            groups[heading][-1] += line
    return groups
