"""`[[remediation]]`: what is done about findings by itself, on the forge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from shipline.configuration.limits import Limits

_NAME = Limits(pattern=r"[a-z0-9][a-z0-9-]{0,39}", meaning="1 to 40 of a-z, 0-9 and -")
_LABEL = Limits(pattern=r"[^,\x00-\x1f\x7f]{1,100}", meaning="the name of one label")
# From: docs.github.com (39 characters), docs.gitlab.com (255), and the brackets of GitHub's robots.
_ACCOUNT = Limits(pattern=r"[A-Za-z0-9][A-Za-z0-9._\[\]-]{0,254}", meaning="the login of an account, without @")
_HOURS = Limits(minimum=1, maximum=87_600)
_LINE = Limits(pattern=r"[^\x00-\x1f\x7f]{0,1000}", meaning="one line of at most 1000 characters")
_KIND = Limits(choices=("dependency", "code", "advisory"))


@dataclass(frozen=True, slots=True)
class EscalationSettings:
    """`[[remediation.escalate]]`: what more is done about an issue that is open for long.

    After `after_hours` the issue gets a comment, with `comment` in it, and `labels`; `assign` are the accounts that it
    is assigned to then, in place of those before; none: they stay.
    """

    after_hours: Annotated[int, _HOURS]
    comment: Annotated[str, _LINE] = ""
    labels: tuple[Annotated[str, _LABEL], ...] = ()
    assign: tuple[Annotated[str, _ACCOUNT], ...] = ()


@dataclass(frozen=True, slots=True)
class RemediationSettings:
    """`[[remediation]]`: a rule. Of several that a finding fits, the first one holds.

    `name` tells rules apart. A finding fits where all that is set does: `kinds` are dependency (a report's finding in
    a package that is depended on), code (anything else in a report) and advisory (what `[advisories]` says of what was
    shipped); `tools` are the scanners that found it; `severity` is the least one; `packages` are globs of a package's
    name or package URL; `fixed` is known, unknown or any, about a version that mends it. It has been known for
    `older_than_hours`.

    `issue` says what one issue is about: a finding, or all findings in a package; none: no issue is opened.
    `pull_request` proposes the version that mends it, where that can be edited. Both bear `labels`, and are assigned
    to `assign`. `escalate` are steps, the soonest first.
    """

    name: Annotated[str, _NAME]
    kinds: tuple[Annotated[str, _KIND], ...] = ()
    tools: tuple[str, ...] = ()
    severity: Annotated[str, Limits(choices=("critical", "high", "medium", "low", "info"))] = "high"
    packages: tuple[str, ...] = ()
    fixed: Annotated[str, Limits(choices=("any", "known", "unknown"))] = "any"
    older_than_hours: Annotated[int, Limits(minimum=0, maximum=87_600)] = 0
    issue: Annotated[str, Limits(choices=("package", "finding", "none"))] = "package"
    pull_request: bool = False
    labels: tuple[Annotated[str, _LABEL], ...] = ()
    assign: tuple[Annotated[str, _ACCOUNT], ...] = ()
    escalate: tuple[EscalationSettings, ...] = ()


@dataclass(frozen=True, slots=True)
class RemediationRunSettings:
    """`[automation.remediation]`: how the rules of `[[remediation]]` are carried out.

    A server looks every `every_s` seconds, and whenever evidence or an advisory comes. One look opens at most
    `issues_most` issues and `pulls_most` pull requests: the next one goes on.
    """

    every_s: Annotated[int, Limits(minimum=60, maximum=86_400)] = 3600
    issues_most: Annotated[int, Limits(minimum=1, maximum=1000)] = 20
    pulls_most: Annotated[int, Limits(minimum=1, maximum=100)] = 5
