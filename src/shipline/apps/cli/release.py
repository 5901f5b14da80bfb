"""`shipline release`: one button from commits to a published, proven version."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import click

from shipline.apps.cli.wording import printable
from shipline.domain.errors import ExitCode, NothingToDo, RefusedError, ShiplineError, UsageError

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.releases import Candidate, Decision, Foreseen, Kept
    from shipline.domain.release import Release

# What counts as something done; what is said of it, and of the rest.
CHANGES = frozenset({"opened", "updated", "closed"})
WORDS = {
    "opened": "open",
    "updated": "updated",
    "unchanged": "as it was",
    "closed": "closed: nothing is to be released",
}


@dataclass(frozen=True, slots=True)
class ReleaseOptions:
    """The command's options. `candidate` is the tag of a release candidate that is to be final, None for none."""

    names: tuple[str, ...]
    channel: str | None
    candidate: str | None
    only_pull_request: bool
    dry_run: bool
    as_json: bool

    def __post_init__(self) -> None:
        """Refuse what says the same thing twice."""
        if self.candidate is not None and (self.names or self.channel is not None or self.only_pull_request):
            raise click.UsageError("--from says what to release already: leave --package, --channel and --pr away.")


@click.command(name="release")
@click.option("--package", "names", multiple=True, metavar="NAME", help="Only this package; may be given again.")
@click.option(
    "--channel", metavar="CHANNEL", help="Release on this channel: rc, beta, snapshot ... or a line such as 1.x."
)
@click.option("--from", "candidate", metavar="TAG", help="Make the release candidate with this tag final.")
@click.option("--pr", "only_pull_request", is_flag=True, help="Only keep the release pull request up to date.")
@click.option(
    "--dry-run", "dry_run", is_flag=True, help="Say what would be done, with the diff of its files, and do nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: shipline.release/1, or shipline.release-preview/1.")
@click.pass_obj
def command(application: Application, /, **given: Any) -> int:
    """Release what has changed. Run it again after trouble: it goes on from where it stopped.

    Exit codes: 0 released, 1 stopped (run it again), 3 refused by a gate, 4 nothing to release.
    """
    return release(application, ReleaseOptions(**given))


def release(application: Application, asked: ReleaseOptions) -> int:
    """Release what is asked for. NothingToDo where there is nothing; other errors as the command tells them."""
    from shipline.apps.cli.progress import engine_running

    if asked.dry_run:
        return _foretell(application, asked)
    releases: list[Release] = []
    reason = ""
    attached = application.attach()
    if attached is not None:
        click.echo(
            printable(f"HEAD was detached, and CI says that it is {attached}: it is on {attached} now"), err=True
        )
    if not asked.only_pull_request:
        with engine_running(application):
            releases, reason = _release_each(application, asked)
    kept = None
    if asked.only_pull_request or (_by_pull_request(application) and asked.candidate is None):
        kept = _keep_pull_request(application)
        reason = "; ".join(part for part in (reason, kept.reason) if part)
    if asked.as_json:
        document = {"schema": "shipline.release/1", "releases": [_document(one) for one in releases]}
        click.echo(json.dumps(document | {"pull_request": _pull_request(kept)}, indent=2))
    if not releases and (kept is None or kept.change not in CHANGES):
        raise NothingToDo("nothing to release", why=reason)
    return int(ExitCode.DONE)


def _foretell(application: Application, asked: ReleaseOptions) -> int:
    """Say what the same command would do without --dry-run."""
    from shipline.apps.cli.release_preview import Preview, show
    from shipline.capabilities.releases import foresee, foresee_pull_request

    application.only_read()
    ground, by_pull = application.release_ground, _by_pull_request(application) and asked.candidate is None
    releases: tuple[Foreseen, ...] = ()
    if not asked.only_pull_request:
        candidates, branch = _candidates(application, asked), application.release_branch
        releases = foresee(ground, candidates, branch=branch, merged_alone=_by_pull_request(application))
    pull = None
    if asked.only_pull_request or by_pull:
        pull = foresee_pull_request(ground, application.candidates(()), target=_target(application))
    return show(Preview(releases, pull), as_json=asked.as_json)


