"""`shipline advisories check`, `sbom diff` and `sbom find` as a user runs them, on a record and on files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from shipline.apps.cli import advisories, sbom
from shipline.bootstrap import Application
from shipline.bootstrap.advisories import Watch
from shipline.capabilities.releases import save_components
from shipline.domain.component import Component
from shipline.domain.errors import ConfigurationError, ShiplineError, UnknownName, UsageError
from shipline.testing.conformance.advisories import entry
from tests.apps.cli.test_rollouts import CONFIGURATION, published, served
from tests.capabilities.events import bodies, kinds

SETTINGS = CONFIGURATION + '\n[advisories]\nprovider = "osv-files"\npath = "osv"\n'


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    """Two releases, of which production serves the older; a database that knows of both."""
    (tmp_path / "shipline.toml").write_text(SETTINGS)
    (tmp_path / "osv").mkdir()
    (tmp_path / "osv/1.json").write_text(json.dumps(entry("OSV-1", "npm", "left", summary="Too \x1b[31m wide")))
    made = Application(tmp_path)
    for number, version in enumerate(("1.0.0", "1.1.0"), start=1):
        published(made, "quotes", version, created_us=number)
        left = Component("npm", "left", f"{number}.5.0", f"pkg:npm/left@{number}.5.0", ("MIT", "ISC")[number - 1])
        right = Component("npm", "right", "1.0.0", "pkg:npm/right@1.0.0", "MIT")
        with made.store.begin() as tx:
            save_components(tx, f"rel_quotes_{version}", [left, *([right] if number == 1 else [])])
    served(made, "quotes", "1.0.0", began_us=5, ended_us=None)
    yield made
    made.store.close()


def run(command: click.Command, application: Application, *arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments), obj=application, standalone_mode=False)


def test_shipped_releases_are_examined(application: Application) -> None:
    """What is found in a deployed version ends with 3 and is an event; the second time it is no news."""
    done = run(advisories.command, application, "check")
    assert done.exit_code == 3, done.exception
    assert done.output.startswith("affected  OSV-1 in npm:left 1.5.0; mended in 2.0.0. Too  wide\n")
    assert "    quotes 1.0.0 in production\n" in done.output
    assert "3 components of 2 releases: 1 affected, 0 cannot be told, 1 new" in done.output
    again = run(advisories.command, application, "check", "--json")
    document = json.loads(again.output)
    assert (again.exit_code, document["schema"], document["raised"]) == (3, "shipline.advisories/1", 0)
    assert len(bodies(application.store, "VulnerabilityFound")) == 1


def test_an_entry_that_cannot_be_read_stops_no_examination(application: Application, tmp_path: Path) -> None:
    """All others are examined; it is named, and the end is not 0."""
    (tmp_path / "osv/0.json").write_text('{"id": "OSV-0", "affected": [{"package": {"name": "right"')
    document = json.loads(run(advisories.command, application, "check", "--json").stdout)
    assert ([one["advisory"] for one in document["affected"]], document["raised"]) == (["OSV-1"], 1)
    assert "0.json" in document["unread"]
    (tmp_path / "osv/1.json").unlink()
    done = run(advisories.command, application, "check")
    assert (done.exit_code, "0.json" in done.stderr) == (2, True)


def test_nothing_is_asked_that_was_not_configured(application: Application) -> None:
    (application.root / "shipline.toml").write_text(CONFIGURATION)
    assert isinstance(run(advisories.command, Application(application.root), "check").exception, UsageError)
    (application.root / "shipline.toml").write_text(CONFIGURATION + "\n[advisories]\nevery_s = 5\n")
    with pytest.raises(ConfigurationError, match="`provider` is missing"):
        _ = Application(application.root).store


def test_a_server_examines_again_and_again(application: Application) -> None:
    """When it is time, and not twice for one time, also after it was started anew."""
    for _ in range(2):
        watch = Watch(application)
        for _ in range(2):
            watch()
            watch.wait()
        watch()
    assert kinds(application.store, "advisory:") == ["VulnerabilityFound"]
    noted = (application.state / "advisories-examined").read_text()
    assert int(noted) > 0
    (application.root / "osv/1.json").write_text(json.dumps(entry("OSV-2", "npm", "left")))
    watch = Watch(application)
    watch()
    watch.wait()
    watch()
    assert (application.state / "advisories-examined").read_text() == noted
    (application.state / "advisories-examined").write_text("1")
    watch = Watch(application)
    watch()
    watch.wait()
    watch()
    assert kinds(application.store, "advisory:") == ["VulnerabilityFound"] * 2


def test_releases_and_files_are_compared(application: Application) -> None:
    assert run(sbom.command, application, "diff", "1.0.0", "quotes@1.1.0").output.splitlines() == [
        "version  npm:left  1.5.0 -> 2.5.0",
        "licence  npm:left  MIT -> ISC",
        "removed  npm:right  1.0.0",
    ]
    assert run(sbom.command, application, "diff", "1.0.0", "1.0.0").output == "they list the same\n"
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "components": [{"type": "library", "name": "left", "version": "1.5.0", "purl": "pkg:npm/left@1.5.0"}],
    }
    path = application.root / "sbom.json"
    path.write_text(json.dumps(bill))
    document = json.loads(run(sbom.command, application, "diff", str(path), "1.0.0", "--json").output)
    assert document["schema"] == "shipline.sbom-diff/1"
    assert document["summary"] == {"added": 1, "removed": 0, "version": 0, "licence": 1}
    assert document["changes"][0] == {"change": "licence", "package": "npm:left", "before": [], "after": ["MIT"]}


def test_what_cannot_be_compared_is_said(application: Application) -> None:
    published(application, "other", "1.0.0", created_us=9)
    published(application, "other", "3.0.0", created_us=10)
    (application.root / "junit.xml").write_text('<testsuite><testcase name="a"/></testsuite>')
    for text, error in (("9.9.9", UnknownName), ("1.0.0", UsageError), ("3.0.0", ShiplineError)):
        assert isinstance(run(sbom.command, application, "diff", text, "1.1.0").exception, error)
    done = run(sbom.command, application, "diff", str(application.root / "junit.xml"), "1.1.0")
    assert "no SBOM" in str(done.exception)


def test_who_contains_a_package_is_told_with_where_it_runs(application: Application) -> None:
    done = run(sbom.command, application, "find", "left@<2")
    assert done.output == "quotes 1.0.0  contains left 1.5.0  runs in production\n"
    document = json.loads(run(sbom.command, application, "find", "pkg:npm/left", "--json").output)
    assert [one["version"] for one in document["releases"]] == ["1.1.0", "1.0.0"]
    assert document["releases"][1]["environments"] == ["production"]
    published(application, "quotes", "0.9.0", created_us=0)
    none = run(sbom.command, application, "find", "up")
    assert (none.exit_code, none.output.splitlines()[0]) == (4, "no release is known to contain it")
    assert "no SBOM on record: quotes 0.9.0" in none.output
