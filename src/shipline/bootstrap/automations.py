"""Automation, wired: whose word counts, which branches are seen to, and the hands that do what is due.

A server acts in its own copy of the repository, as `shipline release` does there: it brings the work tree to where the
remote has the branch, and never over what people have left in it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from shipline.bootstrap.assistance import AssistantHand, AssistantTimer, has_assistant
from shipline.bootstrap.hook_watch import HookHand, HookTimer
from shipline.bootstrap.housekeeping import Housekeeper, HousekeepingHand, has_queue, is_switched_on
from shipline.bootstrap.places import Place, trusted_settings
from shipline.bootstrap.releasing import begin, by_pull_request, caught_up, own_tree, under_way
from shipline.bootstrap.remediation import RemediationHand, RemediationTimer
from shipline.bootstrap.spoken import allowed_verbs, asked_hand, command_hand
from shipline.bootstrap.sync_tests import SyncTestHand, SyncTestTimer
from shipline.bootstrap.syncs import SyncHand, SyncTimer, is_synced
from shipline.capabilities.automation import (
    ASKED,
    ASSISTANT,
    AUTOMATION_WORKFLOW,
    COMMENT,
    HOOKS,
    HOUSEKEEPING,
    LOOK,
    MILESTONES,
    RELEASE,
    REMEDIATION,
    SYNC,
    SYNC_TEST,
    Carried,
    Command,
    Duties,
    Looked,
    LookStep,
    automation_workflow,
    follow_command,
    forget_deliveries,
    handle_deliveries,
    open_pulls_of,
    reconcile,
)
from shipline.capabilities.releases import (
    RELEASES,
    branch_for,
    keep_pull_request,
    unfinished_first,
)
from shipline.domain.actor import Actor, ActorKind
from shipline.domain.errors import RefusedError, UnknownName
from shipline.domain.release import ReleaseStatus
from shipline.engine import journal
from shipline.engine.rules import RunStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shipline.bootstrap.aside import Aside
    from shipline.capabilities.automation import Hand
    from shipline.capabilities.releases import Candidate
    from shipline.domain.release import Release
    from shipline.engine.engine import Engine
    from shipline.engine.journal import Run
    from shipline.engine.workflow import Action, Workflow
    from shipline.store.transaction import Transaction

AUTOMATION = Actor(kind=ActorKind.SYSTEM, issuer="shipline", subject="automation", authenticated=True)
BUSY_S, FOLLOW_S = 2.0, 1.0
BATCHES_MAX = 20
FORGET_EVERY_S = 600.0
CHANGES = frozenset({"opened", "updated", "closed"})


def duties_of(application: Place) -> Duties:
    """What is done by itself here: a copy of the repository sees to the branch that it is on, if it may be released."""
    from shipline.bootstrap.milestones import development_branch

    settings = trusted_settings(application)
    others = Duties(
        sync=is_synced(application),
        milestones=development_branch(settings),
        housekeeping=is_switched_on(application),
        queue=has_queue(application),
        commands=frozenset(allowed_verbs(settings)),
        assistant=has_assistant(application),
    )
    if not settings.automation.release_on_push:
        return others
    branch = application.branch
    try:
        only = application.release_branch
    except RefusedError:  # No channel is released from here.
        return others
    if branch is None or only not in ("", branch):
        return others
    return replace(others, release_branches=(branch,), release_heads=(branch_for(branch),))


def hook_secrets(application: Place, forge: str) -> tuple[str, ...]:
    """The secrets that a forge's hooks are signed with, read where they are kept.

    UnknownName where the settings have no [[hook]] of this forge; other errors as for the port `secrets`.
    """
    from shipline.configuration.given import read_secret

    hook = next((each for each in trusted_settings(application).hook if each.forge == forge), None)
    if hook is None:
        raise UnknownName(f"no hooks of {forge} are taken here", todo=f'add a [[hook]] with forge = "{forge}"')
    context = application.context("hooks", forge)
    found = []
    for table in hook.secrets:
        said, kind, settings = read_secret(table)
        found.append(kind(settings, context).read(said.key))
    return tuple(found)


# --- the engine's part ---------------------------------------------------------------------------------------------


def automation_part(
    application: Place, engine: Callable[[], Engine]
) -> tuple[Workflow, dict[str, Action], Callable[[Transaction, Run], None]]:
    """The workflow with its actions, and what follows its runs."""
    from shipline.bootstrap.milestones import MilestoneHand

    hands: dict[str, Hand] = {
        RELEASE: ReleaseHand(application),
        SYNC: SyncHand(application),
        SYNC_TEST: SyncTestHand(application),
        MILESTONES: MilestoneHand(application),
        HOUSEKEEPING: HousekeepingHand(application),
        HOOKS: HookHand(application, duties_of, hook_secrets),
        COMMENT: command_hand(application),
        ASKED: asked_hand(application),
        REMEDIATION: RemediationHand(application),
        ASSISTANT: AssistantHand(application),
    }
    step = LookStep(hands, application.events)

    def follow(tx: Transaction, run: Run) -> None:
        follow_command(tx, engine(), run)

    return automation_workflow(), {f"{AUTOMATION_WORKFLOW}.{LOOK}": step}, follow


def automation_chores(application: Place) -> tuple[Callable[[], object], ...]:
    """What the engine's owner does in every round."""
    from shipline.bootstrap.milestones import MilestoneReconciler

    looks = (Reconciler(application), MilestoneReconciler(application))
    syncs = (SyncTimer(application), SyncTestTimer(application))
    others = (Housekeeper(application), HookTimer(application), RemediationTimer(application))
    last = (AssistantTimer(application), Forgetter(application))
    return (partial(_take_up, application), *looks, *syncs, *others, *last)


