"""What the page needs of a project."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shipline.bootstrap.orders import DeploymentWish, RollbackWish
from shipline.capabilities.automation import Foretold, Wish
from shipline.capabilities.freezes import FreezeOrder
from shipline.capabilities.gates import Coverage, Waiving
from shipline.capabilities.releases import GivenReport, Receipt, Subject
from shipline.capabilities.rollouts import AnalysisSettings
from shipline.configuration import EnvironmentSettings
from shipline.domain.actor import Actor
from shipline.domain.calendar import CalendarRule
from shipline.domain.checklist import Checklist
from shipline.domain.codec import from_json
from shipline.domain.freeze import Freeze
from shipline.domain.release import Release
from shipline.domain.rollout import Rollout
from shipline.engine.engine import Engine
from shipline.ports.clock import Clock
from shipline.store.database import Store
from shipline.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Site:
    """One project. `environments` gives the configured ones as they are now: the settings may change meanwhile.

    `verdict_token` reads the token that an environment's verdicts are asked for with, "" where it has none.
    `deploy` and `roll_back` order what somebody wants, as the command line does.
    `calendar` gives the rules of the calendar as they are now, `checklists` the lists of environments. `stage_of` is
    the stage whose gates and lists hold in an environment: a branch's has those of another one.
    `compliance` says how a release stands to the frameworks that are required.
    `watched_forge` is the kind of forge whose hook is watched, "" for none.
    `waiving` gives what the policy says of waivers; `receive` takes a report in as evidence.
    `wanted_image` asks an environment's controller which image it is told to run; None where it has no controller.
    `foretell` says what would be done of a wish, and changes nothing; None where nothing can be asked for.
    `freeze` closes a stage and `lift` ends what was closed so, as the command line does; None where neither can be.
    `hook_secrets` reads the secrets that the hooks of a forge are signed with; UnknownName where none are taken.
    """

    name: str
    store: Store
    engine: Engine
    clock: Clock
    environments: Callable[[], tuple[EnvironmentSettings, ...]]
    deploy: Callable[[DeploymentWish, Actor], Rollout]
    roll_back: Callable[[RollbackWish, Actor], Rollout]
    calendar: Callable[[], tuple[CalendarRule, ...]] = tuple
    checklists: Callable[[], tuple[Checklist, ...]] = tuple
    stage_of: Callable[[str], str] = lambda environment: environment
    verdict_token: Callable[[EnvironmentSettings], str] = lambda _environment: ""
    wanted_image: Callable[[EnvironmentSettings], str | None] = lambda _environment: None
    compliance: Callable[[Release], tuple[Coverage, ...]] = lambda _release: ()
    hook_secrets: Callable[[str], tuple[str, ...]] = lambda _forge: ()
    watched_forge: Callable[[], str] = lambda: ""
    waiving: Callable[[], Waiving] = Waiving
    receive: Callable[[Subject, GivenReport, Actor], Receipt] | None = None
    foretell: Callable[[Wish], Foretold] | None = None
    freeze: Callable[[FreezeOrder, Actor], Freeze] | None = None
    lift: Callable[[str | None, Actor], tuple[Freeze, ...]] | None = None

    @property
    def stages(self) -> tuple[str, ...]:
        """All that the calendar may close: the release, and each environment."""
        return ("release", *(one.name for one in self.environments()))

    def rollback_line(self, environment: str) -> float:
        """The evidence value at which a canary is rolled back there; the usual one where it is configured no more."""
        return self.analysis(environment).rollback_evidence

    def analysis(self, environment: str) -> AnalysisSettings:
        """How canaries are judged there."""
        table = next((one.canary for one in self.environments() if one.name == environment), {})
        return from_json(AnalysisSettings, table)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """One moment of the store, for the rooms' queries. No writer waits for it, and nothing can be appended."""
        with self.store.snapshot() as connection:
            yield Transaction(connection, self.store.project, _refuse)


def _refuse() -> str:
    raise RuntimeError("a page that only reads has appended an event")
