"""`shipline version check` and `sync`, as people and programs call them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from shipline.testing.histories import History
from tests.command import run_shipline

PROJECT = '# ours\r\n[project]\r\nname = "quotes"\r\nversion = "{}"\r\n'
LOCK = '[[package]]\nname = "quotes"\nversion = "{}"\nsource = {{ editable = "." }}\n'


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A package that was released as 3.2.0, and whose manifest says 3.3.0."""
    history = History(tmp_path / "quotes")
    write(history.folder, "pyproject.toml", PROJECT.format("3.3.0"))
    write(history.folder, "uv.lock", LOCK.format("3.2.0"))
    history.commit("feat: serve quotes", {})
    subprocess.run(["git", "add", "-A"], cwd=history.folder, check=True)
    history.commit("feat: more")
    history.tag("v3.2.0")
    return history.folder


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_bytes(text.encode())


def test_a_mismatch_is_named_and_fails(repository: Path) -> None:
    said = run_shipline(repository, "version", "check")
    assert said.code == 1
    assert said.out == (
        "quotes  3.2.0, says the tag v3.2.0: it is the latest release that this commit builds on\n"
        "  differs  pyproject.toml:4: says 3.3.0, and v3.2.0 says 3.2.0\n"
        "  ok       uv.lock:3\n"
        "  `shipline version sync` mends what differs\n"
    )
    document = json.loads(run_shipline(repository, "version", "check", "--json").out)
    assert (document["schema"], document["ok"]) == ("shipline.version-check/1", False)


def test_sync_mends_the_versions_bytes_alone(repository: Path) -> None:
    """The dry run shows what the real one does; then there is nothing left to do."""
    before = {path.name: path.read_bytes() for path in repository.iterdir() if path.is_file()}
    dry = run_shipline(repository, "version", "sync", "--dry-run")
    assert dry.code == 0
    assert '-version = "3.3.0"\r\n+version = "3.2.0"\r\n' in dry.out
    assert {path.name: path.read_bytes() for path in repository.iterdir() if path.is_file()} == before
    said = run_shipline(repository, "version", "sync")
    assert (said.code, said.err) == (0, "edited pyproject.toml\n")
    assert (repository / "pyproject.toml").read_bytes() == PROJECT.format("3.2.0").encode()
    assert run_shipline(repository, "version", "check").code == 0
    assert run_shipline(repository, "version", "sync").code == 4


def test_sync_writes_the_version_that_it_is_told(repository: Path) -> None:
    """However it is written there: each file gets it as its ecosystem has it."""
    write(repository, "package.json", '{"version": "3.2.0"}')
    subprocess.run(["git", "add", "-A"], cwd=repository, check=True)
    assert run_shipline(repository, "version", "sync", "--to", "4.0.0-rc.1").code == 0
    assert (repository / "package.json").read_text() == '{"version": "4.0.0-rc.1"}'
    assert (repository / "pyproject.toml").read_bytes() == PROJECT.format("4.0.0rc1").encode()
    assert (repository / "uv.lock").read_bytes() == LOCK.format("4.0.0rc1").encode()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("sync", "--to", "x"), 2, "no version of the scheme pep440"),
        (("sync", "--to", ""), 2, "no version of the scheme pep440"),
        (("check", "--package", "other"), 2, "the packages: quotes"),
        (("check", "extra"), 2, "extra"),
    ],
)
def test_what_is_not_understood_changes_nothing(
    repository: Path, arguments: tuple[str, ...], code: int, told: str
) -> None:
    said = run_shipline(repository, "version", *arguments)
    assert said.code == code
    assert told in said.err


def test_settings_name_files_patterns_and_who_is_right(repository: Path) -> None:
    write(repository, "deploy.yml", "image: quotes:3.1.0\nimage: redis:7\n")
    table = "{ path = 'deploy.yml', pattern = 'quotes:(?P<version>[0-9A-Za-z.+-]+)' }"
    settings = f"""
    [[package]]
    name = "quotes"
    version_source = "pyproject.toml"
    version_files = ["pyproject.toml", {table}]
    """
    write(repository, "shipline.toml", settings)
    assert "deploy.yml:1: says 3.1.0, and pyproject.toml says 3.3.0" in run_shipline(repository, "version", "check").out
    assert run_shipline(repository, "version", "sync").code == 0
    assert (repository / "deploy.yml").read_text() == "image: quotes:3.3.0\nimage: redis:7\n"
    for wrong, told in (("[0-9A-Za-z.+-]+", "[0-9]+)+"), ("P<version>", "P<v>"), ('= "pyproject.toml"', '= "x"')):
        write(repository, "shipline.toml", settings.replace(wrong, told, 1))
        assert run_shipline(repository, "version", "check").code == 2


def test_several_packages_are_not_told_one_version(repository: Path) -> None:
    (repository / "b").mkdir()
    write(repository, "b/VERSION", "1.0.0\n")
    write(repository, "shipline.toml", '[[package]]\nname = "quotes"\n[[package]]\nname = "b"\npath = "b"\n')
    assert run_shipline(repository, "version", "sync", "--to", "9.0.0").code == 2
    subprocess.run(["git", "add", "b"], cwd=repository, check=True)
    assert run_shipline(repository, "version", "sync", "--to", "9.0.0", "--package", "b").code == 0
    assert (repository / "b" / "VERSION").read_text() == "9.0.0\n"


def test_a_broken_file_fails_the_check_and_stops_the_sync(repository: Path) -> None:
    write(repository, "pyproject.toml", "[project\n\x1b[31m")
    said = run_shipline(repository, "version", "check")
    assert said.code == 1
    assert "\x1b" not in said.out
    assert "  unknown  pyproject.toml: pyproject.toml cannot be read" in said.out
    assert "mends" not in said.out
    assert run_shipline(repository, "version", "sync").code == 1


def test_outside_of_a_repository_nothing_is_guessed(tmp_path: Path) -> None:
    assert run_shipline(tmp_path, "version", "check").code == 2
