"""What each thing that Shipline does on a forge takes of the token, and which of them the settings switch on. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeAlias

from shipline.ports.forge.answers import Known
from shipline.ports.forge.rights import Capability

if TYPE_CHECKING:
    from shipline.configuration import RepositorySettings, Settings
    from shipline.ports.forge.rights import Permission

Needs: TypeAlias = tuple[Capability, ...]
_CONTENT, _PULLS, _ISSUES = Capability.CONTENT, Capability.PULLS, Capability.ISSUES


@dataclass(frozen=True, slots=True)
class Work:
    """Something that is done on the forge. `needs` is all that it may take, in the order of the capabilities."""

    name: str
    needs: Needs
    is_on: Callable[[Settings], bool]


WORKS = (
    Work("releases", (_CONTENT,), lambda _: True),
    Work("release pull requests", (_CONTENT, _PULLS), lambda said: said.release.mode == "pull-request"),
    Work("verdicts as statuses", (Capability.STATUSES,), lambda said: said.gates.statuses),
    Work("milestones", (_CONTENT, _PULLS, _ISSUES), lambda said: said.automation.milestones.enabled),
    Work("housekeeping: labels", (_PULLS, _ISSUES), lambda said: said.housekeeping.labels is not None),
    Work("housekeeping: titles", (Capability.STATUSES,), lambda said: said.housekeeping.titles),
    Work("housekeeping: reviewers", (_PULLS,), lambda said: said.housekeeping.reviewers),
    Work("housekeeping: welcome", (_PULLS, _ISSUES), lambda said: said.housekeeping.welcome is not None),
    Work("housekeeping: comment", (_PULLS, _ISSUES, Capability.STATUSES), lambda said: said.housekeeping.comment),
    Work("housekeeping: merge", (_CONTENT, _PULLS), lambda said: said.housekeeping.merge is not None),
    Work("housekeeping: updates", (_CONTENT, _PULLS), lambda said: said.housekeeping.updates is not None),
    Work("housekeeping: closing", (_PULLS, _ISSUES), lambda said: said.housekeeping.closing),
    Work("housekeeping: backports", (_CONTENT, _PULLS, _ISSUES), lambda said: said.housekeeping.backports is not None),
    Work("housekeeping: stale", (_PULLS, _ISSUES), lambda said: said.housekeeping.stale is not None),
    Work("commands in comments", (_PULLS, _ISSUES), lambda said: any(asdict(said.automation.commands).values())),
    Work("an assistant", (_PULLS, _ISSUES), lambda said: bool(said.assistant)),
    Work("sync", (_ISSUES,), lambda said: bool(said.sync.forge)),
    Work("sync: mirror", (_CONTENT, _PULLS), lambda said: bool(said.sync.forge and said.sync.mirror.direction)),
    Work(
        "repository settings",
        (_ISSUES, Capability.HOOKS, Capability.SETTINGS, Capability.VARIABLES, Capability.SECRETS),
        lambda said: any(_repository_needs(said.repository).values()),
    ),
    Work("a watched hook", (Capability.HOOKS,), lambda said: any(hook.url for hook in said.hook)),
)


def needs_of(work: Work, settings: Settings) -> Needs:
    """What it takes as it is set: of the repository's settings only what is said, where anything is."""
    said = _repository_needs(settings.repository)
    if work.name != "repository settings" or not any(said.values()):
        return work.needs
    return tuple(need for need in work.needs if said[need])


def _repository_needs(said: RepositorySettings) -> Mapping[Capability, bool]:
    guards = (said.branch, said.tag, said.merge.methods, said.security, said.environments, said.environment_rule)
    return {
        Capability.ISSUES: bool(said.label or said.milestone),
        Capability.HOOKS: bool(said.webhook),
        Capability.SETTINGS: any(guards),
        Capability.VARIABLES: bool(said.variable),
        Capability.SECRETS: bool(said.secret),
    }


def missing(needs: Iterable[Capability], permissions: Iterable[Permission]) -> tuple[Known, tuple[Permission, ...]]:
    """Whether the token has all of them, and those that it lacks; where it lacks none, those of which nothing is
    said."""
    asked = [each for each in permissions if each.capability in set(needs)]
    for answer in (Known.NO, Known.UNKNOWN):
        found = tuple(each for each in asked if each.granted is answer)
        if found:
            return answer, found
    return Known.YES, ()
