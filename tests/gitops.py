"""What tests of GitOps have in common: a repository of manifests, a cluster that follows it, providers over both."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from shipline.clients.gitops.settings import GitOpsSettings
from shipline.ports.forge import Forge
from shipline.ports.provider import ProviderContext
from shipline.ports.target import GroupSpec, Role
from shipline.ports.traffic import Route
from shipline.providers.target.gitops import GitOpsTarget
from shipline.providers.traffic.gitops import GitOpsTraffic, GitOpsTrafficSettings
from shipline.testing.conformance.target import BETTER, BROKEN, GOOD, PACKAGE
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.kubernetes import KubernetesServer, KubernetesWorld
from shipline.testing.fakes.kubernetes.syncing import APIS, Syncing
from shipline.testing.histories import History
from tests.clusters import digests_of, registry_with

ENVIRONMENT, FILE, FIRST = "production", "apps/quotes/kustomization.yaml", "sha256:" + "0" * 64
KUSTOMIZATION = """\
# Who runs what.
resources:
  - deployment.yaml   # the usual

images:
  - name: quotes
    newName: {image}
    digest: {digest}  # set by machines
"""


@dataclass
class Manifests:
    """All of it. `people` is a clone in which people work; `forge` is what pull requests go to."""

    root: Path
    host: str
    server: KubernetesServer
    clock: FakeClock
    syncing: Syncing
    people: History
    settings: dict[str, Any] = field(default_factory=dict)
    forge: Forge | None = None

    @property
    def world(self) -> KubernetesWorld:
        return self.server.world

    @property
    def bare(self) -> Path:
        return self.syncing.repository

    @property
    def image(self) -> str:
        return f"{self.host}/team/quotes"

    def chosen(self, **others: Any) -> GitOpsSettings:
        given: dict[str, Any] = {
            "image": self.image,
            "file": FILE,
            "name": "quotes",
            "watch": "argocd",
            "object": "quotes",
            "kubeconfig": str(self.root / "kubeconfig"),
            "repository": str(self.bare),
        }
        return GitOpsSettings(**(given | self.settings | others))

    def context(self, part: str, machine: str = "state") -> ProviderContext:
        state = self.root / machine / "environments" / ENVIRONMENT / part
        return ProviderContext(self.people.folder, state, self.clock, ENVIRONMENT)

    def target(self, *, machine: str = "state", **others: Any) -> GitOpsTarget:
        return GitOpsTarget(self.chosen(**others), self.context("target", machine))

    def traffic(self, *, machine: str = "state", **others: Any) -> GitOpsTraffic:
        forge = self.forge
        context = replace(
            self.context("traffic", machine),
            target=self.chosen(**others),
            forge_of=None if forge is None else lambda _address: forge,
        )
        traffic = GitOpsTraffic(GitOpsTrafficSettings("quotes.example:443"), context)
        traffic.open(revision=traffic._state.read().revision)
        return traffic

    def stage(
        self, name: str, version: str, *, revision: int = 1, machine: str = "state", like: str = "", **others: Any
    ) -> Route:
        """Prepare and stage a version as a group; its route, with all of the traffic."""
        target, digests = self.target(machine=machine, **others), digests_of(like or version)
        target.prepare(PACKAGE, version, digests)
        target.run(GroupSpec(name, Role.CANARY, PACKAGE, version, 1, digests), revision=revision)
        return Route(name, Role.STABLE, version, 1.0, ())

    def git(self, *arguments: str) -> str:
        """Of the bare repository."""
        command = ["git", "--git-dir", str(self.bare), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def shown(self, file: str = FILE) -> bytes:
        """The file on the branch, byte by byte."""
        command = ["git", "--git-dir", str(self.bare), "show", f"main:{file}"]
        return subprocess.run(command, capture_output=True, check=True).stdout

    def subjects(self, branch: str = "main") -> list[str]:
        return self.git("log", "--format=%s", branch).splitlines()

    def by_hand(self, message: str, old: str, new: str, file: str = FILE) -> str:
        """A person changes the file, and pushes; the commit."""
        self.people.git("pull", "--quiet", "--rebase", "origin", "main")
        path = self.people.folder / file
        text = path.read_bytes()
        assert old.encode() in text
        path.write_bytes(text.replace(old.encode(), new.encode()))
        commit = self.people.commit(message)
        self.people.git("push", "--quiet", "origin", "main")
        return commit

    def later(self) -> None:
        """So much later that the branch is looked at anew."""
        self.clock.sleep(60.0)


@contextmanager
def manifests(
    root: Path,
    *,
    file: str = FILE,
    text: str = KUSTOMIZATION,
    clock: FakeClock | None = None,
    versions: tuple[str, ...] = (GOOD, BETTER, BROKEN),
    **settings: Any,
) -> Iterator[Manifests]:
    """A cluster that follows a bare repository whose `main` says FIRST, and a registry with these versions."""
    clock, bare = clock or FakeClock(), root / "manifests.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
    images = [digest for version in versions for digest in digests_of(version)]
    world = KubernetesWorld(clock, broken=set(digests_of(BROKEN)))
    with KubernetesServer(world) as server, registry_with(*images) as host:
        people = History(root / "people")
        path = people.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.replace("{image}", f"{host}/team/quotes").replace("{digest}", FIRST).encode())
        people.commit("chore: begin")
        people.git("remote", "add", "origin", str(bare))
        people.git("push", "--quiet", "origin", "main")
        syncing = Syncing(world, bare, file, image=f"{host}/team/quotes")
        world.controllers.append(syncing)
        server.apis |= set(APIS)
        server.write_kubeconfig(root / "kubeconfig")
        made = Manifests(root, host, server, clock, syncing, people, {"file": file, **settings})
        yield made
