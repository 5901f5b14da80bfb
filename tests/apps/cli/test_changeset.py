"""`shipline changeset` and `shipline plan --explain`, as people run them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shipline.testing.histories import History
from tests.command import run_shipline


@pytest.fixture
def history(tmp_path: Path) -> History:
    made = History(tmp_path / "project")
    made.commit(
        "feat: begin",
        {
            "package.json": '{"name": "root", "private": true, "workspaces": ["packages/*"]}',
            "packages/core/package.json": '{"name": "core", "version": "1.0.0"}',
            "packages/app/package.json": '{"name": "app", "version": "1.0.0", "dependencies": {"core": "^1.0.0"}}',
        },
    )
    made.tag("core@1.0.0")
    made.tag("app@1.0.0")
    return made


def test_a_changeset_is_written_counted_and_explained(history: History) -> None:
    history.commit("feat: x", {"packages/core/x": "1"})
    assert run_shipline(history.folder, "changeset", "status").code == 1
    said = run_shipline(history.folder, "changeset", "add", "--package=core", "--bump=major", "--message=All new.")
    assert said.code == 0, said
    path = history.folder / said.out.strip()
    assert path.read_text() == '---\n"core": major\n---\n\nAll new.\n'
    status = run_shipline(history.folder, "changeset", "status", "--json")
    document = json.loads(status.out)
    assert (status.code, document["schema"], document["missing"]) == (0, "shipline.changesets/1", [])
    assert document["releases"] == [{"name": "core", "bump": "major"}]
    history.commit("chore: a changeset")
    explained = run_shipline(history.folder, "plan", "--explain", "--package=app")
    assert "app becomes 1.0.1: core 2.0.0 is out of ^1.0.0" in explained.out
    assert f"    core becomes 2.0.0 because of “feat!: All new.” ({path.stem})." in explained.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--package=nobody", "--bump=minor", "--message=x"), "no package 'nobody'"),
        (("--empty", "--bump=minor"), "empty changeset"),
        ((), "--package is missing"),
        (("--package=core", "--message=x"), "--bump is missing"),
    ],
)
def test_what_is_missing_off_a_terminal_is_an_error(history: History, arguments: tuple[str, ...], told: str) -> None:
    said = run_shipline(history.folder, "changeset", "add", *arguments)
    assert (said.code, told in said.err) == (2, True), said
    assert not (history.folder / ".changeset").exists()


def test_what_nobody_can_read_is_said(history: History) -> None:
    (history.folder / ".changeset").mkdir()
    (history.folder / ".changeset" / "x.md").write_text('---\n"core": \x1b[31mhuge\n---\n')
    said = run_shipline(history.folder, "changeset", "status")
    assert (said.code, "\x1b" in said.err) == (2, False), said


@pytest.mark.parametrize("uses", [True, False])
def test_a_release_pull_request_says_why_it_passes(history: History, *, uses: bool) -> None:
    """Its key alone is not enough: it has to have taken changesets."""
    history.commit("feat: x", {".changeset/x.md": '---\n"core": minor\n---\n', "packages/core/x": "1"})
    if uses:
        (history.folder / ".changeset" / "x.md").unlink()
    else:
        history.git("rm", "--quiet", ".changeset/x.md")
        history.commit("chore: lose it")
    message = "chore(release): core 1.1.0\n\nShipline-Key: release-pull-request\n"
    tip = history.commit(message, {"packages/core/package.json": '{"name": "core", "version": "1.1.0"}'})
    said = run_shipline(history.folder, "changeset", "status")
    told = f"No changeset is missing: commit {tip[:7]} is that of the release pull request, which has used them up."
    assert (said.code, told in said.out) == ((0, True) if uses else (1, False)), said
    document = json.loads(run_shipline(history.folder, "changeset", "status", "--json").out)
    assert document["proposal"] == (tip if uses else None)


def test_a_release_uses_up_its_lines_and_writes_what_is_required_now(history: History) -> None:
    """What belongs to the other package stays until its turn."""
    for name in ("core", "app"):
        path = history.folder / "packages" / name / "package.json"
        path.write_text(path.read_text().replace("{", '{"private": true, ', 1))
    text = '---\n"core": major\n"app": minor\n---\n\nAll new.\n'
    history.commit("feat: x", {".changeset/all-new.md": text})
    only = run_shipline(history.folder, "release", "--package=core")
    assert only.code == 0, only
    assert (history.folder / ".changeset" / "all-new.md").read_text() == text.replace('"core": major\n', "")
    rest = run_shipline(history.folder, "release")
    assert rest.code == 0, rest
    assert not list((history.folder / ".changeset").iterdir())
    manifest = json.loads((history.folder / "packages" / "app" / "package.json").read_text())
    assert (manifest["version"], manifest["dependencies"]) == ("1.1.0", {"core": "^2.0.0"})
    assert history.git("tag", "--points-at", "HEAD") == "app@1.1.0"
    assert history.git("status", "--porcelain") == ""
    assert "- require core 2.0.0" in (history.folder / "packages" / "app" / "CHANGELOG.md").read_text()
    assert run_shipline(history.folder, "release").code == 4


def test_a_release_of_several_is_one_commit(history: History) -> None:
    """All files, ranges and used up changesets in it, and a tag for each package on it."""
    for name in ("core", "app"):
        path = history.folder / "packages" / name / "package.json"
        path.write_text(path.read_text().replace("{", '{"private": true, ', 1))
    before = history.commit("feat: x", {".changeset/all-new.md": '---\n"core": major\n"app": minor\n---\n\nAll new.\n'})
    told = run_shipline(history.folder, "release", "--dry-run")
    assert "chore(release): core 2.0.0, app 1.1.0 (on main)" in told.out
    assert "in that of core 2.0.0" in told.out
    settings = history.folder / "shipline.toml"
    settings.write_text('schema = 1\n[[gate]]\nname = "never"\nrule = "false"\n')
    refused = run_shipline(history.folder, "release")
    assert (refused.code, "not released: app 1.1.0 waits for core 2.0.0" in refused.err) == (3, True), refused
    alone = run_shipline(history.folder, "release", "--package=app")
    assert (alone.code, "app 1.1.0 waits for core 2.0.0" in alone.err) == (3, True), alone
    settings.unlink()
    assert run_shipline(history.folder, "release").code == 0
    assert history.git("rev-parse", "HEAD~1") == before
    assert history.git("log", "-1", "--format=%s") == "chore(release): core 2.0.0, app 1.1.0"
    assert history.git("tag", "--points-at", "HEAD").splitlines() == ["app@1.1.0", "core@2.0.0"]
    assert not list((history.folder / ".changeset").iterdir())
    assert run_shipline(history.folder, "release").code == 4


def test_one_that_is_refused_holds_up_only_what_requires_it(history: History) -> None:
    """The command ends as the refusal wants it, and `release` again does what is missing."""
    for name in ("core", "app"):
        path = history.folder / "packages" / name / "package.json"
        path.write_text(path.read_text().replace("{", '{"private": true, ', 1))
    gate = 'schema = 1\n[[gate]]\nname = "later"\nrule = \'release.package != "core"\'\n'
    lone = '{"name": "lone", "version": "1.0.0", "private": true}'
    history.commit("chore: more", {"packages/lone/package.json": lone, "shipline.toml": gate})
    history.tag("lone@1.0.0")
    text = '---\n"core": major\n"app": minor\n"lone": patch\n---\n\nAll new.\n'
    history.commit("feat: x", {".changeset/all-new.md": text})
    refused = run_shipline(history.folder, "release")
    assert (refused.code, "core 2.0.0 was refused: later FAIL" in refused.err) == (3, True), refused
    assert "not released: app 1.1.0 waits for core 2.0.0" in refused.err
    assert "lone 1.0.1 is released" in refused.err
    waiting = {"package": "app", "version": "1.1.0", "state": "committed", "commit": history.git("rev-parse", "HEAD")}
    reason = "1.1.0 waits for core 2.0.0, which it requires and which is refused"
    listed = json.loads(run_shipline(history.folder, "releases", "--json").out)
    assert [(one["package"], one["status"]) for one in listed["releases"]] == [
        ("lone", "published"),
        ("core", "refused"),
    ]
    assert listed["waiting"] == [waiting | {"reason": reason}]
    assert run_shipline(history.folder, "releases").out.splitlines()[0] == f"app 1.1.0  waiting  {reason}"
    (history.folder / "shipline.toml").write_text("schema = 1\n")
    done = run_shipline(history.folder, "release", "--json")
    assert done.code == 0, done
    assert [one["package"] for one in json.loads(done.out)["releases"]] == ["core", "app"]
    assert history.git("tag", "--points-at", "HEAD").splitlines() == ["app@1.1.0", "core@2.0.0", "lone@1.0.1"]
