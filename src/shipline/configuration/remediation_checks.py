"""What rules about findings need of other tables, and which of them lead to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from shipline.configuration.root import FILE_NAME
from shipline.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from shipline.configuration.settings import Settings

RULES_MAX, STEPS_MAX = 100, 10


def remediation_complaints(settings: Settings) -> Iterator[ConfigurationError]:
    """Rules that lead to nothing, and what they need of other tables."""
    rules = settings.remediation
    if rules and not settings.forge:
        yield ConfigurationError(f"{FILE_NAME}: [[remediation]] needs a forge", todo="add [forge]")
    if len(rules) > RULES_MAX:
        yield ConfigurationError(f"{FILE_NAME}: there are more than {RULES_MAX} [[remediation]] tables")
    for rule in rules:
        where = f"{FILE_NAME}: remediation {rule.name!r}"
        hours = [step.after_hours for step in rule.escalate]
        if rule.issue == "none" and not rule.pull_request:
            yield ConfigurationError(f"{where} does nothing", todo="set issue, or pull_request = true")
        if rule.issue == "none" and rule.escalate:
            yield ConfigurationError(f"{where} escalates and opens no issue", todo='set issue = "package"')
        if len(hours) > STEPS_MAX or any(after <= before for before, after in pairwise(hours)):
            yield ConfigurationError(
                f"{where}: its escalations are not one after the other",
                todo=f"let after_hours grow from one to the next, {STEPS_MAX} at most",
            )
        if rule.pull_request and not settings.release.remote:
            yield ConfigurationError(
                f"{where} needs a remote to push its branches to", todo="set remote in [release], or leave it out"
            )