def _take_up(application: Place) -> None:
    for _ in range(BATCHES_MAX):
        if handle_deliveries(application.store, application.engine, partial(duties_of, application)) == 0:
            return


class Forgetter:
    """A chore: old deliveries go."""

    def __init__(self, application: Place) -> None:
        self._application = application
        self._next_s = 0.0

    def __call__(self) -> None:
        """A batch of them; the next one at once where there may be more."""
        if time.monotonic() < self._next_s:
            return
        with self._application.store.begin() as tx:
            forgotten = forget_deliveries(tx, self._application.clock.now_us())
        if forgotten == 0:
            self._next_s = time.monotonic() + FORGET_EVERY_S


class Reconciler:
    """A chore: looks at the forge, beside the engine's loop, and keeps what no hook has told."""

    def __init__(self, application: Place) -> None:
        self._application = application
        self._aside: Aside | None = None
        self._next_s = float("-inf")
        self._looked: Looked | None = None

    def __call__(self) -> None:
        """Take in what the last look has found, and begin another when it is time."""
        from shipline.bootstrap.aside import Aside

        if not trusted_settings(self._application).automation.release_on_push:
            return
        if self._aside is None:
            self._aside = Aside(self._look, every_s=FOLLOW_S)
        if self._aside.poll() and self._looked is not None:
            application, looked = self._application, self._looked
            with application.store.begin() as tx:
                reconcile(tx, application.engine, looked)

    def _look(self) -> bool:
        if time.monotonic() < self._next_s:
            return False
        here = self._application.afresh()
        self._next_s = time.monotonic() + trusted_settings(here).automation.reconcile_every_s
        duties, remote = duties_of(here), here.settings.release.remote
        if not duties.release_branches or not remote:
            return False
        (branch,) = duties.release_branches
        self._looked = look_at(here, remote, branch)
        return True


def look_at(here: Place, remote: str, branch: str) -> Looked:
    """What remote and forge show of a branch and the pull requests to it. Changes nothing."""
    tip = here.repository.fetch_branch(remote, branch) or ""
    if here.forge is None:
        return Looked({branch: tip})
    pulls = here.forge.open_pull_requests(base=branch)
    with here.store.begin() as tx:
        known = open_pulls_of(tx, branch)
    gone = set(known) - {pull.number for pull in pulls}
    ended = (here.forge.find_pull_request(number) for number in sorted(gone))
    return Looked({branch: tip}, pulls, tuple(pull for pull in ended if pull is not None))


