"""What was found, as remediation sees it: by whom, in what, how bad, and what mends it; and the rules about it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

SEVERITIES = ("critical", "high", "medium", "low", "info")


class FlawKind(StrEnum):
    """Where a flaw is: in a package that is depended on, in what people wrote, or in what was shipped."""

    DEPENDENCY = "dependency"
    CODE = "code"
    ADVISORY = "advisory"


@dataclass(frozen=True, slots=True)
class Flaw:
    """One finding. All texts but `kind`, `severity` and `identity` are somebody else's.

    `package` and `version` are ours, in which `tool` found it. `identity` tells it from all others and stays the same
    when it is found again. `name` is the advisory's or the rule's. `purl` is the package URL of the dependency without
    a version, "" for what is in none; `installed` its version, "" where nobody knows; `fixed` the versions that mend
    it, as the tool wrote them. `certain` is False where it cannot be told whether the version is affected.
    """

    kind: FlawKind
    tool: str
    package: str
    version: str
    identity: str
    name: str
    title: str
    severity: str
    purl: str = ""
    installed: str = ""
    fixed: tuple[str, ...] = ()
    path: str = ""
    line: int | None = None
    certain: bool = True

    @property
    def source(self) -> str:
        """Who has to look again before it can be said that it is gone."""
        return source_of(self.package, self.tool)


@dataclass(frozen=True, slots=True)
class Step:
    """What is done about an issue that is open for `after_us` microseconds; see `[[remediation.escalate]]`."""

    after_us: int
    comment: str
    labels: tuple[str, ...]
    assign: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """As `[[remediation]]` has it. `older_than_us` is microseconds; `issue` is package, finding or none."""

    name: str
    kinds: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    severity: str = "high"
    packages: tuple[str, ...] = ()
    fixed: str = "any"
    older_than_us: int = 0
    issue: str = "package"
    pull_request: bool = False
    labels: tuple[str, ...] = ()
    assign: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Thing:
    """What one issue is about: flaws with one `key`, the worst first, and the rule that they fit. `purl` is that of
    the dependency that all of them are in, "" for none."""

    key: str
    rule: Rule
    flaws: tuple[Flaw, ...]
    purl: str

    @property
    def is_certain(self) -> bool:
        """False where it cannot be told of any of them whether it is there."""
        return any(flaw.certain for flaw in self.flaws)

    @property
    def severity(self) -> str:
        """The worst."""
        return self.flaws[0].severity


def source_of(package: str, tool: str) -> str:
    """A short name, safe in a comment of HTML, for a tool's word about one of our packages."""
    return hashlib.sha256(f"{package}\0{tool}".encode()).hexdigest()[:10]


def key_of(rule: Rule, flaw: Flaw) -> str:
    """The natural key of the issue that a flaw belongs to: the dependency's, that of an advisory in a dependency
    whichever tool told of it, or the flaw's own."""
    if flaw.purl:
        text = flaw.purl if rule.issue != "finding" else f"{flaw.purl}\0{flaw.name}"
    else:
        text = f"\0{flaw.identity}"
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def bare_purl(purl: str) -> str:
    """A package URL without version, qualifiers and subpath."""
    head, slash, last = purl.partition("?")[0].partition("#")[0].rpartition("/")
    return f"{head}{slash}{last.partition('@')[0]}"


def name_of(purl: str) -> str:
    """What the ecosystem calls the package of a bare package URL: `@scope/name`, `group/artifact`."""
    return unquote(purl.partition("/")[2])
