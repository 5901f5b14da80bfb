"""The mirror over git and HTTP: between every two kinds of forge it keeps what the port promises, and no secret."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shipline.domain.errors import RefusedError, UnavailableError
from shipline.ports.mirror import Mirror, Move
from shipline.providers.mirror import git as git_mirror
from shipline.providers.mirror.git import GitMirror
from shipline.testing.conformance.mirror import MAIN, MirrorConformance
from tests.providers.forge.places import TOKEN, Place, running

Commit = Callable[[str, str], str]


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)


@pytest.fixture
def places(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[dict[str, Place]]:
    kinds = getattr(request, "param", ("github", "gitlab"))
    for side in ("here", "there"):
        (tmp_path / side).mkdir()
    with running(kinds[0], tmp_path / "here") as here, running(kinds[1], tmp_path / "there") as there:
        yield {"here": here, "there": there}


@pytest.fixture
def mirror(tmp_path: Path, places: dict[str, Place]) -> Mirror:
    return GitMirror(tmp_path / "state", {side: place.forge.git_access for side, place in places.items()})


@pytest.fixture
def commit(places: dict[str, Place]) -> Commit:
    return lambda side, ref: committed(places[side].bare, ref)


def committed(bare: Path, ref: str, *, message: str = "") -> str:
    """A commit on a ref, above what it stands on, or main."""

    def git(*arguments: str) -> str:
        command = ["git", "--git-dir", str(bare), "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    parent = git("for-each-ref", "--format=%(objectname)", ref) or git("rev-parse", "main")
    made = git("commit-tree", f"{parent}^{{tree}}", "-p", parent, "-m", message or f"on {ref} of {bare.parent.name}")
    git("update-ref", ref, made)
    return made


class TestGitMirror(MirrorConformance):
    @pytest.fixture
    def mirror(self, mirror: Mirror) -> Mirror:
        return mirror

    @pytest.fixture
    def commit(self, commit: Commit) -> Commit:
        return commit

    @pytest.fixture
    def protect(self, places: dict[str, Place]) -> Callable[[str, str], None]:
        return lambda side, branch: places[side].model.protected.add(branch)

    @pytest.fixture
    def forbid(self, places: dict[str, Place]) -> Callable[[str], None]:
        return lambda side: setattr(places[side].model, "may_write", False)


@pytest.mark.parametrize("places", [("gitlab", "gitea"), ("gitea", "github")], indirect=True)
def test_each_forge_lets_git_in_by_its_token(mirror: Mirror, commit: Commit, places: dict[str, Place]) -> None:
    for side, other in (("here", "there"), ("there", "here")):
        ref = f"refs/heads/from/{side}"
        made = commit(side, ref)
        mirror.fetch(side, {ref: made})
        assert [each.done for each in mirror.push(other, [Move(ref, made, None)])] == [True]
    assert mirror.refs("here") == mirror.refs("there")
    for place in places.values():
        assert TOKEN not in repr(place.forge.git_access())


def test_names_that_no_folder_holds_together_are_carried(mirror: Mirror, commit: Commit) -> None:
    """One that was a file becomes a folder, others differ in case alone, and one looks like an option."""
    first = commit("here", "refs/heads/a")
    assert mirror.fetch("here", {"refs/heads/a": first}) == {first}
    mirror.push("there", [Move("refs/heads/a", first, None)])
    mirror.push("here", [Move("refs/heads/a", None, first)])
    names = ("refs/heads/a/b", "refs/heads/Case", "refs/heads/case", "refs/tags/--exec=x")
    wanted = {name: commit("here", name) for name in names}
    mirror.fetch("here", wanted)
    done = mirror.push("there", [Move("refs/heads/a", None, first)])
    done += mirror.push("there", [Move(name, oid, None) for name, oid in wanted.items()])
    assert all(each.done for each in done)
    assert mirror.refs("there").items() >= wanted.items()


def test_no_more_is_taken_than_is_bounded_and_what_is_cut_off_comes_later(
    mirror: Mirror, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    big = "refs/heads/big"
    made = commit("here", big)
    monkeypatch.setattr(git_mirror, "PACK_BYTES_MAX", 512)
    committed_to = {big: made} | {f"refs/heads/big{n}": commit("here", f"refs/heads/big{n}") for n in range(20)}
    with pytest.raises(RefusedError, match="at once"):
        mirror.fetch("here", committed_to)
    monkeypatch.undo()
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    assert mirror.fetch("here", committed_to) == set(committed_to.values())


def test_a_forge_out_of_reach_and_a_token_that_is_refused_are_told_apart_and_no_secret_is_told(
    mirror: Mirror, places: dict[str, Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    places["here"].server.faults.down = True
    with pytest.raises(UnavailableError):
        mirror.refs("here")
    places["here"].server.faults.down = False
    monkeypatch.setenv("FORGE_TOKEN", "another-token")
    with pytest.raises(RefusedError) as caught:
        mirror.refs("here")
    assert "another-token" not in caught.value.sentence() + caught.value.todo
    assert MAIN not in caught.value.sentence()


def test_a_token_does_not_follow_an_answer_elsewhere(mirror: Mirror, places: dict[str, Place]) -> None:
    """Git would send the header along."""
    taken = places["there"].server.requests
    places["here"].server.faults.redirect = places["there"].server.origin
    with pytest.raises(UnavailableError):
        mirror.refs("here")
    assert taken == []