def _by_pull_request(application: Application) -> bool:
    return application.settings.release.mode == "pull-request"


def _keep_pull_request(application: Application) -> Kept:
    """The release pull request to the branch that releases are made from, as HEAD wants it."""
    from shipline.capabilities.releases import keep_pull_request

    kept = keep_pull_request(application.release_ground, application.candidates(()), target=_target(application))
    if kept.pull is None:
        return kept
    click.echo(f"release pull request #{kept.pull.number} is {WORDS[kept.change]}: {kept.pull.url}", err=True)
    return replace(kept, reason=f"its pull request #{kept.pull.number} says so already")


def _target(application: Application) -> str:
    """The branch that release pull requests go to."""
    target = application.policy.branch or application.branch
    if target is None:
        raise UsageError(
            "HEAD is detached, so that it cannot be told which branch is released from",
            todo="set branch in [release] in shipline.toml, or switch to a branch",
        )
    return target


def _pull_request(kept: Kept | None) -> dict[str, Any] | None:
    if kept is None or kept.pull is None:
        return None
    return {"change": kept.change, "number": kept.pull.number, "title": kept.pull.title, "url": kept.pull.url}


def _candidates(application: Application, asked: ReleaseOptions) -> tuple[Candidate, ...]:
    """What is to be released, or the release candidate that is to be final."""
    if asked.candidate is not None:
        return (application.final_candidate(asked.candidate),)
    return application.candidates(asked.names, channel=asked.channel)


def _release_each(application: Application, asked: ReleaseOptions) -> tuple[list[Release], str]:
    """What was released, and why nothing else was.

    What was begun before is ended first; what is planned after that stands on it. One that stops holds up those that
    require it, and no others: it is raised at the end, a stop before a refusal.
    """
    from shipline.capabilities.releases import unfinished_first

    candidates = _candidates(application, asked)
    told = Told()
    if not _by_pull_request(application):
        first, rest = unfinished_first(application.release_ground, candidates)
        _release_in_turn(application, first, told)
        candidates = _candidates(application, asked) if first and rest else rest
        candidates = tuple(one for one in candidates if one.package.name not in told.stopped)
    _release_in_turn(application, candidates, told)
    told.raise_what_stopped()
    return told.released, "; ".join(told.reasons)


@dataclass(frozen=True, slots=True)
class Told:
    """How the releases of one command went, by the names of packages where they are not released.

    `reasons` say why one was left alone, `waiting` what it waits for, `stopped` are errors.
    """

    released: list[Release] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    stopped: dict[str, ShiplineError] = field(default_factory=dict)

    def wait(self, package: str, why: str) -> None:
        """Say what does not begin, since something that it needs has not ended."""
        self.waiting[package] = why
        click.echo(printable(f"  not released: {package} {why}"), err=True)

    def raise_what_stopped(self) -> None:
        """Raise a stop, else a refusal, else what waits for a package that this command was not to release."""
        errors = sorted(self.stopped.values(), key=lambda error: isinstance(error, RefusedError))
        for error in errors[1:]:
            click.echo(printable(f"  {error.what}"), err=True)
        if errors:
            raise errors[0]
        if self.waiting:
            listed = "; ".join(f"{package} {why}" for package, why in self.waiting.items())
            raise RefusedError(listed, todo="`shipline release` ends that first, then goes on with this")


