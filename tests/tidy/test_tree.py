"""The tree keeps the house's rules. Only what git tracks is looked at."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import pytest

from shipline.apps.cli.main import COMMANDS
from tests.tidy import rules

TOP = Path(__file__).parents[2]
TEXT_SUFFIXES = frozenset(
    {"", ".cfg", ".css", ".html", ".ini", ".js", ".json", ".lock", ".md", ".patch", ".py", ".sh", ".sql", ".toml"}
    | {".txt", ".xml", ".yaml", ".yml", ".jsonl", ".cfgt", ".j2", ".svg"}
)

# Files that may hold what is banned elsewhere, each with the reason. A folder ends with a slash.
ADDRESSES_ALLOWED: dict[str, str] = {}
REMINDERS_ALLOWED: dict[str, str] = {}
# A migration is one list of statements, written by Alembic and never edited once released.
LENGTH_ALLOWED = ("src/shipline/store/migrations/versions/",)
# Documents in which the reader makes a package, with files of its own.
READERS_OWN = ("docs/tutorial/first-release.md",)
UNUSED_ALLOWED = {
    "src/shipline/domain/environment.py": "the same: settings serve where it will",
    "src/shipline/domain/flag.py": "the twelve nouns were settled together; the room of this one is not built yet",
}


@pytest.fixture(scope="module")
def tree() -> dict[str, str]:
    """All tracked text files."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, text=True, check=True)
    paths = [path for path in listed.stdout.split("\0") if path and (TOP / path).is_file()]
    return {
        path: (TOP / path).read_text(encoding="utf-8", errors="replace")
        for path in paths
        if PurePosixPath(path).suffix in TEXT_SUFFIXES and not (TOP / path).is_symlink()
    }


@pytest.fixture(scope="module")
def python(tree: dict[str, str]) -> dict[str, str]:
    return {path: text for path, text in tree.items() if path.endswith(".py")}


@pytest.fixture(scope="module")
def source(python: dict[str, str]) -> dict[str, str]:
    return {path: text for path, text in python.items() if path.startswith("src/")}


def refuse(breaches: Iterable[rules.Breach], allowed: Iterable[str] = ()) -> None:
    """Fail with all breaches, one a line, but those in allowed places."""
    places = tuple(allowed)
    left = [str(breach) for breach in breaches if not any(is_in(breach.path, place) for place in places)]
    assert not left, "\n" + "\n".join(left)


def is_in(path: str, place: str) -> bool:
    return path.startswith(place) if place.endswith("/") else path == place


def test_modules_are_short(source: dict[str, str]) -> None:
    refuse(rules.long_modules(source))


def test_functions_are_short(source: dict[str, str]) -> None:
    refuse(rules.long_functions(source), LENGTH_ALLOWED)


def test_files_and_folders_are_named_for_what_is_inside(tree: dict[str, str]) -> None:
    refuse(rules.banned_names(tree))


@pytest.fixture(scope="module")
def unused(python: dict[str, str]) -> list[rules.Breach]:
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["scripts"], *project["entry-points"].values()]
    mine = {path: text for path, text in python.items() if path.startswith(("src/", "tests/", "bench/"))}
    commands = [f"shipline.apps.cli.{module}:command" for module, _ in COMMANDS.values()]
    entry_points = commands + [value for group in groups for value in group.values()]
    return list(rules.dead_modules(mine, entry_points=entry_points))


def test_every_module_is_used(unused: list[rules.Breach]) -> None:
    refuse(unused, UNUSED_ALLOWED)


def test_documents_name_paths_that_exist(tree: dict[str, str]) -> None:
    documents = {path: text for path, text in tree.items() if path == "README.md" or path.startswith("docs/")}
    markdown = {path: text for path, text in documents.items() if path.endswith(".md")}
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, text=True, check=True)
    files = [PurePosixPath(path) for path in listed.stdout.split("\0") if path]
    existing = {str(place) for file in files for place in (file, *file.parents)}
    refuse(rules.missing_paths(markdown, existing), READERS_OWN)


def test_no_path_of_one_machine_is_named(tree: dict[str, str]) -> None:
    refuse(rules.matches(tree, rules.MACHINE_PATH, "a path of one machine"), ADDRESSES_ALLOWED)


def test_no_registry_s_address_is_named(tree: dict[str, str]) -> None:
    refuse(rules.matches(tree, rules.REGISTRY_HOST, "a registry's address"), ADDRESSES_ALLOWED)


def test_every_package_is_locked_by_hash(tree: dict[str, str]) -> None:
    refuse(rules.unlocked("requirements.lock", tree["requirements.lock"]))


def test_every_ignore_says_what_it_ignores(python: dict[str, str]) -> None:
    refuse(rules.blanket_ignores(python))


def test_nothing_is_left_for_later(tree: dict[str, str]) -> None:
    refuse(rules.matches(tree, rules.REMINDER, "a reminder"), REMINDERS_ALLOWED)


def test_nothing_is_mocked(python: dict[str, str]) -> None:
    refuse(rules.matches(python, rules.MOCK, "a mock"))


def test_every_exception_is_still_needed(tree: dict[str, str], unused: list[rules.Breach]) -> None:
    """An allowed place that has no breach any more leaves the list."""
    assert set(UNUSED_ALLOWED) <= {breach.path for breach in unused}
    lists = [
        (ADDRESSES_ALLOWED, (rules.MACHINE_PATH, rules.REGISTRY_HOST)),
        (REMINDERS_ALLOWED, (rules.REMINDER,)),
    ]
    for allowed, patterns in lists:
        for place in allowed:
            texts = [text for path, text in tree.items() if is_in(path, place)]
            assert any(pattern.search(text) for pattern in patterns for text in texts), place
