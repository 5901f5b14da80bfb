"""What an environment's commits say: pure, and as git finds them."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipline.clients.git_command import GitCommand
from shipline.clients.gitops.history import COMMITS_MAX, Brought, History, history_of, left_behind, read_history
from shipline.domain.errors import RefusedError
from shipline.testing.histories import History as Commits

HERE = "production apps/quotes/kustomization.yaml quotes"
ONE = Brought("c1", "one", 5, "quotes", "1.0.0", "sha256:1")
BACK = Brought("c2", "two", 9, "quotes", "1.0.0", "sha256:1", held="1.1.0")


def record(brought: Brought, place: str = HERE) -> str:
    lines = "\n".join(f"{name}: {value}" for name, value in brought.trailers(place).items())
    return f"\n{brought.commit}\n{lines}\n"


def test_what_was_written_is_read_again() -> None:
    """Of this place alone, not of another environment, file or image; what is damaged is no such commit."""
    damaged = record(BACK).replace("Shipline-Revision: 9", "Shipline-Revision: nine")
    words = (("production", "staging"), ("apps/quotes", "apps/other"), (" quotes", " other"))
    others = [record(ONE, HERE.replace(*other)) for other in words]
    records = [*others, record(BACK), damaged, "c3\nSigned-off-by: Ann", "", record(ONE)]
    found = history_of(records, HERE)
    assert found == History((BACK, ONE))
    assert (found.newest, found.held) == (BACK, "1.1.0")


def say(commits: Commits, text: str) -> None:
    """A commit that says what a record does."""
    commits.git("commit", "--quiet", "--allow-empty", "-m", f"chore: say\n\n{text.strip().partition(chr(10))[2]}")


@pytest.fixture
def commits(tmp_path: Path) -> Commits:
    made = Commits(tmp_path / "manifests")
    say(made, record(BACK, AWKWARD))
    return made


def heard(commits: Commits) -> History:
    return read_history(GitCommand(commits.folder), commits.git("rev-parse", "HEAD").strip(), AWKWARD)


# Every sign that means something to a pattern stands for itself.
AWKWARD = "production a[b]*/^x$ y\\(z\\)+{1}/kustomization.yaml quotes"


def test_many_commits_of_others_hide_nothing(commits: Commits) -> None:
    """Neither of another environment, nor of a place whose name goes on; a person's word is found as well."""
    said = record(ONE, f"staging{AWKWARD.removeprefix('production')}").strip().partition("\n")[2]
    stream = "".join(
        f"commit refs/heads/main\ncommitter A <a@example.com> {1_900_000_000 + number} +0000\n"
        f"data {len(said) + 10 + len(more)}\nchore: x\n\n{said}{more}\n"
        + ("from refs/heads/main^0\n" if not number else "")
        for number, more in enumerate([f"\nShipline-Unhold: {AWKWARD}s 1.1.0"] * (COMMITS_MAX + 1))
    )
    commits.git("checkout", "--quiet", "-B", "main")
    GitCommand(commits.folder).run("add commits", "fast-import", "--quiet", stdin=stream.encode())
    found = heard(commits)
    assert (found.held, found.newest and found.newest.revision) == ("1.1.0", 9)
    say(commits, f"c9\nShipline-Unhold: {AWKWARD} 1.1.0 ")
    assert heard(commits).held == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("grep.patternType", "fixed"),
        ("grep.patternType", "perl"),
        ("trailer.separators", "="),
        ("grep.extendedRegexp", "1"),
    ],
)
def test_settings_of_the_user_hide_nothing(commits: Commits, name: str, value: str) -> None:
    """They are about what people type."""
    commits.git("config", name, value)
    assert heard(commits).held == "1.1.0"


def test_a_newer_revision_refuses_an_older_one() -> None:
    History((BACK,)).check_fence(9)
    History().check_fence(1)
    with pytest.raises(RefusedError, match="revision 8 is older than 9"):
        History((BACK, ONE)).check_fence(8)


def test_a_hold_ends_by_another_version_or_a_person() -> None:
    """A word that was said before the hold is about another one."""
    go = f"c9\nShipline-Unhold: {HERE} 1.1.0"
    with pytest.raises(RefusedError, match=r"1\.1\.0 is held"):
        history_of([record(BACK), go], HERE).check_not_held(HERE, "1.1.0")
    history_of([record(BACK)], HERE).check_not_held(HERE, "1.2.0")
    assert history_of([go, record(BACK)], HERE).held == ""
    for other in (("production", "staging"), ("apps/quotes", "apps/other"), (" quotes", " other")):
        assert history_of([go.replace(*other), record(BACK)], HERE).held == "1.1.0"
    assert history_of([record(ONE), record(BACK)], HERE).held == ""


@pytest.mark.parametrize(
    ("before", "version", "is_back", "held"),
    [
        (None, "1.0.0", False, ""),
        ("1.0.0", "1.1.0", False, ""),
        ("1.1.0", "1.0.0", False, "1.1.0"),
        ("1.1.0", "1.2.0", True, "1.1.0"),
        ("1.1.0", "1.1.0", True, ""),
        ("blue", "green", False, ""),
        ("blue", "green", True, "blue"),
    ],
)
def test_a_way_back_holds_what_it_leaves(before: str | None, version: str, *, is_back: bool, held: str) -> None:
    known = None if before is None else Brought("c", "g", 1, "quotes", before, "sha256:1")
    assert left_behind(known, version, is_back=is_back) == held
