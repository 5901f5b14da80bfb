"""`shipline plan` and `shipline changelog`, as their group calls them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from shipline.apps.cli import changelog, plan
from shipline.bootstrap import Application
from shipline.capabilities.releases import RELEASES
from shipline.domain.errors import RefusedError, UsageError
from shipline.domain.release import Release, ReleaseStatus
from shipline.testing.histories import History


class OpenWorkspace(Application):
    """The application in a history's folder."""

    def __init__(self, history: History) -> None:
        super().__init__(history.folder)
        self.history = history


@pytest.fixture
def workspace(tmp_path: Path) -> OpenWorkspace:
    history = History(tmp_path / "quotes")
    history.commit("feat: serve quotes")
    history.tag("v1.0.0")
    return OpenWorkspace(history)


def run(workspace: OpenWorkspace, command: click.Command, *arguments: str) -> str:
    result = CliRunner().invoke(command, list(arguments), obj=workspace, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_people_see_what_comes_next_and_why(workspace: OpenWorkspace) -> None:
    head = workspace.history.commit("fix(api): a\x1b[31m b")
    assert run(workspace, plan.command) == (
        "quotes  1.0.0 -> 1.0.1  (patch, tag v1.0.1)\n"
        "  The last final release is 1.0.0 (tag v1.0.0).\n"
        f"  1 fix: “fix(api): a [31m b” ({head[:7]}).\n"
        "\n"
        f"  {head[:7]}  fix       api: a [31m b\n"
    )


def test_on_a_detached_head_a_note_says_that_it_is_not_released_from(workspace: OpenWorkspace) -> None:
    workspace.history.git("checkout", "--quiet", "--detach")
    assert "detached" not in run(workspace, plan.command)
    workspace.history.commit("fix: more")
    assert run(workspace, plan.command).startswith("HEAD is detached: ")
    assert "detached" in json.loads(run(workspace, plan.command, "--json"))["notes"][0]


def test_a_release_that_has_stopped_is_told_where_nothing_else_is_to_be_released(workspace: OpenWorkspace) -> None:
    """Its tag is there already, so git alone takes it for released."""
    versions = (("0.9.0", ReleaseStatus.STOPPED), ("1.0.0", ReleaseStatus.STOPPED))
    with workspace.store.begin() as tx:
        for number, (version, status) in enumerate(versions):
            release = Release(f"rel_{number}", "quotes", version, f"v{version}", status, 1, number)
            RELEASES.save(tx, release)
    told = "The release of quotes 1.0.0 is stopped: `shipline release` goes on with it.\n\nquotes  1.0.0  nothing"
    assert run(workspace, plan.command).startswith(told)
    with workspace.store.begin() as tx:
        RELEASES.save(tx, replace(release, status=ReleaseStatus.PUBLISHED))
    assert run(workspace, plan.command).startswith("quotes  1.0.0  nothing to release")
    workspace.store.close()


def test_people_see_when_there_is_nothing_to_release(workspace: OpenWorkspace) -> None:
    assert run(workspace, plan.command).startswith("quotes  1.0.0  nothing to release\n")


def test_a_long_list_is_cut(workspace: OpenWorkspace) -> None:
    for number in range(22):
        workspace.history.commit(f"fix: {number}")
    assert run(workspace, plan.command).endswith("  ... and 2 more; --json has them all\n")


def test_programs_get_json(workspace: OpenWorkspace) -> None:
    document = json.loads(run(workspace, plan.command, "--json"))
    assert document["schema"] == "shipline.plan/1"
    assert document["packages"][0]["next"] == document["packages"][0]["current"] == "1.0.0"


def test_changesets_that_are_not_committed_are_said_beside_the_plan(workspace: OpenWorkspace) -> None:
    text = '---\n"quotes": minor\n---\n\nNew.\n'
    workspace.history.commit("feat: a", {".changeset/a.md": text, ".changeset/b.md": text})
    runner, arguments = CliRunner(), ["--json"]
    assert runner.invoke(plan.command, arguments, obj=workspace).stderr == ""
    (workspace.history.folder / ".changeset/b.md").write_bytes(text.replace("minor", "patch").encode())
    (workspace.history.folder / ".changeset/a.md").write_bytes(text.replace("\n", "\r\n").encode())
    (workspace.history.folder / ".changeset/c.md").symlink_to("a.md")
    result = runner.invoke(plan.command, arguments, obj=workspace)
    assert json.loads(result.stdout)["packages"][0]["changesets"] == [".changeset/a.md", ".changeset/b.md"]
    assert result.stderr == (
        "These changesets do not count, since they are not committed as they are: .changeset/b.md, .changeset/c.md\n"
    )


def test_one_package_can_be_asked_for(workspace: OpenWorkspace) -> None:
    assert len(json.loads(run(workspace, plan.command, "--json", "--package", "quotes"))["packages"]) == 1
    with pytest.raises(UsageError, match="no package 'other'") as caught:
        run(workspace, plan.command, "--package", "other")
    assert "quotes" in caught.value.todo


def test_the_changelog_goes_to_standard_output(workspace: OpenWorkspace) -> None:
    assert run(workspace, changelog.command, "--all").startswith("# Changelog\n")
    workspace.history.commit("fix: b")
    assert "- b (" in run(workspace, changelog.command)


def test_the_changelog_of_one_package_is_printed(tmp_path: Path) -> None:
    """In every form of it; who writes a name wrong is told which is near."""
    history = History(tmp_path / "repo")
    both = {name: f'{{"name": "{name}", "version": "1.0.0"}}' for name in ("core", "web")}
    files = {f"packages/{name}/package.json": text for name, text in both.items()}
    history.commit("feat: begin", files | {"package.json": '{"private": true, "workspaces": ["packages/*"]}'})
    for name in both:
        history.tag(f"{name}@1.0.0")
        history.commit(f"fix: mend {name}", {f"packages/{name}/a": ""})
    for more in ((), ("--all",), ("--version", "1.0.0"), ("--announcement",)):
        alone = run(OpenWorkspace(history), changelog.command, "--package", "web", *more)
        assert ("mend web" in alone) == ("--version" not in more)
        assert "mend core" not in alone
        assert "<!--" not in alone
        with pytest.raises(UsageError) as caught:
            run(OpenWorkspace(history), changelog.command, "--package", "wab", *more)
        assert caught.value.todo == "did you mean web? the packages: core, web"


def test_one_release_and_an_announcement_are_printed(workspace: OpenWorkspace) -> None:
    for name in ("1.0.0", "v1.0.0"):
        assert run(workspace, changelog.command, "--version", name).startswith("## [1.0.0] - 2023-11-15\n")
    workspace.history.commit("fix: b")
    assert run(workspace, changelog.command, "--announcement").startswith("What comes next in quotes:\n\nFixed:\n- b\n")
    both = CliRunner().invoke(changelog.command, ["--all", "--announcement"], obj=workspace)
    assert both.exit_code == 2


def test_a_channel_can_be_asked_for_and_the_branch_says_one_otherwise(workspace: OpenWorkspace) -> None:
    workspace.history.commit("feat: more")
    assert "1.0.0 -> 1.1.0-rc.1" in run(workspace, plan.command, "--channel", "rc")
    workspace.history.git("checkout", "--quiet", "-b", "1.x")
    workspace = OpenWorkspace(workspace.history)
    document = json.loads(run(workspace, plan.command, "--json"))
    assert (document["packages"][0]["channel"], document["packages"][0]["next"]) == ("1.x", "1.1.0")
    workspace.history.commit("feat!: too much")
    with pytest.raises(RefusedError):
        run(workspace, plan.command)
