"""Findings as rows, on both databases: neither doubled nor lost."""

from __future__ import annotations

from typing import Any

from shipline.capabilities.releases.stored.findings import (
    BATCH,
    Row,
    count_findings,
    list_findings,
    open_among,
    row_of,
    save_findings,
    total_findings,
)
from shipline.store.database import Store


def row(number: int, severity: str = "high", **more: Any) -> Row:
    item: dict[str, Any] = {
        "fingerprint": f"{number:032x}",
        "severity": severity,
        "suppressed": False,
        "tool": "bandit",
        "rule": "B101",
        "title": "assert",
        "message": "an assert",
        "location": {"path": "a.py", "line": number + 1},
        "package": None,
        "version": None,
        "fixed_version": None,
        "ids": [],
    }
    return row_of(item | more)


def test_a_report_that_is_read_in_again_neither_doubles_nor_loses(store: Store) -> None:
    """More than a batch; what is said anew of one changes it, and what is not said any more stays."""
    many = [row(number) for number in range(BATCH + 7)]
    for evidence_id in ("evd_1", "evd_2"):
        with store.begin() as tx:
            assert save_findings(tx, "rel_1", evidence_id, [many]) == BATCH + 7
    with store.begin() as tx:
        save_findings(tx, "rel_1", "evd_3", [[row(0, "low"), row(1, suppressed=True)], [row(BATCH + 7, "critical")]])
        save_findings(tx, "rel_2", "evd_4", [[row(0, "info")]])
    with store.begin() as tx:
        assert count_findings(tx, "rel_1") == {"critical": 1, "high": BATCH + 5, "low": 1}
        assert (total_findings(tx, "rel_1"), total_findings(tx, "rel_2")) == (BATCH + 8, 1)


def test_the_worst_come_first_and_pages_do_not_overlap(store: Store) -> None:
    rows = [row(1, "info"), row(2, "critical", ids=["CVE-2026-1", "GHSA-x"], location=None), row(3), row(4)]
    with store.begin() as tx:
        save_findings(tx, "rel_1", "evd_1", [rows])
    with store.begin() as tx:
        first, second = (list_findings(tx, "rel_1", limit=2, offset=offset) for offset in (0, 2))
        highs = list_findings(tx, "rel_1", severity="high")
    assert [one.severity for one in (*first, *second)] == ["critical", "high", "high", "info"]
    assert (first[0].ids, first[0].path, first[0].line) == (("CVE-2026-1", "GHSA-x"), None, None)
    assert [(one.path, one.line) for one in highs] == [("a.py", 4), ("a.py", 5)]


def test_only_what_is_open_is_found_among_fingerprints(store: Store) -> None:
    """However many are asked for."""
    with store.begin() as tx:
        save_findings(tx, "rel_1", "evd_1", [[row(1), row(2, suppressed=True), row(3, "low")]])
        asked = [f"{number:032x}" for number in range(2000)]
        assert open_among(tx, "rel_1", asked) == {f"{1:032x}": "high", f"{3:032x}": "low"}
