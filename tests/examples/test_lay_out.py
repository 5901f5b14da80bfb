"""The quotes service's history: laid out on real git, its own tests run and its faults counted at every stage."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
NOW = "2026-03-01T12:00:00Z"
CLIENTS = 4
REQUESTS_PER_CLIENT = 500


def clean_environment() -> dict[str, str]:
    """The environment without what steers git, pytest or the import path of this test run."""
    steering = ("GIT_", "PYTEST_", "COV_", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if not name.startswith(steering)}


def run(*command: str, cwd: Path, check: bool = True) -> str:
    """Run a program and give its output; a failure shows what it said."""
    result = subprocess.run(command, cwd=cwd, env=clean_environment(), capture_output=True, text=True, check=False)
    assert result.returncode == 0 or not check, result.stdout + result.stderr
    return result.stdout + result.stderr


def lay_out(repository: Path, until: str, now: str = NOW, *, check: bool = True) -> str:
    script = str(EXAMPLES / "lay_out.py")
    command = (sys.executable, script, str(repository), "--until", until, "--now", now)
    return run(*command, cwd=repository.parent, check=check)


def release(repository: Path, version: str) -> None:
    """Commit and tag what a release changes: the version file, the changelog."""
    project = repository / "pyproject.toml"
    project.write_text(project.read_text().replace('version = "0.1.0"', f'version = "{version}"'))
    changelog = repository / "CHANGELOG.md"
    changelog.write_text(f"# Changelog\n\n## {version}\n\n- news\n")
    run("git", "add", "--all", cwd=repository)
    run("git", "commit", "--quiet", f"--message=chore(release): quotes {version}", cwd=repository)
    run("git", "tag", "--annotate", f"--message={version}", f"v{version}", cwd=repository)


def statuses(repository: Path) -> list[Counter[int]]:
    """Start the service from `repository` and ask for `/` from several clients; count each one's answers."""
    command = [sys.executable, "-m", "quotes", "--port", "0"]
    source = repository / "src"
    with subprocess.Popen(
        command, cwd=source, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as service:
        try:
            assert service.stdout is not None
            port = int(service.stdout.readline().rstrip("/\n").rsplit(":", 1)[-1])
            with ThreadPoolExecutor(CLIENTS) as clients:
                counts = list(clients.map(ask, [port] * CLIENTS))
        finally:
            service.terminate()
        assert service.wait(timeout=10) == 0
    return counts


def ask(port: int) -> Counter[int]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    counts: Counter[int] = Counter()
    for _ in range(REQUESTS_PER_CLIENT):
        connection.request("GET", "/")
        response = connection.getresponse()
        response.read()
        counts[response.status] += 1
    connection.close()
    return counts


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return tmp_path / "quotes"


def test_the_first_series_ends_in_the_tree_that_is_kept(repository: Path) -> None:
    """Every file of examples/quotes is in the repository, byte for byte, and no other."""
    lay_out(repository, "first")
    laid_out = run("git", "ls-files", cwd=repository).split()
    kept = run("git", "ls-files", cwd=EXAMPLES / "quotes").split()
    assert laid_out == kept
    assert all((repository / path).read_bytes() == (EXAMPLES / "quotes" / path).read_bytes() for path in kept)
    assert run("git", "status", "--porcelain", cwd=repository) == ""


def test_the_same_arguments_give_the_same_history(tmp_path: Path) -> None:
    """Nothing of the machine, the user or the clock gets into a commit."""
    heads = set()
    for name in ("one", "two"):
        lay_out(tmp_path / name, "bad")
        heads.add(run("git", "rev-parse", "HEAD", cwd=tmp_path / name))
    assert len(heads) == 1


def test_the_history_is_conventional_and_told_before_now(repository: Path) -> None:
    """Types and order are those of the manifest; commit times never decrease and lie before `--now`."""
    lay_out(repository, "bad")
    lines = run("git", "log", "--reverse", "--format=%ct %s", cwd=repository).splitlines()
    times = [int(line.split()[0]) for line in lines]
    types = {line.split()[1].partition("(")[0].rstrip(":") for line in lines}
    assert types == {"chore", "docs", "feat", "fix", "test"}
    assert times == sorted(times)
    assert times[-1] < datetime.fromisoformat(NOW).timestamp()


def test_every_patch_is_named_by_a_commit() -> None:
    """No patch lies about unused, and none is missing."""
    folder = EXAMPLES / "quotes-history"
    history = tomllib.loads((folder / "history.toml").read_text())
    named = {commit["patch"] for commits in history.values() for commit in commits if "patch" in commit}
    assert named == {str(path.relative_to(folder)) for path in folder.glob("*/*.patch")}


@pytest.mark.parametrize(("series", "failing_at_least", "failing_at_most"), [("good", 0, 0), ("bad", 50, 150)])
def test_own_tests_pass_and_faults_are_as_described(
    repository: Path, series: str, failing_at_least: int, failing_at_most: int
) -> None:
    """Goal: `good` answers all of 2,000 requests, `bad` fails 5% of them, for every client; no test of the package
    notices. Method: releases lie between the series, as in use. The bounds for `bad` are five standard deviations."""
    lay_out(repository, "first")
    release(repository, "0.2.0")
    if series == "bad":
        lay_out(repository, "good")
        release(repository, "0.3.0")
    lay_out(repository, series)
    assert " passed" in run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=repository)
    counts = statuses(repository)
    assert set().union(*counts) <= {200, 500}
    assert failing_at_least <= sum(count[500] for count in counts) <= failing_at_most
    assert all((count[500] > 0) == (series == "bad") for count in counts)


def test_the_first_version_passes_its_own_tests_and_answers(repository: Path) -> None:
    """The version that everything starts from is sound."""
    lay_out(repository, "first")
    assert " passed" in run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=repository)
    assert all(count == {200: REQUESTS_PER_CLIENT} for count in statuses(repository))


def test_a_series_that_is_there_is_left_alone(repository: Path) -> None:
    """Asking twice changes nothing."""
    lay_out(repository, "good")
    head = run("git", "rev-parse", "HEAD", cwd=repository)
    assert "nothing to add" in lay_out(repository, "good")
    assert run("git", "rev-parse", "HEAD", cwd=repository) == head


def test_a_later_commit_is_never_older_than_its_parent(repository: Path) -> None:
    """A release was committed today; what was written last week and merged after it is committed today too."""
    lay_out(repository, "first")
    release(repository, "0.2.0")
    released_s = int(run("git", "log", "-1", "--format=%ct", cwd=repository))
    lay_out(repository, "good")
    assert int(run("git", "log", "-1", "--format=%ct", cwd=repository)) >= released_s


def test_a_folder_with_something_else_is_refused(repository: Path) -> None:
    """Nothing of the user's is overwritten."""
    repository.mkdir()
    (repository / "diary.txt").write_text("dear diary")
    assert "neither empty nor a repository" in lay_out(repository, "first", check=False)
    assert [path.name for path in repository.iterdir()] == ["diary.txt"]


def test_an_unknown_series_names_the_known_ones(repository: Path) -> None:
    """A slip of the hand is explained."""
    assert "known: first, good, bad" in lay_out(repository, "god", check=False)
