"""What is so: flaws from the record and from advisories, and what of ours is on the forge. Changes nothing there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from shipline.capabilities.advisories import Examined, Shipped, Touched, shipped_releases
from shipline.capabilities.automation.deliveries import names_seen, see, seen_of
from shipline.capabilities.automation.remediation.effects import WITHIN
from shipline.capabilities.automation.remediation.flaws import (
    SEVERITIES,
    Flaw,
    FlawKind,
    Rule,
    bare_purl,
    source_of,
)
from shipline.capabilities.automation.remediation.rules import IssueSeen
from shipline.capabilities.automation.remediation.texts import read_state
from shipline.capabilities.gates import Waiving
from shipline.capabilities.releases import Current, StoredFinding, current_findings, findings_now
from shipline.domain.release import ReleaseStatus
from shipline.ports.forge import Forge
from shipline.ports.forge.answers import ItemState, is_ours
from shipline.store.database import Store
from shipline.store.transaction import Transaction

ADVISORIES = "advisories"
ASKED_AT_ONCE = 500
FIRST = "remediation:first:"
# Words of databases that are not ours; what nobody rated counts as the readers of reports count it.
_SEVERITIES = {"moderate": "medium"}
UNRATED = "high"


@dataclass(frozen=True, slots=True)
class Found:
    """All flaws that the rules may be about, and who has looked at what is newest."""

    flaws: tuple[Flaw, ...]
    looked: frozenset[str]


def find_flaws(
    store: Store, rules: Sequence[Rule], waiving: Waiving, examine: Callable[[], Examined] | None, now_us: int
) -> Found:
    """What is known now. `examine` asks a database about what was shipped, None where there is none.

    Raises as `current_findings` and `examine`: what is not known must not look as if it were gone.
    """
    with store.begin() as tx:
        reported = _reported(tx, rules, waiving, now_us)
    if examine is None or not any(not rule.kinds or FlawKind.ADVISORY.value in rule.kinds for rule in rules):
        return reported
    examined = examine()
    with store.begin() as tx:
        counted = _counted(shipped_releases(tx))
    advised = tuple(_advised(examined, counted))
    unlisted = {one.release.id for one in examined.unlisted}
    blind = {one.release.package for one in counted if one.release.id in unlisted}
    looked = {source_of(one.release.package, ADVISORIES) for one in counted if one.release.package not in blind}
    return Found((*reported.flaws, *advised), reported.looked | looked)


def _reported(tx: Transaction, rules: Sequence[Rule], waiving: Waiving, now_us: int) -> Found:
    least = max((SEVERITIES.index(rule.severity) for rule in rules), default=0)
    found = current_findings(tx, SEVERITIES[: least + 1])
    flaws: list[Flaw] = []
    for one in found:
        waived = findings_now(tx, waiving, one.about, now_us).waived
        flaws += [_flaw(one, finding) for finding in one.findings if finding.fingerprint not in waived]
    return Found(tuple(flaws), frozenset(source_of(one.about.package, one.tool) for one in found))


def _flaw(current: Current, finding: StoredFinding) -> Flaw:
    purl = bare_purl(finding.package) if finding.package else ""
    return Flaw(
        kind=FlawKind.DEPENDENCY if purl else FlawKind.CODE,
        tool=current.tool,
        package=current.about.package,
        version=current.about.version,
        identity=finding.fingerprint,
        name=_named(finding.ids, finding.rule) if purl else finding.rule,
        title=finding.title,
        severity=finding.severity,
        purl=purl,
        installed=finding.version or "",
        fixed=tuple(each.strip() for each in (finding.fixed_version or "").split(",") if each.strip()),
        path=finding.path or "",
        line=finding.line,
    )


def _named(ids: Iterable[str], otherwise: str) -> str:
    """One name for an advisory, whichever of its ids a tool knows it by."""
    ordered = sorted(ids)
    by_kind = (each for prefix in ("CVE-", "GHSA-") for each in ordered if each.startswith(prefix))
    return next(by_kind, otherwise)


def _counted(shipped: Iterable[Shipped]) -> tuple[Shipped, ...]:
    """What is deployed, and the newest published release of each package: what older ones hold cannot be mended."""
    everything = tuple(shipped)
    newest: dict[str, Shipped] = {}
    for one in everything:
        known = newest.get(one.release.package)
        if one.release.status is ReleaseStatus.PUBLISHED and (
            known is None or one.release.created_us > known.release.created_us
        ):
            newest[one.release.package] = one
    return tuple(one for one in everything if one.environments or newest.get(one.release.package) == one)


def _advised(examined: Examined, counted: Sequence[Shipped]) -> Iterator[Flaw]:
    ids = {one.release.id for one in counted}
    for touched, is_certain in (
        *((one, True) for one in examined.affected),
        *((one, False) for one in examined.unknown),
    ):
        for shipped in touched.shipped:
            if shipped.release.id in ids:
                yield _advice(touched, shipped, is_certain=is_certain)


def _advice(touched: Touched, shipped: Shipped, *, is_certain: bool) -> Flaw:
    advisory, component = touched.exposure.advisory, touched.exposure.component
    severity = _SEVERITIES.get(advisory.severity, advisory.severity)
    return Flaw(
        kind=FlawKind.ADVISORY,
        tool=ADVISORIES,
        package=shipped.release.package,
        version=shipped.release.version,
        identity=f"{advisory.id} {bare_purl(component.purl)} {shipped.release.package}",
        name=_named((advisory.id, *advisory.aliases), advisory.id),
        title=advisory.summary,
        severity=severity if severity in SEVERITIES else UNRATED,
        purl=bare_purl(component.purl),
        installed=component.version,
        fixed=touched.exposure.fixed,
        certain=is_certain,
    )


def known_since(tx: Transaction, rules: Sequence[Rule], flaws: Sequence[Flaw], now_us: int) -> dict[str, int]:
    """Since when flaws are known, by their identity, as far as a rule asks for that: noted at the first look."""
    if not any(rule.older_than_us for rule in rules):
        return {}
    names = {_first_name(flaw): flaw.identity for flaw in flaws}
    known: dict[str, str] = {}
    ordered = tuple(names)
    for start in range(0, len(ordered), ASKED_AT_ONCE):
        known |= seen_of(tx, ordered[start : start + ASKED_AT_ONCE])
    return {identity: int(known[name]) if name in known else now_us for name, identity in names.items()}


def note_known(tx: Transaction, flaws: Sequence[Flaw], first_us: dict[str, int], now_us: int) -> None:
    """Note since when they are known; what is not found any more is forgotten."""
    there = {_first_name(flaw): str(first_us[flaw.identity]) for flaw in flaws if flaw.identity in first_us}
    gone = [name for name in names_seen(tx, FIRST) if name not in there]
    for start in range(0, len(gone), ASKED_AT_ONCE):
        see(tx, dict.fromkeys(gone[start : start + ASKED_AT_ONCE], ""), now_us)
    see(tx, there, now_us)


def _first_name(flaw: Flaw) -> str:
    return f"{FIRST}{flaw.identity}"[:300]


def issues_of(forge: Forge) -> tuple[IssueSeen, ...]:
    """Our issues, open and closed, by number."""
    account = forge.account()
    found = []
    for issue in forge.issues(WITHIN):
        said = read_state(issue.body) if is_ours(account, issue.author) else None
        if said is not None:
            is_open = issue.state is ItemState.OPEN
            found.append(IssueSeen(issue.number, said[0], said[1], issue.title, issue.body, is_open))
    return tuple(sorted(found, key=lambda one: one.number))
