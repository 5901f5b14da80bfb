"""`shipline plan` and `shipline changelog`, as their group calls them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from shipline.apps.cli import changelog, plan
from shipline.capabilities.plans import BumpRules, Monorepo, Style
from shipline.domain.errors import UsageError
from shipline.domain.package import Package
from shipline.ports.repository import Repository
from shipline.testing.histories import History


@dataclass(frozen=True)
class OpenWorkspace:
    history: History
    packages: Sequence[Package] | None = None
    monorepo: Monorepo = Monorepo()  # noqa: RUF009 - a frozen value
    bumps: BumpRules = BumpRules()  # noqa: RUF009 - the same
    changelog_style: Style = Style()  # noqa: RUF009 - the same
    changelog_template: str | None = None

    @property
    def repository(self) -> Repository:
        return self.history.repository


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


def test_one_package_can_be_asked_for(workspace: OpenWorkspace) -> None:
    assert len(json.loads(run(workspace, plan.command, "--json", "--package", "quotes"))["packages"]) == 1
    with pytest.raises(UsageError, match="no package 'other'") as caught:
        run(workspace, plan.command, "--package", "other")
    assert "quotes" in caught.value.todo


def test_the_changelog_goes_to_standard_output(workspace: OpenWorkspace) -> None:
    assert run(workspace, changelog.command, "--all").startswith("# Changelog\n")
    workspace.history.commit("fix: b")
    assert "- b (" in run(workspace, changelog.command)
