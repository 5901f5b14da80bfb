"""The clone of the manifests, over a real remote."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipline.clients.gitops.repository import GitOpsRepository
from shipline.clients.gitops.settings import GitOpsSettings
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.histories import History

FILE = "apps/quotes/kustomization.yaml"


@pytest.fixture
def people(tmp_path: Path) -> History:
    """The remote, in which people work."""
    made = History(tmp_path / "people")
    for number in range(9):
        made.commit(f"chore: {number}", {FILE: f"# {number}\n"})
    return made


def clone_of(people: History, address: str = "") -> GitOpsRepository:
    settings = GitOpsSettings(
        "registry.example/quotes", FILE, "argocd", object="quotes", repository=address or str(people.folder)
    )
    project = History(people.folder.parent / "project")
    return GitOpsRepository(settings, project.folder, people.folder.parent / "state", FakeClock())


def test_only_what_is_new_is_fetched(people: History) -> None:
    """A repository of manifests is large, and its branch moves all day."""
    clone = clone_of(people)
    clone.look()
    for number in range(3):
        tip = people.commit(f"chore: other {number}", {FILE: f"# other {number}\n"})
        clone.git.run("keep packs", "config", "fetch.unpackLimit", "1")
        assert clone.look() == tip
    counts = clone.git.run("count", "count-objects", "-v").decode().splitlines()
    assert int(dict(line.split(": ") for line in counts)["in-pack"]) <= 3 * 5, "a commit, its trees and the file"


def test_the_projects_way_to_use_ssh_is_used(people: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sets a key for the project alone sets it for its manifests."""
    monkeypatch.delenv("GIT_SSH_COMMAND", raising=False)
    program = tmp_path / "ssh"
    program.write_text('#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n')
    program.chmod(0o755)
    clone = clone_of(people, f"ssh://git@git.invalid{people.folder}")
    project = History(tmp_path / "project")
    project.git("config", "core.sshCommand", str(program))
    project.git("config", "ssh.variant", "simple")
    assert clone.look() == people.git("rev-parse", "HEAD")
