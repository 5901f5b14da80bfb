"""Versions staged for a cluster that follows git: a group is what the branch would say, and says once it is brought.

`prepare` finds the image in its registry, and refuses a version that is held. `run` stages: nothing is changed, but the
edit is tried, so that a file that cannot take it is known before anything depends on it. The traffic
provider `gitops` commits. A group that the branch states tells as its trouble what the cluster says: out of sync,
degraded. The cluster looks after its copies by itself, so all copies of a group are ready as soon as it is staged.

Where people have set a digest by hand that was brought here before, that is a group, too, so that it can be adopted.
"""

from __future__ import annotations

from dataclasses import replace

from shipline.clients.durable_state import check_fence
from shipline.clients.gitops.file import edited
from shipline.clients.gitops.groups import Staged, StagedGroups, groups_state, shared_folder
from shipline.clients.gitops.repository import GitOpsRepository
from shipline.clients.gitops.settings import GitOpsSettings
from shipline.clients.gitops.standing import Arrival
from shipline.clients.gitops.stating import Stating
from shipline.clients.gitops.watching import Watch
from shipline.clients.image_names import image_name
from shipline.clients.oci_credentials import client_credentials
from shipline.clients.oci_registry import OCIClient
from shipline.clients.released_names import check_released
from shipline.domain.errors import ConflictError, ShiplineError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import Group, GroupSpec, check_same, checked_digests, checked_group_id

ANSWER_TIMEOUT_S = 10.0
PREPARED_MAX = 50


class GitOpsTarget:
    """Stages the versions of one environment."""

    api_version = 3
    artifact_kinds: tuple[str, ...] = ("oci",)
    routed_by = "gitops"
    Settings = GitOpsSettings

    def __init__(self, settings: GitOpsSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._clock = context.clock
        self._environment = context.environment or "default"
        folder = shared_folder(context.state)
        self._repository = GitOpsRepository(settings, context.root, folder, context.clock)
        self._stating = Stating(settings, self._repository, self._environment)
        self._watch = Watch(settings, self._repository)
        self._state = groups_state(folder, context.clock)

    def prepare(self, package: str, version: str, digests: tuple[str, ...]) -> None:
        """Find the image in its registry, and see that the file can say it.

        RefusedError for a version that is held; ConflictError where people have set something else by hand.
        """
        check_released(package, version)
        digest = self._published(package, version, checked_digests(digests))
        tip = self._repository.look()
        self._stating.history(tip).check_not_held(self._stating.place, version)
        self._stating.check_not_changed(self._state.read(), tip, version, digest)
        edited(self._settings, self._repository.data(tip), version, digest)
        with self._state.locked():
            saved = self._state.read()
            kept = dict(list(saved.prepared.items())[-PREPARED_MAX:])
            self._state.write(replace(saved, prepared={**kept, _key(package, version, digests): digest}))

    def run(
        self,
        spec: GroupSpec,
        *,
        revision: int,
        leaving: tuple[str, ...] = (),  # noqa: ARG002 - no copy is one by itself
    ) -> Group:
        """Stage the group; the branch is not changed."""
        with self._state.locked():
            saved = self._fenced(revision)
            digest = saved.prepared.get(_key(spec.package, spec.version, spec.digests))
            if digest is None and spec.id not in saved.groups:
                by_hand = self._by_hand(saved, self._repository.look())
                if by_hand is not None and by_hand.spec == spec:
                    return by_hand
                raise ShiplineError(
                    f"{spec.package} {spec.version} is not prepared here", todo="prepare the version first"
                )
            known = saved.groups.get(spec.id) or Staged(spec, digest or "", self._clock.now_us())
            check_same(known.spec, spec)
            group = replace(known, spec=spec)
            self._state.write(replace(saved, revision=revision, groups={**saved.groups, spec.id: group}))
        self._repository.look()
        return self._found(spec.id)

    def groups(self) -> tuple[Group, ...]:
        """The groups by id: whether the file can say each of them, and how the one that it states stands."""
        saved = self._state.read()
        if not saved.groups and not saved.accepted:
            return ()
        tip = self._repository.seen()
        found = [self._seen(group, saved, tip) for group in saved.groups.values()]
        by_hand = self._by_hand(saved, tip)
        return tuple(sorted([*found, *([by_hand] if by_hand is not None else [])], key=lambda group: group.id))

    def stop(self, group_id: str, *, revision: int) -> None:
        """Forget the group. The branch goes on saying what it says."""
        checked_group_id(group_id)
        with self._state.locked():
            saved = self._fenced(revision)
            left = {name: group for name, group in saved.groups.items() if name != group_id}
            self._state.write(replace(saved, revision=revision, groups=left))

    def _fenced(self, revision: int) -> StagedGroups:
        saved = self._state.read()
        check_fence(saved.revision, revision)
        return saved

    def _found(self, group_id: str) -> Group:
        found = next((group for group in self.groups() if group.id == group_id), None)
        if found is None:
            raise ConflictError(f"group {group_id} is not there any more")
        return found

    def _published(self, package: str, version: str, digests: tuple[str, ...]) -> str:
        name = image_name(self._settings.image)
        if name is None:
            raise ShiplineError(f"{self._settings.image} is no image")
        registry = OCIClient(name.registry_url, name.path, ANSWER_TIMEOUT_S, client_credentials(name.host))
        found = next((digest for digest in digests if registry.digest_of(digest) == digest), None)
        if found is None:
            raise ShiplineError(
                f"{name} has no image of {package} {version}",
                why="none of the released digests is there",
                todo="let a [[registry]] publish to the repository that `image` names",
            )
        return found

    def _seen(self, staged: Staged, saved: StagedGroups, tip: str) -> Group:
        trouble, ready = "", staged.spec.size
        try:
            edited(self._settings, self._repository.data(tip), staged.spec.version, staged.digest)
        except ShiplineError as error:
            trouble, ready = error.diagnosis(), 0
        if ready and self._stating.group(saved, tip) == staged.spec.id:
            trouble = self._told(staged, tip)
        return _group(staged, ready, trouble)

    def _by_hand(self, saved: StagedGroups, tip: str) -> Group | None:
        try:
            found = self._stating.by_hand(saved, tip)
        except ShiplineError:
            return None  # The file cannot be read: each group says so.
        if found is None or found.staged is None:
            return None
        return _group(found.staged, found.staged.spec.size, self._told(found.staged, tip))

    def _told(self, staged: Staged, tip: str) -> str:
        """What is wrong with a version that the branch states, "" where nothing is, or it is on its way."""
        standing = self._watch.standing(staged, tip)
        return standing.words if standing.arrival in (Arrival.AWAY, Arrival.FAILED) else ""


def _group(staged: Staged, ready: int, trouble: str) -> Group:
    spec = staged.spec
    return Group(
        id=spec.id,
        role=spec.role,
        package=spec.package,
        version=spec.version,
        size=spec.size,
        ready=ready,
        endpoints=(),
        started_us=staged.started_us,
        digests=spec.digests,
        trouble=trouble,
        hopeless=ready == 0,
    )


def _key(package: str, version: str, digests: tuple[str, ...]) -> str:
    return " ".join((package, version, *digests))