def _release_in_turn(application: Application, candidates: tuple[Candidate, ...], told: Told) -> None:
    """One after the other; the first new one makes the commit of all."""
    from shipline.apps.cli.progress import follow
    from shipline.capabilities.releases import moved_tag

    for place, candidate in enumerate(candidates):
        name, since_us = candidate.package.name, application.clock.now_us()
        try:
            decision, release = _begin(application, candidate, candidates[place + 1 :])
        except RefusedError as error:
            if not told.stopped:
                raise
            told.wait(name, f"{candidate.plan.next}: {error.what}")
            continue
        if release is None:
            if decision.waits:
                told.wait(name, decision.reason)
            moved = moved_tag(application.release_ground, candidate)
            told.reasons.append(f"{name}: {decision.reason}" + (f" But {moved}" if moved else ""))
            continue
        click.echo(f"{release.package} {release.version}: {decision.reason}", err=True)
        follow(application, f"release:{release.id}", since_us=since_us)
        try:
            told.released.append(_ended(application, release.id))
        except ShiplineError as error:
            told.stopped[name] = error
            continue
        _tell_promotion(application, candidate, told.released[-1])


def _begin(
    application: Application, candidate: Candidate, fellows: tuple[Candidate, ...]
) -> tuple[Decision, Release | None]:
    from shipline.apps.cli.person import local_person
    from shipline.capabilities.releases import release_merged, release_package

    ground, engine, actor = application.release_ground, application.engine, local_person()
    branch = application.release_branch
    if _by_pull_request(application):
        return release_merged(ground, engine, candidate, actor, branch=branch)
    return release_package(ground, engine, candidate, actor, branch=branch, fellows=fellows)


def _tell_promotion(application: Application, candidate: Candidate, release: Release) -> None:
    """For each artifact of a final version, whether these are the candidate's bytes; and how the branch gets it."""
    if candidate.promotes is None:
        return
    from shipline.capabilities.releases import find_release, told

    with application.store.begin() as tx:
        before = find_release(tx, release.package, candidate.promotes)
    for sentence in told(before, release, tree_states_it=bool(candidate.version_files)):
        click.echo(f"  {sentence}", err=True)
    if candidate.beside is not None and candidate.beside != release.commit:
        click.echo(f"  its commit stands beside the branch; to bring it in: git merge {release.tag}", err=True)


def _ended(application: Application, release_id: str) -> Release:
    """The release as it is now. A stop is an error, a gate's no a refusal."""
    from shipline.capabilities.releases import RELEASES, has_halted, verdicts_of
    from shipline.domain.release import ReleaseStatus

    with application.store.begin() as tx:
        release = RELEASES.find(tx, release_id)
        verdicts = verdicts_of(tx, release_id)
        halted = has_halted(tx, release_id)
    if release is None or release.status is ReleaseStatus.STOPPED:
        raise ShiplineError(
            f"the release{'' if release is None else f' of {release.version}'} stopped; nothing is lost",
            todo="mend what is named above, then run `shipline release` again: it does only what is missing",
        )
    if release.status is ReleaseStatus.REFUSED:
        newest = {verdict.gate: verdict.answer.value for verdict in verdicts}
        closed = ", ".join(f"{gate} {answer}" for gate, answer in newest.items() if answer != "PASS")
        raise RefusedError(
            f"{release.package} {release.version} was refused: {closed}",
            todo="commit what mends it, or change the gate, then run `shipline release` again",
        )
    for publication in release.publications:
        click.echo(f"  {publication.registry}: {', '.join(publication.files)} ({publication.seconds:.1f} s)", err=True)
    if halted:
        raise ShiplineError(
            f"{release.package} {release.version} is {_outcome(release)}, and stopped after that",
            todo="mend what is named above, then run `shipline release` again: it does only what is missing",
        )
    click.echo(f"{release.package} {release.version} is {_outcome(release)} (tag {release.tag})", err=True)
    return release


def _outcome(release: Release) -> str:
    """Its status; a version that no registry was given is released, and published nowhere."""
    from shipline.domain.release import ReleaseStatus

    if release.status is ReleaseStatus.PUBLISHED and not release.publications:
        return "released"
    return release.status.value


def _document(release: Release) -> dict[str, Any]:
    from shipline.domain.codec import to_json

    document: dict[str, Any] = to_json(release)
    return document
