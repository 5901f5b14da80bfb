"""A real bare repository, a fake forge over it, and the provider that speaks to it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from shipline.ports.forge import Forge, ForgeRelease
from shipline.ports.provider import ProviderContext
from shipline.providers.forge.gitea import GiteaForge
from shipline.providers.forge.github import GitHubForge
from shipline.providers.forge.gitlab import GitLabForge
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.forge.gitea import GiteaDialect
from shipline.testing.fakes.forge.github import GitHubDialect
from shipline.testing.fakes.forge.gitlab import GitLabDialect
from shipline.testing.fakes.forge.model import ForgeModel, GitRefs
from shipline.testing.fakes.forge.server import ForgeServer
from shipline.testing.histories import History

TOKEN = "s3cret-token-of-the-forge"
KINDS: dict[str, tuple[Any, Any]] = {
    "github": (GitHubForge, GitHubDialect),
    "gitlab": (GitLabForge, GitLabDialect),
    "gitea": (GiteaForge, GiteaDialect),
}


@dataclass
class Place:
    """A forge of one kind. `commits` are those of main, the oldest first; main stands on the first."""

    server: ForgeServer
    forge: Forge
    clock: FakeClock
    commits: list[str]
    bare: Path

    @property
    def model(self) -> ForgeModel:
        """What the forge knows."""
        return self.server.model

    def lose_answer(self) -> None:
        """The next change is made, and nobody hears of it."""
        self.server.faults.lost_answers = 1

    def forbid(self) -> None:
        """The token may read alone."""
        self.model.may_write = False

    def cut_off(self, release: ForgeRelease, name: str) -> None:
        """A file that was sent in part, as GitHub lists it."""
        page = self.model.page_of(release.tag)
        assert page is not None
        self.model.add_file(page, name, b"on", unique=True).whole = False


def bare_repository(folder: Path) -> tuple[Path, list[str]]:
    """A bare repository whose main stands on the first of two commits."""
    bare = folder / "forge.git"
    files, commits = _made_once()
    for name, content in files.items():
        (bare / name).parent.mkdir(parents=True, exist_ok=True)
        (bare / name).write_bytes(content)
    for name in ("objects", "refs/heads", "refs/tags"):
        (bare / name).mkdir(parents=True, exist_ok=True)
    return bare, list(commits)


@cache
def _made_once() -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The repository's files, since git takes longer than most of the tests."""
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder) / "work")
        commits = (history.commit("feat: one", {"a": "1"}), history.commit("feat: two", {"a": "2"}))
        bare = Path(folder) / "forge.git"
        subprocess.run(["git", "clone", "--quiet", "--bare", "--template=", str(history.folder), str(bare)], check=True)
        subprocess.run(["git", "--git-dir", str(bare), "update-ref", "refs/heads/main", commits[0]], check=True)
        files = {str(path.relative_to(bare)): path.read_bytes() for path in bare.rglob("*") if path.is_file()}
    return files, commits


@contextmanager
def running(kind: str, folder: Path, **settings: Any) -> Iterator[Place]:
    """A forge of this kind that listens, and its provider. The token is in the variable FORGE_TOKEN."""
    provider, dialect = KINDS[kind]
    bare, commits = bare_repository(folder)
    model = ForgeModel(GitRefs(bare))
    with ForgeServer(model, dialect(model), token=TOKEN) as server:
        clock = FakeClock()
        given = {"repository": model.repository, "api_url": server.api_url, "token_env": "FORGE_TOKEN"} | settings
        context = ProviderContext(root=folder, state=folder / "state", clock=clock)
        yield Place(server, provider(provider.Settings(**given), context), clock, commits, bare)
