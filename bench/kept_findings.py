"""Findings in the store: what taking in a report costs up to the verdict, and what a gate over them costs.

    python bench/kept_findings.py add REPORT     from the report's file to the verdict, in seconds
    python bench/kept_findings.py gate REPORT    keeps the report, then asks the gate; the best of five, in seconds

Each prints the seconds alone, in its last line. A project is made for it, with a published release and one gate.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from shipline.bootstrap import Application
from shipline.capabilities.evidence import facts_of
from shipline.capabilities.gates import evaluate
from shipline.capabilities.releases import (
    RELEASES,
    VERDICTS,
    GivenReport,
    Subject,
    evidence_of,
    findings_now,
    receive_reports,
)
from shipline.domain.actor import SYSTEM
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.verdict import Answer, Verdict

SETTINGS = 'schema = 1\n[[gate]]\nname = "clean"\nrule = "findings.critical == 0 && findings.high < 100"\n'
RELEASE = Release("rel_01a2226716fe78308f3fbea4e1b90ef3", "quotes", "1.0.0", "v1.0.0", ReleaseStatus.PUBLISHED, 1, 1)
ROUNDS = 5


def project(folder: Path) -> Application:
    """A project whose release was judged once, so that it is judged anew."""
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    (folder / "shipline.toml").write_text(SETTINGS)
    made = Application(folder)
    with made.store.begin() as tx:
        RELEASES.save(tx, RELEASE)
        VERDICTS.save(
            tx, Verdict("clean", Answer.UNKNOWN, (), 1, {}), row_id="ver_1", release_id=RELEASE.id, stage="release"
        )
    return made


def add(application: Application, report: Path) -> float:
    """Seconds from the file to the verdict."""
    ground = application.release_ground
    began = time.perf_counter()
    given = [GivenReport(report, report.name)]
    receipt = receive_reports(ground, lambda: application.engine, Subject("1.0.0"), given, SYSTEM)
    took = time.perf_counter() - began
    if receipt.reevaluated is None or receipt.reevaluated.stages[0].changed != ("clean",):
        raise SystemExit("the gate was not asked anew")
    return took


def gate(application: Application) -> float:
    """Seconds of asking the gate about what is kept: the query, the facts and the rule."""
    ground = application.release_ground
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        with application.store.begin() as tx:
            pieces = evidence_of(tx, RELEASE.id)
            now = findings_now(tx, ground.waiving, RELEASE, application.clock.now_us())
        facts = facts_of(pieces, release=RELEASE, prerelease=False, findings=now.counts)
        (verdict,) = evaluate(ground.gates, facts, application.clock.now_us())
        took.append(time.perf_counter() - began)
        if verdict.answer is not Answer.FAIL:
            raise SystemExit("the findings were not counted")
    return min(took)


def main(what: str, report: Path) -> None:
    """Run one of both."""
    with tempfile.TemporaryDirectory() as folder:
        application = project(Path(folder))
        seconds = add(application, report)
        print(f"{seconds if what == 'add' else gate(application):.3f}")
        application.store.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
