"""What is wrong with the shorter way of a hotfix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shipline.configuration.root import FILE_NAME
from shipline.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from shipline.configuration.settings import EnvironmentSettings, Settings

CHECKLIST = "checklist"


def hotfix_complaints(environment: EnvironmentSettings, settings: Settings) -> Iterator[ConfigurationError]:
    """Gates that are none would look skipped and be asked; roles that nobody has could never be had."""
    said, where = environment.hotfix, f"{FILE_NAME}, environment {environment.name}, hotfix"
    if not said.allowed and (said.skip_gates or said.approvals or said.soak_s):
        yield ConfigurationError(
            f"{where}: nothing is expedited there", todo="set allowed = true, or leave the rest out"
        )
    known = [*(gate.name for gate in settings.gate if gate.stage == environment.name), CHECKLIST]
    for name in said.skip_gates:
        if name not in known:
            yield ConfigurationError(f"{where}: there is no gate {name[:60]!r}", todo=f"known ones: {', '.join(known)}")
    for role, count in said.approvals.items():
        having = [one.name for one in settings.approver if role in one.roles]
        if not 1 <= count <= len(having):
            who = ", ".join(having) or "nobody"
            yield ConfigurationError(f"{where}: {count} approvals of {role[:60]!r} cannot be had: {who} has that role")
