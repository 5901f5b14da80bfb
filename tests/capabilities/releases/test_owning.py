"""Code owners of a release: those whose files it changes have to approve, by the protected branch's file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.gates import NAMESPACE, statement
from shipline.capabilities.releases import OwnersPlace, SignedApproval, approval_digest, ask_gates, record_approval
from shipline.clients.ssh_signatures import sign
from shipline.domain.gate import Approval, Approver, Gate
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.verdict import Answer, Verdict
from shipline.testing.world import World
from tests.capabilities.releases.release_world import ReleaseWorld
from tests.clients.test_ssh_signatures import new_key, public, pytestmark  # noqa: F401 - it needs ssh-keygen, too

OWNED = Gate("code owners", "codeowners.missing == 0", stage="production")


@pytest.fixture
def made(sqlite_url: str, tmp_path: Path) -> Iterator[ReleaseWorld]:
    """A release of two changed files, and ann and ben, who may approve it."""
    world = World(7, tmp_path, url=sqlite_url)
    made = ReleaseWorld(world, tmp_path, gates=(OWNED,))
    made.history.git("tag", "v1.0.0")
    made.history.commit("feat: more", {"api/a.py": "1", "docs/x.md": "1"})
    made.approvers = tuple(
        Approver(name, ("owner",), public(new_key(tmp_path, name)).strip(), owns=owns)
        for name, owns in (("ann", ("@Acme/backend",)), ("ben", ("@ben",)))
    )
    yield made
    world.close()


def verdict(made: ReleaseWorld, place: OwnersPlace, *yes: str) -> Verdict:
    """What the gate says once these have approved."""
    ground, now_us = replace(made.ground(made.world.store), owners=lambda: place), made.world.clock.now_us()
    head = made.history.repository.head()
    release = Release("rel_1", "quotes", "1.1.0", "v1.1.0", ReleaseStatus.PUBLISHED, 1, 0, "1.0.0", commit=head)
    for name in yes:
        approval = Approval(name, "owner", "production", "quotes", "1.1.0", approval_digest(release), now_us)
        signature = sign(statement(approval), key=made.folder / name, namespace=NAMESPACE)
        with made.world.store.begin() as tx:
            record_approval(tx, ground, release, SignedApproval(approval, signature))
    (found,) = ask_gates(ground, release, "production", now_us)
    return found


def test_who_owns_what_has_changed_has_to_approve(made: ReleaseWorld) -> None:
    """By the file as it is on the protected branch: that the release takes its owners away counts for nothing."""
    protected = made.history.commit("chore: owners", {"CODEOWNERS": "/api/ @acme/backend\n*.md @ben\n*.c @carl\n"})
    made.history.commit("chore: no owners", {"CODEOWNERS": "# nobody\n"})
    place = OwnersPlace("github", protected)
    found = verdict(made, place, "ann")
    assert found.answer is Answer.FAIL
    assert "codeowners.missing is 1: docs/x.md needs 1 of @ben (*.md)" in found.reasons[0]
    assert verdict(made, place, "ben").answer is Answer.PASS
    assert verdict(made, OwnersPlace("github")).answer is Answer.PASS, "nothing is protected: its own file counts"


def test_owners_who_are_no_approvers_are_named(made: ReleaseWorld) -> None:
    made.history.commit("chore: owners", {"CODEOWNERS": "/api/ @carl\n"})
    found = verdict(made, OwnersPlace("github"), "ann", "ben")
    assert "api/a.py needs 1 of @carl (/api/), and no approver `owns` that" in found.reasons[0]


@pytest.mark.parametrize(
    ("file", "content", "rules", "words"),
    [
        ("README", "", "github", "has none of .github/CODEOWNERS"),
        ("CODEOWNERS", "* ann\n", "github", "line 1 of CODEOWNERS cannot be read"),
        (".gitlab/CODEOWNERS", "* @ann\n", "gitea", "has none of CODEOWNERS"),
        ("CODEOWNERS", "* @ann\n", "bitbucket", "there are no known rules of bitbucket"),
    ],
)
def test_what_cannot_be_known_blocks(made: ReleaseWorld, file: str, content: str, rules: str, words: str) -> None:
    made.history.commit("chore: owners", {file: content})
    found = verdict(made, OwnersPlace(rules), "ann", "ben")
    assert found.answer is Answer.UNKNOWN
    assert words in found.reasons[0]
