"""Every command ends with the exit code that its reference documents: a table, tried in one small repository."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from shipline.apps.cli.main import cli
from shipline.domain.errors import ShiplineError, UnknownName
from shipline.testing.histories import History
from tests.docs.markdown import ROOT, Page

GATE = '[[gate]]\nname = "a"\nrule = "tests.total > 0"\n'
TABLE = [
    ("plan", 0),
    ("-C {outside} plan", 2),
    ("-C {empty} plan", 1),
    ("plan --package zz", 2),
    ("plan --channel !!", 2),
    ("changelog --version 9.9.9", 2),
    ("changelog --package zz", 2),
    ("version check", 0),
    ("version check --package zz", 2),
    ("version sync", 4),
    ("version sync --to zz", 2),
    ("version sync --to 1.2.3 --dry-run", 0),
    ("version satisfies 1.2.3 ^1", 0),
    ("version satisfies 1.2.3 ^2", 1),
    ("version satisfies 1.2.3 ^^2", 2),
    ("version parse zz", 2),
    ("version next 1.0.0-rc.1 --bump minor --pre beta", 2),
    ("lint --range zz..HEAD", 2),
    ("lint", 2),
    ("changeset status --since zz", 2),
    ("changeset status --since HEAD", 0),
    ("release", 3),
    ("release --dry-run", 3),
    ("release --package zz", 2),
    ("release --from v9.9.9", 2),
    ("-C {released} release", 4),
    ("-C {released} release --dry-run", 4),
    ("yank 9.9.9 --reason x", 2),
    ("backport v1.0.0 --to other", 4),
    ("backport zz --to other", 2),
    ("deploy", 2),
    ("promote zz", 1),
    ("rollback", 2),
    ("rollout check", 2),
    ("env history zz", 1),
    ("approve 9.0.0 --stage release", 1),
    ("approve 9.0.0 --stage zz", 1),
    ("gate eval --policy {outside}/policy.toml --facts {outside}/none.json", 2),
    ("gate eval --policy {outside}/policy.toml --facts {outside}/facts.json", 3),
    ("verify {outside}/none", 2),
    ("evidence read {outside}/facts.json", 2),
    ("log prove zz", 2),
    ("metrics --environment zz", 1),
    ("import", 4),
    ("import --from gitlint", 4),
    ("import --from zz", 2),
]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A repository whose next tag another branch has, one that is released, one without commits, and no repository."""
    folder = tmp_path_factory.mktemp("places")
    here, released = History(folder / "here"), History(folder / "released")
    for made in (here, released):
        made.commit("feat: begin", {"package.json": '{"name": "q", "version": "1.0.0"}'})
        made.tag("v1.0.0")
    here.git("checkout", "--quiet", "--orphan", "other")
    here.commit("feat: begin anew")
    History(folder / "empty")
    outside = folder / "outside"
    outside.mkdir()
    (outside / "policy.toml").write_text(GATE)
    (outside / "facts.json").write_text("{}")
    return {"here": here.folder, "released": released.folder, "empty": folder / "empty", "outside": outside}


def run(places: dict[str, Path], line: str) -> Result:
    where = () if line.startswith("-C ") else ("-C", str(places["here"]))
    return CliRunner().invoke(cli, [*where, *(word.format_map(places) for word in line.split())], standalone_mode=False)


def code_of(result: Result) -> int:
    """As `main` ends the process."""
    error = result.exception
    if isinstance(error, ShiplineError | click.ClickException):
        return int(error.exit_code)
    assert error is None or isinstance(error, SystemExit), error
    return result.exit_code or int(result.return_value or 0)


@pytest.mark.parametrize(("line", "code"), TABLE, ids=[line for line, _ in TABLE])
def test_the_exit_code_is_the_one_that_is_documented(places: dict[str, Path], line: str, code: int) -> None:
    """In the command's own section; what is the same for all commands stands in the table of codes: what cannot be
    understood (2), and that there is no such environment."""
    result = run(places, line)
    assert code_of(result) == code, result.output
    words = line.split()[2:] if line.startswith("-C ") else line.split()
    sections = Page(ROOT / "docs/reference/commands.md", (ROOT / "docs/reference/commands.md").read_text()).sections()
    section = next(sections[name] for size in (2, 1) if (name := f"`shipline {' '.join(words[:size])}`") in sections)
    codes = re.search(r"Exit codes?:([^`]|`[^`]*`)*?\n\n", section + "\n\n")
    unknown = isinstance(result.exception, UnknownName)
    assert unknown or code in (0, 2) or (codes is not None and re.search(rf"\b{code}\b", codes[0])), section


def test_programs_are_told_that_there_is_nothing_to_release(places: dict[str, Path]) -> None:
    for more, schema in ((), "shipline.release/1"), (("--dry-run",), "shipline.release-preview/1"):
        result = run(places, " ".join(("-C {released} release --json", *more)))
        assert code_of(result) == 4
        document = json.loads(result.stdout)
        assert (document["schema"], document["pull_request"]) == (schema, None)
        assert all(one["version"] is None for one in document["releases"])


def test_usage_errors_of_the_command_line_keep_their_code() -> None:
    assert code_of(CliRunner().invoke(cli, ["zz"], standalone_mode=False)) == click.UsageError.exit_code == 2
