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
    project = people.folder.parent / "project"
    History(project)
    return GitOpsRepository(settings, project, people.folder.parent / "state", FakeClock())


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
