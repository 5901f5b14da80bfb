"""A place that another tool names is found again by what is written for it, and by nothing beside it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from shipline.capabilities.scaffold.places import (
    Entry,
    annotated,
    assigned,
    inside_json,
    inside_xml,
    known,
    last_name,
    on_lines_with,
)
from shipline.capabilities.version_files import read_version, write_version
from shipline.domain.version_file import VersionFile
from tests.capabilities.scaffold.test_import import imported

MARK = "x-release-please-version"


def version_file(entry: Entry) -> VersionFile:
    if isinstance(entry, str):
        return VersionFile(entry, "")
    return VersionFile(entry["path"], entry.get("kind", "pattern"), entry.get("pattern", ""))


@pytest.mark.parametrize(
    ("entry", "before"),
    [
        (assigned("docs/conf.py", "release"), 'prerelease = "9.9.9"\nrelease = "1.2.0"\nneeds = "3.1.4"\n'),
        (assigned("a.yaml", "tag"), "image:\n  tag: v1.2.0\n  other-tag: 9.9.9\n"),
        (assigned("a.toml", "tool.x.version"), '[tool.x]\nversion = "1.2.0-rc.1+b"\nrequires = "4.0.0"\n'),
        (assigned("a.cfg", "version"), "min_version = 3.1.4\nversion=1.2.0\n"),
        (assigned("a.mk", "VERSION"), "VERSION := 1.2.0\nOTHER := 9.9.9\n"),
        (inside_json("a.json", "version"), '{"app": {"version": "1.2.0", "engines": "18.0.0"}}\n'),
        (inside_xml("a.xml", "version"), '<?xml version="1.0"?>\n<p><version>1.2.0</version><v>9.9.9</v></p>\n'),
        (annotated("a.ts", MARK), f'const a = "9.9.9";\nconst v = "1.2.0"; // {MARK}\n'),
        (on_lines_with("README.md", "badge"), "badge/v1.2.0 needs 9.9.9\nother 9.9.9\n"),
    ],
)
def test_the_version_is_found_and_nothing_else_is_changed(entry: Entry, before: str) -> None:
    file = version_file(entry)
    stated = read_version(file, before.encode())
    assert stated.startswith("1.2.0")
    assert write_version(file, before.encode(), "2.0.0").decode() == before.replace(stated, "2.0.0")


@pytest.mark.parametrize(
    "entry",
    [
        assigned("pyproject.toml", "project.version"),
        assigned("src/a/__init__.py", "__version__"),
        inside_json("package.json", "version"),
        inside_xml("pom.xml", "version"),
        annotated("VERSION", MARK),
        on_lines_with("pyproject.toml", "version"),
        known("package.json"),
    ],
)
def test_a_file_that_is_known_by_its_name_needs_no_pattern(entry: Entry) -> None:
    assert isinstance(entry, str)


def test_what_leads_to_no_plain_place_is_refused() -> None:
    with pytest.raises(ValueError, match="shipline-version"):
        known("a.md")
    with pytest.raises(ValueError, match="is a pattern"):
        on_lines_with("a.md", "^v.+")
    with pytest.raises(ValueError, match="no plain key"):
        last_name("$.a[?(@.b)]")
    assert [last_name(path) for path in ("$.a.b", "//project/version", "version")] == ["b", "version", "version"]


@pytest.mark.parametrize(
    ("name", "made"),
    [("semantic-release", "dist/a.tgz"), ("python-semantic-release, before version 8", "dist/a.tgz")],
)
def test_a_build_command_leaves_its_files_where_they_are_looked_for(tmp_path: Path, name: str, made: str) -> None:
    """In a shell, as it is run."""
    (tmp_path / "dist").mkdir()
    (tmp_path / "out").mkdir()
    recipe = f'all dist:\n\t@echo "$(VERSION)$(NEW_VERSION)" > {made}\n'
    (tmp_path / "Makefile").write_text(recipe + ".PHONY: all dist\n")
    (table,) = imported(name).settings["build"]
    filled = {"{output}": str(tmp_path / "out"), "{version}": "1.2.0"}
    command = [filled.get(argument, argument) for argument in table["command"]]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert (tmp_path / "out" / "a.tgz").read_text() == "1.2.0\n"