# --- hands ---------------------------------------------------------------------------------------------------------


class ReleaseHand:
    """Releases what is due on a branch, and keeps its release pull request up to date: what `shipline release` does.

    A look begins one release at most, and is called again when that has ended: what is next stands on it. A release
    that stopped, or was refused, is tried once more by each run, and not by each look.
    """

    def __init__(self, application: Place) -> None:
        self._application = application

    def __call__(self, command: Command, memory: dict[str, Any]) -> Carried:
        """One look. Errors as for `shipline release`."""
        branch, begun = command.about, dict(memory.get("begun", {}))
        with own_tree(self._application):
            busy = under_way(self._application)
            if busy:
                return Carried(f"Waiting for {busy}", again_s=BUSY_S, memory=memory)
            return self._look(branch, begun)

    def _look(self, branch: str, begun: dict[str, str]) -> Carried:
        here = caught_up(self._application, branch)
        troubles: list[str] = []
        candidates = here.candidates(())
        if not by_pull_request(here):
            first, rest = unfinished_first(here.release_ground, candidates)
            candidates = (*first, *rest)
        for place, candidate in enumerate(candidates):
            release = self._begun(here, candidate, candidates[place + 1 :], begun, troubles)
            if release is not None:
                memory = {"begun": begun | {release.package: release.id}}
                return Carried(f"Releasing {release.package} {release.version}", again_s=FOLLOW_S, memory=memory)
        return self._rest(here, branch, begun, troubles)

    def _begun(
        self,
        here: Place,
        candidate: Candidate,
        fellows: Sequence[Candidate],
        begun: dict[str, str],
        troubles: list[str],
    ) -> Release | None:
        """The release of a package that was begun, or goes on; None where there is nothing to do, or trouble."""
        name = candidate.package.name
        trouble = self._trouble_of(begun.get(name, ""))
        if trouble:
            troubles.append(trouble)
            return None
        try:
            decision, release = begin(here, candidate, fellows, AUTOMATION)
        except RefusedError as refusal:
            troubles.append(f"{name}: {refusal.sentence()}")
            return None
        if release is None and decision.waits:
            troubles.append(f"{name} {decision.reason}")
        return release

    def _trouble_of(self, release_id: str) -> str:
        """What became of a release that this run has begun, where that is nothing good; "" else."""
        if not release_id:
            return ""
        with self._application.store.begin() as tx:
            release = RELEASES.find(tx, release_id)
            runs = journal.runs_of(tx, f"release:{release_id}")
        halted = bool(runs) and runs[-1].state.status is RunStatus.STOPPED
        if release is None or not (halted or release.status in (ReleaseStatus.STOPPED, ReleaseStatus.REFUSED)):
            return ""
        reason = runs[-1].state.reason.splitlines()[0] if halted and runs[-1].state.reason else release.status.value
        return f"{release.package} {release.version}: {reason}"

    def _rest(self, here: Place, branch: str, begun: dict[str, str], troubles: list[str]) -> Carried:
        """Once nothing is left to begin: the pull request, and what there is to say."""
        words = [f"released {self._named(each)}" for each in begun.values() if not self._trouble_of(each)]
        changed = bool(words)
        if by_pull_request(here):
            kept = keep_pull_request(here.release_ground, here.candidates(()), target=branch)
            if kept.change == "waiting":
                return Carried(f"Looking again: {kept.reason}", again_s=FOLLOW_S, memory={"begun": begun})
            changed = changed or kept.change in CHANGES
            words.append(kept.reason if kept.pull is None else f"pull request {kept.pull.number} {kept.change}")
        if troubles:
            raise RefusedError("; ".join((*troubles, *words)), todo="mend it; the next event, or look, tries again")
        return Carried("; ".join(words) or "nothing is to be released", changed=changed)

    def _named(self, release_id: str) -> str:
        with self._application.store.begin() as tx:
            release = RELEASES.find(tx, release_id)
        return release_id if release is None else f"{release.package} {release.version}"
