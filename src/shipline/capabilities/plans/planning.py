"""The plan of HEAD: the one that was kept, or one that `usecases` makes.

What makes plans is imported only where one is made: that takes as long as finding one again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from shipline.capabilities.plans.asked import ALONE, Asked, Monorepo
from shipline.capabilities.plans.bumps import USUAL, BumpRules
from shipline.capabilities.plans.channels import Channel
from shipline.capabilities.plans.heads import checked_head
from shipline.capabilities.plans.remembered import COMMITS_MIN, Memory, Said
from shipline.capabilities.plans.versions import SNAPSHOT, STABLE, checked_channel
from shipline.domain.package import Package
from shipline.domain.release_plan import ReleasePlan
from shipline.ports.repository import Repository


def make_plan(  # noqa: PLR0913 - each is named where it is given
    repository: Repository,
    packages: Sequence[Package] | None = None,
    *,
    channel: Channel | str = STABLE,
    bumps: BumpRules = USUAL,
    monorepo: Monorepo = ALONE,
    day: date | None = None,
    said: Said | None = None,
    at: str | None = None,
) -> ReleasePlan:
    """Plan what HEAD would be released as. `packages` None: found in the repository itself.

    `day` is that of the release, which calendar versions need. By what people `said`, `kept_plan` finds the plan again
    where it is kept. `at` is a commit to plan instead of HEAD's; that is not kept. Changes the repository in nothing.
    What is not committed does not count. Raises ShiplineError where there is no repository, no commit or only a shallow
    one, from which versions cannot be derived; RefusedError where a version would leave the channel's line.
    """
    head = checked_head(repository)
    aim = channel if isinstance(channel, Channel) else Channel(checked_channel(channel))
    asked = Asked(aim, day, bumps, monorepo)
    if at is not None:
        return _made(repository, at, packages, asked)[0]
    if aim.word == SNAPSHOT or (packages is not None and len(packages) == 1):
        return _made(repository, head, packages, asked)[0]
    memory = Memory(repository, head)
    known = memory.recall(packages, asked)
    plan, commits = (known, COMMITS_MIN) if known is not None else _made(repository, head, packages, asked)
    is_news = known is None or said is not None  # Of a plan that is known, what was said is not.
    if is_news and commits >= COMMITS_MIN and len(plan.packages) > 1:
        memory.keep(plan, packages, asked, said=said)
    return plan


def _made(
    repository: Repository, head: str, packages: Sequence[Package] | None, asked: Asked
) -> tuple[ReleasePlan, int]:
    from shipline.capabilities.plans.usecases import planned  # noqa: PLC0415 - see the top

    return planned(repository, head, packages, asked)
