"""`shipline init` writes a file that fits, and never over another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shipline.apps.cli.init import settings_text
from shipline.configuration import load_settings, parse_settings
from shipline.configuration.check import check_settings
from shipline.testing.histories import History
from tests.command import run_shipline

PYTHON = '[project]\nname = "quotes"\nversion = "1.0.0"\n'
NPM = '{"name": "quotes", "version": "1.0.0"}'


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "repo")


def test_a_python_package_with_tests_gets_a_test_table(history: History) -> None:
    history.commit("feat: a", {"pyproject.toml": PYTHON + '[dependency-groups]\ndev = ["pytest>=8", "pytest_cov"]\n'})
    said = run_shipline(history.folder, "init")
    assert said.code == 0, said
    assert "shipline plan" in said.out
    settings = load_settings(history.folder)
    assert settings.test[0].reports == ("junit.xml", "coverage.xml")
    assert "--cov-report=xml:{reports}/coverage.xml" in settings.test[0].command
    assert settings.release.branch == "main"
    assert "quotes (python)" in (history.folder / "shipline.toml").read_text()
    assert "quotes  1.0.0" in run_shipline(history.folder, "plan").out.replace("unreleased -> ", "")


@pytest.mark.parametrize(
    ("requirements", "tests"),
    [
        ('[tool.poetry.group.dev.dependencies]\npytest = "^8"\n', ("junit.xml",)),
        ('[project.optional-dependencies]\ntest = ["PyTest"]\n', ("junit.xml",)),
        ("[tool.pytest.ini_options]\n", ("junit.xml",)),
        ('[project.optional-dependencies]\ntest = ["nose"]\n', None),
    ],
)
def test_pytest_is_found_wherever_it_is_required(
    history: History, requirements: str, tests: tuple[str, ...] | None
) -> None:
    history.commit("feat: a", {"pyproject.toml": PYTHON + requirements})
    assert run_shipline(history.folder, "init").code == 0
    found = load_settings(history.folder).test
    assert (found[0].reports if found else None) == tests


@pytest.mark.parametrize(
    ("files", "providers", "runner"),
    [
        ({"pyproject.toml": PYTHON}, ["pypi"], "{python}"),
        ({"package.json": NPM}, ["npm"], "node"),
        ({"pyproject.toml": PYTHON, "package.json": NPM}, ["pypi", "npm"], "{python}"),
        ({"VERSION": "1.0.0"}, ["generic"], "{python}"),
    ],
)
def test_the_examples_are_of_what_is_there_and_can_be_used(
    history: History, files: dict[str, str], providers: list[str], runner: str
) -> None:
    history.commit("feat: a", files)
    text = settings_text(history.repository, history.folder)
    tables = re.findall(r"(?:^# .+\n)+", text, re.MULTILINE)
    used = "".join(line[2:] for table in tables for line in table[table.find("# [[") :].splitlines(keepends=True))
    settings = parse_settings(f"schema = 1\n{used}".encode())
    check_settings(settings)
    assert [table["provider"] for table in settings.registry] == providers
    assert settings.test[0].command[0] == runner


@pytest.mark.parametrize(
    "files",
    [{}, {"package.json": NPM}],
)
def test_any_other_repository_gets_a_file_that_loads(history: History, files: dict[str, str]) -> None:
    history.commit("feat: a", files)
    assert run_shipline(history.folder, "init").code == 0
    assert load_settings(history.folder).test == ()
    assert run_shipline(history.folder, "plan").code == 0
    assert run_shipline(history.folder, "doctor").code == 0


@pytest.mark.parametrize("text", ["=", "a = [" * 3000])
def test_a_manifest_that_cannot_be_read_is_named(history: History, text: str) -> None:
    history.commit("feat: a", {"pyproject.toml": text})
    said = run_shipline(history.folder, "init")
    assert (said.code, said.err.partition("\n")[0]) == (2, "pyproject.toml cannot be read")


def test_a_file_that_is_there_stays(history: History) -> None:
    path = history.folder / "shipline.toml"
    path.write_text("registri = 1")
    said = run_shipline(history.folder, "init")
    assert said.code == 4, said
    assert "there already" in said.err
    assert path.read_text() == "registri = 1"
    path.unlink()
    path.symlink_to("elsewhere.toml")
    assert run_shipline(history.folder, "init").code == 4
    assert not (history.folder / "elsewhere.toml").exists()
    assert [each.name for each in history.folder.glob(".shipline.toml*")] == []


def test_it_goes_to_the_top_of_the_repository_before_the_first_commit_too(history: History) -> None:
    (history.folder / "inner").mkdir()
    assert run_shipline(history.folder / "inner", "init").code == 0
    assert (history.folder / "shipline.toml").is_file()


def test_a_folder_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    said = run_shipline(tmp_path, "init")
    assert said.code == 2
    assert "git init" in said.err
    assert list(tmp_path.iterdir()) == []
