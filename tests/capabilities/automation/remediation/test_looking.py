"""What is found in the newest versions, and in what was shipped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.bootstrap.advisories import advisories_of
from shipline.capabilities.advisories import examine
from shipline.capabilities.automation.remediation import Found, Rule, Told, known_since, note_known, tell_escalated
from shipline.capabilities.automation.remediation.flaws import source_of
from shipline.capabilities.automation.remediation.looking import find_flaws
from shipline.capabilities.gates import Waiving
from shipline.capabilities.releases import GivenReport, Subject, receive_reports, save_components
from shipline.domain.actor import SYSTEM
from shipline.domain.component import Component
from shipline.testing.conformance.advisories import entry
from tests.apps.cli.test_rollouts import CONFIGURATION, published, served
from tests.capabilities.automation.remediation.flaws import flaw
from tests.capabilities.events import bodies

SETTINGS = CONFIGURATION + '\n[advisories]\nprovider = "osv-files"\npath = "osv"\n'
RULE = Rule("all", severity="low")


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    (tmp_path / "shipline.toml").write_text(SETTINGS)
    (tmp_path / "osv").mkdir()
    known = entry("OSV-1", "npm", "left", aliases=["CVE-2026-7"], database_specific={"severity": "MODERATE"})
    (tmp_path / "osv/1.json").write_text(json.dumps(known))
    made = Application(tmp_path)
    yield made
    made.store.close()


def found(application: Application, rule: Rule = RULE) -> Found:
    return find_flaws(
        application.store,
        [rule],
        Waiving(),
        lambda: examine(application.store, advisories_of(application)[0]),
        application.clock.now_us(),
    )


def audit(application: Application, version: str, *names: str) -> None:
    known = [{"id": name, "fix_versions": ["2.32.4"], "aliases": [], "description": ""} for name in names]
    file = application.root / f"audit-{version}.json"
    dependency = {"name": "requests", "version": version, "vulns": known}
    file.write_text(json.dumps({"dependencies": [dependency], "fixes": []}))
    given = GivenReport(file, file.name)
    subject = Subject(version, package="quotes")
    receive_reports(application.release_ground, lambda: application.engine, subject, [given], SYSTEM)


def test_the_newest_version_that_a_tool_has_looked_at_counts(application: Application) -> None:
    """A newer one that it has not looked at changes nothing, nor does an old one that is looked at again."""
    for number, version in enumerate(("1.0.0", "1.1.0", "1.2.0"), start=1):
        published(application, "quotes", version, created_us=number)
    audit(application, "1.1.0", "CVE-2026-1")
    audit(application, "1.0.0", "CVE-2026-1", "CVE-2026-2")
    only = found(application)
    assert [(one.version, one.name, one.fixed, one.purl) for one in only.flaws] == [
        ("1.1.0", "CVE-2026-1", ("2.32.4",), "pkg:pypi/requests")
    ]
    assert only.looked == {source_of("quotes", "pip-audit")}
    audit(application, "1.2.0")
    gone = found(application)
    assert (gone.flaws, gone.looked) == ((), only.looked)


def test_advisories_count_for_what_is_deployed_and_what_is_newest(application: Application) -> None:
    """Not for what is neither; and nobody has looked where it is not known what is inside."""
    for number, version in enumerate(("1.0.0", "1.1.0", "1.2.0"), start=1):
        published(application, "quotes", version, created_us=number)
    served(application, "quotes", "1.0.0", began_us=5, ended_us=None)
    with application.store.begin() as tx:
        for version in ("1.0.0", "1.1.0"):
            left = Component("npm", "left", "1.5.0", "pkg:npm/left@1.5.0", "MIT")
            save_components(tx, f"rel_quotes_{version}", [left])
    some = found(application)
    assert [(one.version, one.name, one.severity, one.fixed) for one in some.flaws] == [
        ("1.0.0", "CVE-2026-7", "medium", ("2.0.0",))
    ]
    assert some.looked == set()
    with application.store.begin() as tx:
        save_components(tx, "rel_quotes_1.2.0", [Component("npm", "left", "2.0.0", "pkg:npm/left@2.0.0", "MIT")])
    assert found(application).looked == {source_of("quotes", "advisories")}
    assert found(application, Rule("code", kinds=("code",))).looked == set()


def test_it_is_remembered_since_when_something_is_known(application: Application) -> None:
    """Where a rule asks for it; and what is gone is forgotten."""
    rules, both = [Rule("old", older_than_us=1)], (flaw(), flaw("CVE-2026-2"))
    with application.store.begin() as tx:
        assert known_since(tx, [RULE], both, 5) == {}
        note_known(tx, both, known_since(tx, rules, both, 5), 5)
        assert known_since(tx, rules, both, 9) == {"CVE-2026-1-1": 5, "CVE-2026-2-1": 5}
        note_known(tx, both[:1], known_since(tx, rules, both[:1], 9), 9)
        assert known_since(tx, rules, both, 9) == {"CVE-2026-1-1": 5, "CVE-2026-2-1": 9}


def test_an_escalation_is_told_once(application: Application) -> None:
    """Each step, and again only where the issue was opened again meanwhile."""
    for told in (Told("k", 1, 1, "a"), Told("k", 1, 1, "a"), Told("k", 1, 2, "b"), Told("k", 2, 1, "c")):
        with application.store.begin() as tx:
            tell_escalated(tx, application.events, told, 5)
    assert [each["words"] for each in bodies(application.store, "RemediationEscalated")] == ["a", "b", "c"]
