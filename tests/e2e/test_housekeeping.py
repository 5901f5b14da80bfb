"""Housekeeping as it is used: a job's command, and a server that hooks and the time set off."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.bootstrap.automations import duties_of
from shipline.bootstrap.housekeeping import Housekeeper
from shipline.capabilities.automation import Command, order_look
from shipline.ports.forge import PullState, StatusState
from shipline.ports.forge.answers import Thread
from shipline.ports.forge.reviews import MergeMethod
from shipline.testing.fakes.forge.model import Pull, Said
from shipline.testing.fakes.forge.refs import Changed
from shipline.testing.fakes.forge.server import ForgeServer
from tests.command import run_shipline
from tests.e2e.test_automation import OF_JOBS, made
from tests.providers.forge.places import TOKEN

MAIN = "refs/heads/main"
KEPT = """
[housekeeping]
titles = true

[housekeeping.labels]
sizes = { small = 10 }
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, ForgeServer, Pull]]:
    monkeypatch.setenv("RELEASE_TOKEN", TOKEN)
    person, forge, copy = made(tmp_path, "direct")
    settings = (copy / "shipline.toml").read_text().replace("release_on_push = true", "") + KEPT
    person.commit("ci: keep the forge in order", {"shipline.toml": settings})
    person.git("push", "--quiet", "origin", "main")
    subprocess.run(["git", "-C", str(copy), "pull", "--quiet"], check=True)
    person.git("checkout", "--quiet", "-b", "topic")
    person.commit("feat: say more", {"MORE": "more"})
    person.git("push", "--quiet", "origin", "topic")
    pull = forge.model.open_pull("topic", "main", "feat: say more", "")
    with forge:
        yield copy, forge, pull


def test_a_job_keeps_pull_requests_in_order(place: tuple[Path, ForgeServer, Pull]) -> None:
    """Told first, done once, and quiet then; what is not switched on is a mistake of whoever asks for it."""
    copy, forge, pull = place
    extra: dict[str, str | None] = {"RELEASE_TOKEN": TOKEN} | dict.fromkeys(OF_JOBS)
    asked = ("automate", "housekeeping")
    told = run_shipline(copy, *asked, "--dry-run", extra=extra)
    assert (told.code, pull.labels) == (0, []), told
    done = run_shipline(copy, *asked, "--pull", str(pull.number), extra=extra)
    assert (done.code, done.out, pull.labels) == (0, told.out, ["small"]), done
    assert run_shipline(copy, *asked, extra=extra).code == 4
    assert run_shipline(copy, *asked, "stale", extra=extra).code == 2
    assert [said.context for said in forge.model.said] == ["shipline/title"]


SAID = """
[housekeeping]
comment = true

[[gate]]
name = "covered"
stage = "pull-request"
rule = "coverage.line >= 80.0"

[[calendar]]
name = "night"
kind = "freeze"
stages = ["pull-request"]
begins = "2020-01-01 00:00"
ends = "2020-01-02 00:00"
"""
COVERAGE = (
    '<coverage line-rate="0.5"><packages><package name="a"><classes><class filename="a.py"><lines>{}</lines>'
    "</class></classes></package></packages></coverage>"
)


def covered(lines: int, missed: int) -> str:
    hit = "".join(f'<line number="{number + 1}" hits="{int(number < lines)}"/>' for number in range(lines + missed))
    return COVERAGE.format(hit)


def test_a_comment_says_what_a_merge_releases_and_what_is_known(place: tuple[Path, ForgeServer, Pull]) -> None:
    """Foreseen of a branch that is behind its base, and of a fork, whose title says another thing than its commit."""
    copy, forge, pull = place
    extra: dict[str, str | None] = {"RELEASE_TOKEN": TOKEN} | dict.fromkeys(OF_JOBS)
    (copy / "shipline.toml").write_text((copy / "shipline.toml").read_text().replace(KEPT, SAID))
    git = ["git", "-C", str(copy)]
    subprocess.run([*git, "commit", "--quiet", "--all", "-m", "fix: say it well"], check=True)
    subprocess.run([*git, "tag", "-a", "-m", "0.1.0", "v0.1.0"], check=True)
    subprocess.run([*git, "push", "--quiet", "--follow-tags"], check=True)
    subprocess.run([*git, "fetch", "--quiet"], check=True)
    base = Application(copy).repository.head()
    fork = forge.model.open_pull("topic", "main", "docs: say less", "", fork=True)
    fork.head_commit = pull.head_commit
    for commit, figures in ((base, (9, 1)), (pull.head_commit, (7, 3))):
        (copy.parent / "coverage.xml").write_text(covered(*figures))
        given = ("evidence", "add", str(copy.parent / "coverage.xml"), "--release", "0.2.0", "--commit", str(commit))
        added = run_shipline(copy, *given, extra=extra)
        assert added.code == 0, added
    done = run_shipline(copy, "automate", "housekeeping", "comment", extra=extra)
    assert done.code == 0, done
    notes = {note.thread.number: note.body for note in forge.model.notes.values()}
    assert "Merging this releases **`quotes` 0.2.0** after 0.1.0." in notes[pull.number]
    assert "Squashed" not in notes[pull.number]
    assert "Squashed into one commit with this title, it releases nothing." in notes[fork.number]
    assert f"- Coverage: 70.00 % of lines, 20.00 points less than {str(base)[:9]}" in notes[pull.number]
    assert "- Gate `covered`: FAIL: coverage.line" in notes[pull.number]
    assert {said.context for said in forge.model.said} == {
        "shipline/pull-request/covered",
        "shipline/pull-request/calendar",
    }
    assert run_shipline(copy, "automate", "housekeeping", "comment", extra=extra).code == 4


