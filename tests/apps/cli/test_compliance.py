"""`shipline compliance`, and which frameworks count."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shipline.apps.cli import compliance
from shipline.bootstrap import Application
from shipline.bootstrap.compliance import required_coverages, required_frameworks_of
from shipline.capabilities.releases import all_releases
from shipline.domain.errors import ConfigurationError, UsageError
from shipline.testing.histories import History
from tests.apps.cli.test_rollouts import published

OURS = """schema = 1
name = "ours"
title = "<b>Ours</b>"
source = "here"
[[control]]
id = "S"
title = "SBOM"
rule = "sbom.present"
todo = "make one"
[[control]]
id = "P"
title = "People"
organisational = "people do it"
"""


def settings(*required: str) -> str:
    return (
        f"[release]\nbranch = 'main'\n[[package]]\nname = 'quotes'\n[compliance]\nrequired = {json.dumps(required)}\n"
    )


@pytest.fixture
def history(tmp_path: Path) -> History:
    made = History(tmp_path / "project")
    made.commit("feat: rules", {"shipline.toml": settings("slsa", "ours.toml"), "ours.toml": OURS})
    return made


@pytest.fixture
def application(history: History) -> Iterator[Application]:
    made = Application(history.folder)
    published(made, "quotes", "1.0.0", created_us=1)
    yield made
    made.store.close()


def report(application: Application, *arguments: str) -> Result:
    return CliRunner().invoke(compliance.command, ["report", "1.0.0", *arguments], obj=application)


def test_a_report_names_gaps_first_and_what_to_do(application: Application, history: History) -> None:
    result = report(application, "--framework", str(history.folder / "ours.toml"))
    assert result.exit_code == 0, result.exception
    assert "FAIL (1 open, 0 when published, 0 kept, 1 organisational)" in result.stdout
    assert result.stdout.index("OPEN") < result.stdout.index("ORGANISATIONAL")
    assert "sbom.present does not hold: sbom.present is false" in result.stdout
    assert "do:      make one" in result.stdout
    document = json.loads(report(application, "--framework", "slsa", "--json").stdout)
    assert (document["schema"], document["framework"]) == ("shipline.compliance/1", "slsa")
    assert document["verdict"] == "FAIL"


def test_the_page_needs_no_other_file_and_obeys_nobody(application: Application, history: History) -> None:
    """Titles of a file are words, and nothing is loaded."""
    page = history.folder / "report.html"
    assert report(application, "--framework", str(history.folder / "ours.toml"), "--html", str(page)).exit_code == 0
    text = page.read_text("utf-8")
    assert "&lt;b&gt;Ours&lt;/b&gt;" in text
    assert "<script" not in text
    assert "default-src &#39;none&#39;" in text or "default-src 'none'" in text


def test_a_framework_must_be_known(application: Application) -> None:
    assert isinstance(report(application, "--framework", "iso").exception, UsageError)
    assert "required are slsa, ours" in report(application).exception.why  # type: ignore[union-attr]  # it is one


def test_what_the_protected_branch_requires_counts_as_it_is_there(history: History) -> None:
    """A commit under release may add a framework; what it leaves out, or makes easier, counts as it was."""
    history.git("switch", "-q", "-c", "work")
    easier = OURS.replace('rule = "sbom.present"', 'rule = "!sbom.present"')
    more = {"more.toml": OURS.replace("ours", "more"), "ours.toml": easier, "shipline.toml": settings("more.toml")}
    history.commit("feat: easier", more)
    here = Application(history.folder)
    frameworks = required_frameworks_of(here)
    assert [one.name for one in frameworks] == ["slsa", "ours", "more"]
    assert frameworks[1].control[0].rule == "sbom.present"
    assert any("'slsa' is required" in words for words in here.policy.left_out)


def test_a_framework_that_cannot_be_read_is_no_permission(history: History) -> None:
    (history.folder / "shipline.toml").write_text(settings("slsa", "ours.toml", "gone.toml"))
    with pytest.raises(ConfigurationError, match=r"gone\.toml cannot be read"):
        required_frameworks_of(Application(history.folder))
    (history.folder / "shipline.toml").write_text(settings("iso"))
    with pytest.raises(ConfigurationError, match="no framework 'iso'"):
        Application(history.folder).store  # noqa: B018 - the settings are checked when it is opened
    (history.folder / "double.toml").write_text(OURS)
    (history.folder / "shipline.toml").write_text(settings("ours.toml", "double.toml"))
    with pytest.raises(ConfigurationError, match="two required frameworks"):
        required_frameworks_of(Application(history.folder))


def test_the_page_shows_what_is_required(application: Application) -> None:
    with application.store.begin() as tx:
        (release,) = all_releases(tx)
    assert [one.framework.name for one in required_coverages(application, release)] == ["slsa", "ours"]
