"""What is wrong with an environment's preview: who has to sign for it, and whether its traffic can show one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from shipline.configuration.providers import read_provider
from shipline.configuration.root import FILE_NAME
from shipline.domain.errors import ConfigurationError
from shipline.ports.target import Planning

if TYPE_CHECKING:
    from shipline.configuration.settings import EnvironmentSettings
    from shipline.domain.gate import Approver

APPROVALS_MAX = 100


def preview_complaints(environment: EnvironmentSettings, approvers: Sequence[Approver]) -> Iterator[ConfigurationError]:
    """Everything that is wrong with it."""
    where, asked = f"{FILE_NAME}, environment {environment.name}, preview", environment.preview
    if asked.approvals and not asked.by:
        yield ConfigurationError(f"{where}: approvals are of what is previewed, and nothing is", todo="set `by`")
    if asked.approvals and asked.approve:
        yield ConfigurationError(f"{where}: either anybody says so (`approve`), or people sign (`approvals`)")
    for role, count in asked.approvals.items():
        having = [one.name for one in approvers if role in one.roles]
        if not 1 <= count <= APPROVALS_MAX or count > len(having):
            names = ", ".join(having) or "nobody"
            yield ConfigurationError(
                f"{where}: {count} approvals of {role[:60]!r} cannot be had: {names} has that role",
                todo="name more people as [[approver]], or another role",
            )
    if asked.approve and _plans(environment):
        yield ConfigurationError(
            f"{where}: with `approve` whoever is at this machine lets a plan be applied",
            why="what a plan changes is let by people who may approve, each signing for its digest",
            todo="set approvals = { ROLE = 1 } in the place of approve, and name them as [[approver]]",
        )


def _plans(environment: EnvironmentSettings) -> bool:
    try:
        return issubclass(read_provider("target", environment.target, default="process")[0], Planning)
    except ConfigurationError:
        return False  # Its table's own check says why.
