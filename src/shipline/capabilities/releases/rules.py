"""What `shipline release` has to do for a package: pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.release_plan import PackagePlan

STOPPED, REFUSED = ReleaseStatus.STOPPED, ReleaseStatus.REFUSED
ENDINGS = {"wheel": (".whl",), "sdist": (".tar.gz", ".zip")}


class Start(StrEnum):
    """What to do."""

    NEW = "new"
    RESUME = "resume"
    FOLLOW = "follow"  # It is under way already.
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do and why, in a sentence; `version` is the version concerned, None for nothing."""

    start: Start
    version: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a package before its release.

    `unfinished` is its newest release if that has not been published, or if it stopped after that. `tagged_here` says
    that Shipline itself made the tag of the plan's current version and that the store does not know of its end (so
    that, with an empty store, it may have been cut off); `on_registry` says that the registry serves all files of that
    version, None if there is nothing to serve. `publishing_begun` says that the unfinished release may be on a remote
    or registry in part already.
    """

    plan: PackagePlan
    unfinished: Release | None
    tagged_here: bool
    on_registry: bool | None
    publishing_begun: bool = False
    moved: bool = False


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
            words = (
                f"{unfinished.version} is {unfinished.status.value} and stays unpublished, since commits came after it"
            )
            if plan.next == unfinished.version:
                words = f"{unfinished.version} had come to nothing, and is begun anew on the commits that came after it"
            return Decision(Start.NEW, plan.next, words)
        words = f"{unfinished.version} was begun and is {unfinished.status.value}; it goes on from where it stopped"
        return Decision(Start.RESUME, unfinished.version, words)
    cut_off = known.tagged_here and known.on_registry is False and (known.publishing_begun or not plan.releasable)
    if cut_off and plan.current is not None:
        return Decision(Start.NEW, plan.current, f"{plan.current} is tagged and is not on the registry")
    if plan.releasable:
        return Decision(Start.NEW, plan.next, " ".join(plan.reasons))
    return Decision(Start.NOTHING, None, " ".join(plan.reasons) or "nothing has changed that is worth a release")


def _is_overtaken(known: Known, unfinished: Release) -> bool:
    """True if newer commits make another version of what nobody has seen yet: it is tagged, or not even that."""
    plan = known.plan
    if not plan.releasable or known.publishing_begun or unfinished.status not in (STOPPED, REFUSED):
        return False
    is_another = known.moved or plan.next != unfinished.version
    return plan.current == unfinished.version or (unfinished.commit is None and is_another)


def is_whole(kinds: tuple[str, ...], names: tuple[str, ...]) -> bool:
    """True if a registry that serves files of these names serves all of a version, of which artifacts of these kinds
    are built: wheel and sdist both, where there are both."""
    endings = [ENDINGS[kind] for kind in kinds if kind in ENDINGS]
    return bool(names) and all(any(name.endswith(ending) for name in names) for ending in endings)


def artifact_folder_name(package: str, version: str) -> str:
    """The name of a release's folder: safe whatever the package is called (`@scope/name` too)."""
    safe = "".join(char if char.isalnum() or char in "._-" else "_" for char in package)
    return f"{safe.lstrip('.')}-{version}"
