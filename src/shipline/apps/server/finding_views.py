"""What the page of a release shows of its findings: how many count, the worst of them, and who has waived which."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.apps.server.site import Site
from shipline.capabilities.releases import (
    FINDINGS_PAGE_MAX,
    StoredFinding,
    findings_document,
    findings_now,
    list_findings,
    total_findings,
)
from shipline.domain.gate import Waiver
from shipline.domain.release import Release
from shipline.store.transaction import Transaction

SHOWN_MAX = 25
TONES = {"critical": "bad", "high": "bad", "medium": "warn"}


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding. `waiver` is the one that holds for it, None where it counts."""

    finding: StoredFinding
    waiver: Waiver | None

    @property
    def place(self) -> str:
        """Where it is."""
        found = self.finding
        if found.package:
            return f"{found.package}@{found.version}" if found.version else found.package
        return f"{found.path}:{found.line}" if found.path and found.line else found.path or ""

    @property
    def counts(self) -> bool:
        """True unless it is waived, or the tool was told to pass it over."""
        return self.waiver is None and not self.finding.suppressed

    @property
    def tone(self) -> str:
        """Its colour; the word beside it says the same."""
        return TONES.get(self.finding.severity, "quiet") if self.counts else "quiet"


@dataclass(frozen=True, slots=True)
class FindingsView:
    """`figures` are those that count, by severity, and together; `waived` is how many do not. `shown` are the first,
    those that count before the others and the worst before the rest, of the `total` that are on record."""

    figures: dict[str, int]
    waived: int
    total: int
    shown: tuple[FindingView, ...]


def findings_view(site: Site, tx: Transaction, release: Release) -> FindingsView | None:
    """All that is to be shown; None where no finding is on record."""
    total = total_findings(tx, release.id)
    if not total:
        return None
    now = findings_now(tx, site.waiving(), release, site.clock.now_us())
    figures = {name: count for name, count in findings_document(release, now)["summary"].items() if name != "waived"}
    found = list_findings(tx, release.id, limit=min(SHOWN_MAX + len(now.waived), FINDINGS_PAGE_MAX))
    views = [FindingView(one, now.waived.get(one.fingerprint)) for one in found]
    shown = sorted(views, key=lambda view: not view.counts)[:SHOWN_MAX]
    return FindingsView(figures, now.counts.waived, total, tuple(shown))
