"""Remediation as it is used: a job's command after a scan, and a server that evidence and the time set off."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.bootstrap.remediation import RemediationTimer, remediate
from shipline.capabilities.releases import GivenReport, Subject, receive_reports
from shipline.domain.actor import SYSTEM
from shipline.ports.forge import PullState
from shipline.ports.forge.answers import ItemState
from shipline.store.keys import load_or_create_log_key, log_key_path
from shipline.store.log import sequence
from shipline.testing.fakes.forge.model import ForgeModel, GitRefs
from shipline.testing.fakes.forge.server import ForgeServer
from shipline.testing.histories import History
from tests.command import run_shipline
from tests.e2e.test_automation import OF_JOBS, made
from tests.machine import wait_until
from tests.providers.forge.places import KINDS, TOKEN

RULES = """
[[remediation]]
name = "packages"
kinds = ["dependency"]
labels = ["security"]
"""
EXTRA: dict[str, str | None] = {"RELEASE_TOKEN": TOKEN} | dict.fromkeys(OF_JOBS)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, ForgeServer]]:
    monkeypatch.setenv("RELEASE_TOKEN", TOKEN)
    person, forge, copy = made(tmp_path, "direct")
    settings = (copy / "shipline.toml").read_text().replace("release_on_push = true", "") + RULES
    person.commit("ci: see to what is found", {"shipline.toml": settings})
    person.git("push", "--quiet", "origin", "main")
    subprocess.run(["git", "-C", str(copy), "pull", "--quiet"], check=True)
    with forge:
        yield copy, forge


def report(folder: Path, *names: str) -> Path:
    """What pip-audit says of requests."""
    known = [{"id": name, "fix_versions": ["2.32.4"], "aliases": [], "description": "Leaks"} for name in names]
    file = folder / f"audit-{len(names)}.json"
    document = {"dependencies": [{"name": "requests", "version": "2.31.0", "vulns": known}], "fixes": []}
    file.write_text(json.dumps(document))
    return file


def commit_of(copy: Path) -> str:
    asked = ["git", "-C", str(copy), "rev-parse", "HEAD"]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


def test_a_job_sees_to_what_was_found(place: tuple[Path, ForgeServer], tmp_path: Path) -> None:
    """Told first, done once, quiet then, closed with the version that does not have it; a branch cannot silence it."""
    copy, forge = place
    job = Application(copy)

    def scanned(version: str, *names: str) -> None:
        given = GivenReport(report(tmp_path, *names), "audit.json")
        about = Subject(version, commit=commit_of(copy))
        assert receive_reports(job.release_ground, lambda: job.engine, about, [given], SYSTEM).is_whole

    scanned("0.1.0", "CVE-2026-1", "CVE-2026-2")
    foretold = run_shipline(copy, "remediate", "--dry-run", extra=EXTRA)
    assert forge.model.items == {}
    done = run_shipline(copy, "remediate", extra=EXTRA)
    assert (done.code, done.out) == (0, foretold.out), done
    (issue,) = forge.model.items.values()
    assert (issue.title, sorted(issue.labels)) == ("high: requests has 2 findings", ["remediation", "security"])
    settings = (copy / "shipline.toml").read_text()
    (copy / "shipline.toml").write_text(settings.replace('["dependency"]', '["code"]'))
    assert run_shipline(copy, "remediate", extra=EXTRA).code == 4
    scanned("0.2.0")
    assert list(remediate(job))
    assert issue.state is ItemState.CLOSED
    job.store.close()


def test_a_server_looks_when_evidence_comes(place: tuple[Path, ForgeServer], tmp_path: Path) -> None:
    """At its start, and by the event of a report; the log says what was done."""
    copy, forge = place
    server = Application(copy)
    timer = RemediationTimer(server)
    key = load_or_create_log_key(log_key_path(server.store, None))

    def rounds() -> None:
        sequence(server.store, key)
        timer()
        server.engine.sweep()

    rounds()
    given = GivenReport(report(tmp_path, "CVE-2026-1"), "audit.json")
    subject = Subject("0.1.0", commit=commit_of(copy))
    receive_reports(server.release_ground, lambda: server.engine, subject, [given], SYSTEM)

    def is_open() -> bool:
        rounds()
        return len(forge.model.items) == 1

    wait_until(is_open, "the issue")
    server.store.close()


PROPOSING = """
schema = 1

[release]
branch = "main"
remote = "origin"

[[remediation]]
name = "packages"
pull_request = true
labels = ["security"]

[forge]
provider = "{kind}"
repository = "acme/quotes"
api_url = "{api_url}"
token_env = "RELEASE_TOKEN"
"""


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_version_that_mends_it_is_proposed(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A branch with one commit, a pull request and an issue that names it; a person's commit is left alone; merged,
    nothing is proposed any more, and the issue says so."""
    monkeypatch.setenv("RELEASE_TOKEN", TOKEN)
    person, bare, copy = History(tmp_path / "person"), tmp_path / "forge.git", tmp_path / "quotes"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
    model = ForgeModel(GitRefs(bare))
    refs = model.refs
    assert isinstance(refs, GitRefs)
    with ForgeServer(model, KINDS[kind][1](model), token=TOKEN) as forge:
        files = {"VERSION": "0.0.0\n", "requirements.txt": "requests==2.31.0\nother==1\n", "uv.lock": ""}
        settings = PROPOSING.format(kind=kind, api_url=forge.api_url)
        person.commit("feat: say something", files | {"shipline.toml": settings})
        person.git("remote", "add", "origin", str(bare))
        person.git("push", "--quiet", "--set-upstream", "origin", "main")
        person.git("clone", "--quiet", str(bare), str(copy))
        History(copy)  # Who commits what is proposed stands in it: a machine may know nobody.
        job = Application(copy)
        given = GivenReport(report(tmp_path, "CVE-2026-1"), "audit.json")
        subject = Subject("0.1.0", commit=commit_of(copy))
        receive_reports(job.release_ground, lambda: job.engine, subject, [given], SYSTEM)
        foretold = list(remediate(job, dry_run=True))
        assert (model.pulls, model.items) == ({}, {})
        assert list(remediate(job)) == foretold
        (pull,), (issue,) = model.pulls.values(), model.items.values()
        assert (pull.title, pull.labels) == ("fix(deps): update requests to 2.32.4", ["security"])
        assert refs.git("show", f"{pull.head}:requirements.txt") == "requests==2.32.4\nother==1"
        assert "run `uv lock` for uv.lock" in pull.body
        assert f"/{pull.number}" in issue.body.partition("a pull request proposes it: ")[2]
        assert list(remediate(job)) == []
        tip = refs.get(f"refs/heads/{pull.head}")
        person.commit("docs: say it", {"README": "x"})
        person.git("push", "--quiet", "origin", "main")
        assert list(remediate(job)) == []
        assert refs.get(f"refs/heads/{pull.head}") == tip
        person.git("fetch", "--quiet", "origin", pull.head)
        merged = person.merge("FETCH_HEAD", "Merge it")
        person.git("push", "--quiet", "origin", "main")
        model.merge(pull.number, merged)
        assert list(remediate(job)) == [f"issue {issue.number}: say what is so now"]
        assert "`main` requires 2.32.4 or later already" in issue.body
        assert (pull.state, len(model.pulls)) == (PullState.MERGED, 1)
        job.store.close()
