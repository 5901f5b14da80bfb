"""What people ask for in comments and on the page, done: each verb tried first, begun once, and followed to its end.

The command line orders the same by the same functions, so that all are held to the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shipline.bootstrap.asked_freezes import FREEZING, AskedFreezes
from shipline.bootstrap.orders import (
    DeploymentWish,
    RollbackWish,
    chosen_environment,
    order_deployment,
    order_rollback,
    tried,
    way_of,
)
from shipline.bootstrap.releasing import begin, by_pull_request, caught_up, own_tree, under_way
from shipline.capabilities.automation import Foretold, Progress, Verb
from shipline.capabilities.releases import Start, find_release, foresee, has_halted, verdicts_of
from shipline.capabilities.rollouts import (
    KeyedRequest,
    RolloutCommand,
    command_rollout,
    latest_rollout,
    ordered_once,
    ordered_with,
    promotable_version,
)
from shipline.domain.errors import NothingToDo, RefusedError, ShiplineError, UnavailableError
from shipline.domain.release import ReleaseStatus
from shipline.domain.rollout import ENDED, RolloutStatus
from shipline.domain.verdict import Answer
from shipline.engine import journal
from shipline.engine.rules import ENDED as RUN_ENDED

if TYPE_CHECKING:
    from shipline.bootstrap.places import OrderingPlace
    from shipline.capabilities.automation import Wish
    from shipline.capabilities.releases import Foreseen
    from shipline.domain.rollout import Rollout
    from shipline.store.transaction import Transaction

SENTENCES_MAX = 6


class AskedReleases:
    """Releases: of all that is due, or of one package, at exactly the versions that were foretold.

    A server brings its own copy of the repository up to date first; a job releases what it has checked out.
    """

    def __init__(self, application: OrderingPlace) -> None:
        self._application = application

    def foretell(self, wish: Wish) -> Foretold:
        """What `shipline release --dry-run` says. NothingToDo, RefusedError as that."""
        with own_tree(self._application):
            if under_way(self._application):
                raise UnavailableError("something is being released just now")
            here = self._here()
            due, idle = _due(here, wish.spoken.package)
            head = here.repository.head()
        if not due:
            raise NothingToDo("nothing is to be released", why="; ".join(idle))
        wanted = wish.spoken.version
        chosen = [one for one in due if wanted in (None, one.decision.version)]
        if not chosen:
            listed = ", ".join(f"{one.package} {one.decision.version}" for one in due)
            raise RefusedError(f"{wanted} is not what would be released: {listed} is", todo="say that version, or none")
        sentences = [sentence for one in chosen for sentence in _told(one)]
        return Foretold(
            tuple(sentences), {"versions": {one.package: one.decision.version for one in chosen}, "head": head}
        )

    def carry(self, wish: Wish, plan: dict[str, Any]) -> Progress:
        """Begin the next of the plan that has not begun, where none is under way; else say how they stand."""
        versions: dict[str, str] = plan["versions"]
        troubles: dict[str, str] = dict(plan.get("troubles", {}))
        begun = [*plan.get("begun", ()), *troubles]
        with self._application.store.begin() as tx:
            stands = {name: _stand(tx, name, version) for name, version in versions.items()}
        words = tuple(troubles.get(name) or stands[name].words for name in versions)
        for name, version in versions.items():
            stand = stands[name]
            if name in troubles or (stand.ended and (name in begun or stand.well)):
                continue
            headline = f"releasing {name} {version}"
            if name in begun:
                return Progress(headline, words, None, plan)
            try:
                # What was begun may have committed already; before that nothing may have come.
                head = plan["head"] if all(each.is_new for each in stands.values()) else None
                if not self._begin(wish, _Part(name, version, tuple(versions), head)):
                    return Progress("waiting for another release", words, None, plan)
            except ShiplineError as error:
                if error.retryable:
                    raise
                return Progress(headline, words, None, plan | {"troubles": troubles | {name: _trouble(name, error)}})
            return Progress(headline, (), None, plan | {"begun": [*plan.get("begun", ()), name]})
        well = not troubles and all(stand.well for stand in stands.values())
        return Progress("released" if well else "not released", words, well, plan)

    def _begin(self, wish: Wish, part: _Part) -> bool:
        """False where it has to wait for its turn.

        RefusedError where something else would be begun by now: that was neither foretold nor asked for.
        """
        name, version = part.name, part.version
        with own_tree(self._application):
            if under_way(self._application):
                return False
            here = self._here()
            due, idle = _due(here, None)
            is_due = version in {one.decision.version for one in due if one.package == name}
            has_moved = part.head is not None and here.repository.head() != part.head
            if not is_due or has_moved:
                why = "something has come to the branch meanwhile" if has_moved else "; ".join(idle)
                raise RefusedError(f"{name} {version} would not be released any more", why=why, todo="ask for it anew")
            fellows = tuple(one for one in here.candidates(()) if one.package.name in part.all_names)
            (candidate,) = (one for one in fellows if one.package.name == name)
            others = tuple(one for one in fellows if one is not candidate)
            decision, release = begin(here, candidate, others, wish.actor)
        if release is None:
            raise RefusedError(f"{name} {version} cannot be released now", why=decision.reason, todo="ask for it anew")
        return True

    def _here(self) -> OrderingPlace:
        here = self._application.afresh()
        if not self._application.is_server:
            return here
        branch = here.release_branch or here.branch
        if branch is None:
            raise RefusedError("no branch is checked out that could be released", todo="set branch in [release]")
        caught_up(here, branch)
        return self._application.afresh()


def _due(here: OrderingPlace, package: str | None) -> tuple[list[Foreseen], list[str]]:
    """What would be begun or go on, in order, and why the rest would not."""
    candidates = here.candidates(() if package is None else (package,))
    found = foresee(here.release_ground, candidates, branch=here.release_branch, merged_alone=by_pull_request(here))
    due = [one for one in found if one.decision.start is not Start.NOTHING and one.decision.version is not None]
    return due, [f"{one.package}: {one.decision.reason}" for one in found if one not in due]


def _told(one: Foreseen) -> list[str]:
    steps = [f"{title}: {', '.join(words)}" for title, words in one.steps if words]
    return [f"{one.package} {one.decision.version}: {one.decision.reason}", *steps[:SENTENCES_MAX]]


def _trouble(name: str, error: ShiplineError) -> str:
    return f"{name}: {error.sentence()}" + (f" ({error.todo})" if error.todo else "")


@dataclass(frozen=True, slots=True)
class _Part:
    """A release to begin, of those that were foretold together. `head` is what it was foretold on, None where that may
    be another commit by now."""

    name: str
    version: str
    all_names: tuple[str, ...]
    head: str | None


@dataclass(frozen=True, slots=True)
class _Stand:
    """How a release stands: whether it has `ended`, whether that went `well`, and in words. `is_new`: it has not begun,
    ever."""

    ended: bool
    well: bool
    words: str
    is_new: bool = False


def _stand(tx: Transaction, name: str, version: str) -> _Stand:
    release = find_release(tx, name, version)
    if release is None:
        return _Stand(ended=False, well=False, words=f"{name} {version} has not begun", is_new=True)
    runs = journal.runs_of(tx, f"release:{release.id}")
    state, halted = runs[-1].state if runs else None, has_halted(tx, release.id)
    ended = halted or state is None or state.status in RUN_ENDED
    if not ended:
        return _Stand(ended=False, well=False, words=f"{name} {version} is on its way")
    well = release.status is ReleaseStatus.PUBLISHED and not halted
    if well:
        places = "; ".join(f"{one.registry} has {len(one.files)} files, read back" for one in release.publications)
        words = f"{name} {version} is released, tag {release.tag}" + (f": {places}" if places else "")
        return _Stand(ended=True, well=True, words=words)
    closed = [f"{one.gate} {one.answer.value}" for one in verdicts_of(tx, release.id) if one.answer is not Answer.PASS]
    reason = state.reason.splitlines()[0] if state is not None and state.reason else ""
    why = ", ".join(closed) if release.status is ReleaseStatus.REFUSED else reason
    return _Stand(
        ended=True, well=False, words=f"{name} {version} is {release.status.value}" + (f": {why}" if why else "")
    )


class AskedRollouts:
    """Rollouts: to an environment, back, by a hotfix's shorter way, and the word that one waits for."""

    def __init__(self, application: OrderingPlace) -> None:
        self._application = application

    def foretell(self, wish: Wish) -> Foretold:
        """The version that would come, or the rollout that would hear it; refused by all that would refuse it."""
        if wish.spoken.verb is Verb.APPROVE:
            rollout = tried(self._application.store, lambda tx: self._say(tx, wish, None))
            plan = {"rollout": rollout.id}
            return Foretold((f"{_named(rollout)} waits for a person, and goes on then",), plan)
        rollout = self._order(wish, None, dry_run=True)
        back = " back" if wish.spoken.verb is Verb.ROLLBACK else ""
        sentence = f"{rollout.environment} gets{back} {rollout.package} {rollout.version}, by {rollout.strategy}"
        return Foretold(
            (sentence,),
            {"package": rollout.package, "version": rollout.version, "environment": rollout.environment},
        )

    def carry(self, wish: Wish, plan: dict[str, Any]) -> Progress:
        """Order it, once for the wish's key, and see how it stands."""
        if wish.spoken.verb is Verb.APPROVE:
            with self._application.store.begin() as tx:
                rollout = self._say(tx, wish, str(plan["rollout"]))
            return Progress("said", (f"{_named(rollout)} was told to go on",), ended=True, plan=plan)
        rollout = self._order(wish, plan, dry_run=False)
        if rollout.status not in ENDED and rollout.status is not RolloutStatus.FAILED:
            waits = (rollout.waiting_for,) if rollout.status in (RolloutStatus.QUEUED, RolloutStatus.PAUSED) else ()
            return Progress(f"{_named(rollout)} is {_word(rollout)}", waits, None, plan)
        well = rollout.status is RolloutStatus.PROMOTED
        said = self._verified(rollout) if well else tuple(one for one in (rollout.reason, rollout.waiting_for) if one)
        return Progress(f"{_named(rollout)} is {_word(rollout)}", said, well, plan)

    def _order(self, wish: Wish, plan: dict[str, Any] | None, *, dry_run: bool) -> Rollout:
        """By the plan, where there is one: exactly what was foretold."""
        here, spoken, actor = self._application, wish.spoken, wish.actor
        request = KeyedRequest(wish.key, f"{spoken.line} by {actor}")
        package, version, environment = spoken.package, spoken.version, spoken.environment
        if plan is not None:
            package, version, environment = plan["package"], plan["version"], plan["environment"]
        if spoken.verb is Verb.ROLLBACK:
            back = RollbackWish(environment, version, reason=wish.because, request=request)
            return order_rollback(here, back, actor, dry_run=dry_run)
        if spoken.verb is Verb.PROMOTE and plan is None:
            with here.store.begin() as tx:
                package, version = promotable_version(tx, way_of(chosen_environment(here, environment)), package)
        expedited = wish.because if spoken.verb is Verb.HOTFIX else ""
        forward = DeploymentWish(version, environment, package, request, expedited)
        return order_deployment(here, forward, actor, dry_run=dry_run)

    def _say(self, tx: Transaction, wish: Wish, rollout_id: str | None) -> Rollout:
        """Let a rollout go on that waits for a person; with an id, that one and no other."""
        here = self._application
        request = KeyedRequest(wish.key, f"{wish.spoken.line} by {wish.actor}")
        known = ordered_with(tx, request)
        if known is not None:
            return known
        name = chosen_environment(here, wish.spoken.environment).name
        rollout = latest_rollout(tx, name)
        if rollout is None or rollout.status in ENDED or rollout.paused_us is None:
            raise RefusedError(f"nothing waits for a person in {name}")
        if rollout_id not in (None, rollout.id):
            raise RefusedError(f"{name} has another rollout by now", todo="look at it, then ask for it anew")

        def say() -> Rollout:
            command_rollout(tx, here.engine, rollout, RolloutCommand("resume", wish.because, wish.actor))
            return rollout

        return ordered_once(tx, here.engine, request, wish.actor, say)

    def _verified(self, rollout: Rollout) -> tuple[str, ...]:
        """What has been checked of it before it was promoted, and where it is."""
        where = next((one for one in self._application.environments if one.name == rollout.environment), None)
        if where is None:
            return ()
        checks = ", ".join(one.name for one in where.verify)
        found = (f"verified by {checks}" if checks else "", f"it is at {where.url}" if where.url else "")
        return tuple(one for one in found if one)


def _named(rollout: Rollout) -> str:
    return f"{rollout.package} {rollout.version} to {rollout.environment}"


def _word(rollout: Rollout) -> str:
    return rollout.status.value.replace("_", " ")


class Asked:
    """All verbs, each by its part."""

    def __init__(self, application: OrderingPlace) -> None:
        self._releases = AskedReleases(application)
        self._rollouts = AskedRollouts(application)
        self._freezes = AskedFreezes(application)

    def foretell(self, wish: Wish) -> Foretold:
        """Try it, and change nothing."""
        return self._half(wish).foretell(wish)

    def carry(self, wish: Wish, plan: dict[str, Any]) -> Progress:
        """Begin it, and see how it stands."""
        return self._half(wish).carry(wish, plan)

    def _half(self, wish: Wish) -> AskedReleases | AskedRollouts | AskedFreezes:
        if wish.spoken.verb in FREEZING:
            return self._freezes
        return self._releases if wish.spoken.verb is Verb.RELEASE else self._rollouts