def test_a_job_merges_what_is_ready_after_a_test_on_the_base(place: tuple[Path, ForgeServer, Pull]) -> None:
    """Shown, tested on a branch that git has pushed, and merged once that is green; its comment says so meanwhile."""
    copy, forge, pull = place
    model, extra = forge.model, {"RELEASE_TOKEN": TOKEN, **dict.fromkeys(OF_JOBS)}
    merging = "\n[housekeeping]\ncomment = true\n\n[housekeeping.merge]\napprovals = 0\n"
    (copy / "shipline.toml").write_text((copy / "shipline.toml").read_text().replace(KEPT, merging))
    git = ["git", "-C", str(copy)]
    subprocess.run([*git, "commit", "--quiet", "--all", "-m", "ci: merge what is ready"], check=True)
    subprocess.run([*git, "push", "--quiet"], check=True)
    assert run_shipline(copy, "automate", "queue", extra=extra).code == 4
    model.create_badge("merge when ready", "ededed", "")
    model.put_labels(Thread.pull(pull.number), ["merge when ready"])
    shown = run_shipline(copy, "automate", "queue", extra=extra)
    assert "it waits: no check says anything about its newest commit" in shown.out
    model.say(Said(0, pull.head_commit, "ci", StatusState.SUCCESS, "", ""))
    done = run_shipline(copy, "automate", "housekeeping", extra=extra)
    assert (done.code, pull.state) == (0, PullState.OPEN), done
    tested = model.refs.get("refs/heads/shipline/queue/main")
    (note,) = model.notes.values()
    assert (
        f"- Merge when ready: it is tested now, merged into main as that is now ({str(model.refs.get(MAIN))[:9]})"
        in note.body
    )
    model.say(Said(0, str(tested), "ci", StatusState.SUCCESS, "", ""))
    done = run_shipline(copy, "automate", "housekeeping", "merge", extra=extra)
    assert (done.code, pull.state) == (0, PullState.MERGED), done


def test_what_is_merged_is_brought_to_the_branch_that_a_label_names(place: tuple[Path, ForgeServer, Pull]) -> None:
    """By a pull request of its own; what became several commits is left to a person."""
    copy, forge, pull = place
    model, extra = forge.model, {"RELEASE_TOKEN": TOKEN, **dict.fromkeys(OF_JOBS)}
    (copy / "shipline.toml").write_text(
        (copy / "shipline.toml").read_text().replace(KEPT, "\n[housekeeping.backports]\n")
    )
    git = ["git", "-C", str(copy)]
    for words in (("push", "--quiet", "origin", "HEAD:1.x"), ("commit", "--quiet", "--all", "-m", "ci: bring fixes")):
        subprocess.run([*git, *words], check=True)
    subprocess.run([*git, "push", "--quiet"], check=True)
    model._now_us = time.time_ns() // 1000
    model.merge_on_request(pull.number, pull.head_commit, MergeMethod.SQUASH)
    several = model.open_pull("topic", "main", "feat: say more", "")
    several.state, several.merge_commit = PullState.MERGED, model.refs.get(MAIN)
    of_all, own = model.changes_of(pull), [Changed("ELSE", "M", 1, 1)]
    model.changes_of = lambda pull: own if pull is several else of_all  # type: ignore[method-assign] # what was rebased
    model.create_badge("backport 1.x", "ededed", "")
    for each in (pull, several):
        model.put_labels(Thread.pull(each.number), ["backport 1.x"])
    done = run_shipline(copy, "automate", "housekeeping", extra=extra)
    assert done.code == 0, done
    brought = [each for each in model.pulls.values() if each.base == "1.x"]
    assert [each.title for each in brought] == ["feat: say more (#1)"]
    bodies = {note.thread.number: note.body for note in model.notes.values()}
    assert f"pull/{brought[0].number} brings this to `1.x`." in bodies[pull.number]
    assert "it was merged as several commits" in bodies[several.number]
    assert run_shipline(copy, "automate", "housekeeping", extra=extra).code == 4


def test_a_server_keeps_everything_in_order(place: tuple[Path, ForgeServer, Pull]) -> None:
    """When it is time, and of a pull request when a hook told of it."""
    copy, _, pull = place
    server = Application(copy)
    assert duties_of(server).housekeeping
    chore = Housekeeper(server)
    chore()
    _settle(server, pull, ["small"])
    pull.labels.clear()
    with server.store.begin() as tx:
        order_look(tx, server.engine, Command("housekeeping", str(pull.number)))
    _settle(server, pull, ["small"])
    server.store.close()


def _settle(server: Application, pull: Pull, labels: list[str]) -> None:
    until_s = time.monotonic() + 20
    while pull.labels != labels and time.monotonic() < until_s:
        server.engine.sweep()
    assert pull.labels == labels
