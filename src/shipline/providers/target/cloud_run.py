"""Versions run on Google Cloud Run: a group is a revision of one service, made from the project's template.

What is changed is changed in one request with the number of the decision, and that request carries the etag of what was
read. So a call that comes late is refused, whatever it was paused by.

Cloud Run scales a revision by its requests, and tells nobody of its copies: a group's size is noted and orders nothing,
and it is ready as a whole or not at all. Its minimum and maximum stand in the template. Revisions are never changed.
A group that is stopped gets no request and so costs nothing; Cloud Run keeps its revision while it is the service's
newest, after which a later `stop` deletes it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from shipline.clients.cloud_run import API, CloudRunPlace, CloudRunService, until_settled
from shipline.clients.cloud_run_record import (
    ENVIRONMENT,
    GROUP,
    TARGET,
    SavedGroup,
    SavedTarget,
    noting,
    saved_in,
)
from shipline.clients.durable_state import check_fence
from shipline.clients.oci_credentials import client_credentials
from shipline.clients.oci_registry import OCIClient
from shipline.domain.errors import ConfigurationError, RefusedError, ShiplineError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import Group, GroupSpec, Role, check_same, checked_digests, checked_group_id
from shipline.providers.target.cloud_run_template import Template, read_template

ANSWER_TIMEOUT_S = 10.0
PREPARED_MAX = 50
GROUPS_MAX = 50
SECOND_US = 1_000_000
WORDS_MAX = 500
LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
PINNED = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"


@dataclass(frozen=True, slots=True)
class CloudRunSettings:
    """Where and from what groups are made.

    `project`, `location` and `service` name a service that is there already, for this environment alone. `template` is
    a JSON file of the repository, a RevisionTemplate of the Admin API v2; `container` names the one in it that runs the
    released image, "" the only one. `ready_timeout_s` is how long a revision may take to become ready, in seconds.
    `token_environment` names the environment variable that holds an access token. `url` is the API's address.
    """

    project: str
    location: str
    service: str
    template: str
    container: str = ""
    ready_timeout_s: int = 600
    token_environment: str = "GOOGLE_OAUTH_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
    url: str = API

    def __post_init__(self) -> None:
        """Refuse what could not be the name of something."""
        if not self.template or not self.place.path:
            raise ConfigurationError("template: a file is needed to make revisions from")
        if not 1 <= self.ready_timeout_s <= 86_400:
            raise ConfigurationError("ready_timeout_s is a number of seconds, a day at most")

    @property
    def place(self) -> CloudRunPlace:
        """Which service it is."""
        return CloudRunPlace(self.project, self.location, self.service, self.token_environment, self.url)


class CloudRunTarget:
    """Runs the groups of one environment as revisions of one service."""

    api_version = 3
    artifact_kinds: tuple[str, ...] = ("oci",)
    gives = ("variables",)  # Its secrets are those of Google, which the template names.
    Settings = CloudRunSettings

    def __init__(self, settings: CloudRunSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._clock = context.clock
        self._root = context.root
        self._variables = context.variables
        self._environment = context.environment or "default"
        self._service = CloudRunService(settings.place)

    def prepare(self, package: str, version: str, digests: tuple[str, ...]) -> None:
        """Find the image in its registry, let Cloud Run try the template without keeping it, and note the image."""
        checked_digests(digests)
        template = self._template()
        image = template.image
        registry = OCIClient(image.registry_url, image.path, ANSWER_TIMEOUT_S, client_credentials(image.host))
        found = next((digest for digest in digests if registry.digest_of(digest) == digest), None)
        if found is None:
            raise ShiplineError(
                f"{image} has no image of {package} {version}",
                why="none of the released digests is there",
                todo="let a [[registry]] publish to the repository that the template names",
            )
        spec = GroupSpec("rehearsal", Role.CANARY, package, version, 1, digests)
        until_settled(lambda: self._prepare(template, spec, image.at(found)))

    def _prepare(self, template: Template, spec: GroupSpec, image: str) -> None:
        service = self._service.read()
        saved = self._saved(service)
        if saved.prepared.get(_key(spec)) == image:
            return
        self._service.change(service, {"template": self._revision(template, spec, image)[1]}, dry_run=True)
        kept = dict(list(saved.prepared.items())[-PREPARED_MAX + 1 :])
        noted = replace(saved, prepared={**kept, _key(spec): image})
        self._service.change(service, noting(service, TARGET, noted))

    def run(
        self,
        spec: GroupSpec,
        *,
        revision: int,
        leaving: tuple[str, ...] = (),  # noqa: ARG002 - copies have no names here, so none can be meant
    ) -> Group:
        """Begin the group, or note another size of it, and return how it stands. RefusedError for an older revision."""
        checked_group_id(spec.id)
        until_settled(lambda: self._run(spec, revision))
        return next(group for group in self.groups() if group.id == spec.id)

    def _run(self, spec: GroupSpec, revision: int) -> None:
        service = self._service.read()
        saved = self._fenced(service, revision)
        known, now_us = saved.groups.get(spec.id), self._clock.now_us()
        changes: dict[str, Any] = {}
        if known is None:
            image = saved.prepared.get(_key(spec))
            if image is None:
                raise ShiplineError(
                    f"{spec.package} {spec.version} is not prepared here", todo="prepare the version first"
                )
            if len(saved.groups) >= GROUPS_MAX:
                raise RefusedError(f"{GROUPS_MAX} groups run here already", todo="stop those that get no traffic")
            name, template = self._revision(self._template(), spec, image)
            known = SavedGroup(spec, name, now_us, now_us)
            changes = {"template": template, "traffic": _pinned(service)}
        check_same(known.spec, spec)
        if spec.size != known.spec.size:
            known = replace(known, spec=spec, ordered_us=now_us)
        wanted = replace(saved, revision=revision, groups={**saved.groups, spec.id: known})
        if wanted != saved:
            self._service.change(service, {**changes, **noting(service, TARGET, wanted)})

    def groups(self) -> tuple[Group, ...]:
        """The groups that shall run, by id, as they stand."""
        saved = self._saved(self._service.read())
        revisions = self._service.revisions() if saved.groups else {}
        return tuple(self._group(saved.groups[name], revisions) for name in sorted(saved.groups))

    def stop(self, group_id: str, *, revision: int) -> None:
        """Forget a group, and delete the revisions of forgotten groups, as far as Cloud Run lets go of them."""
        checked_group_id(group_id)
        # Listed before what is wanted is read: whatever begins after that is not among them.
        revisions = self._service.revisions()
        service = until_settled(lambda: self._forget(group_id, revision))
        wanted = {group.name for group in self._saved(service).groups.values()}
        wanted |= {str(each.get("revision", "")) for each in service.get("traffic") or ()}
        for name, each in revisions.items():
            if (each.get("annotations") or {}).get(ENVIRONMENT) == self._environment and name not in wanted:
                self._service.remove_revision(name)

    def _forget(self, group_id: str, revision: int) -> dict[str, Any]:
        service = self._service.read()
        saved = self._fenced(service, revision)
        groups = {name: group for name, group in saved.groups.items() if name != group_id}
        gone = saved.groups.get(group_id)
        if gone is not None and _serves(service, gone.name):
            raise RefusedError(f"group {group_id} still has traffic", todo="give it to another group first")
        wanted = replace(saved, revision=revision, groups=groups)
        if wanted == saved:
            return service
        changes = noting(service, TARGET, wanted)
        self._service.change(service, changes)
        return {**service, **changes}

    def _group(self, group: SavedGroup, revisions: Mapping[str, Mapping[str, Any]]) -> Group:
        spec, ready = group.spec, _condition(revisions.get(group.name, {}))
        state = str(ready.get("state", ""))
        is_ready = state == "CONDITION_SUCCEEDED"
        has_failed = state == "CONDITION_FAILED"
        is_late = self._clock.now_us() - group.ordered_us >= self._settings.ready_timeout_s * SECOND_US
        words = " ".join(str(ready.get("message") or "the revision is not ready").split())[:WORDS_MAX]
        return Group(
            id=spec.id,
            role=spec.role,
            package=spec.package,
            version=spec.version,
            size=spec.size,
            ready=spec.size if is_ready else 0,
            endpoints=(),
            started_us=group.started_us,
            digests=spec.digests,
            trouble=f"revision {group.name}: {words}" if has_failed or (is_late and not is_ready) else "",
            hopeless=has_failed or (is_late and not is_ready),
        )

    def _revision(self, template: Template, spec: GroupSpec, image: str) -> tuple[str, dict[str, Any]]:
        """The name of a new revision, which no earlier one of the group had, and its template."""
        text = json.dumps([spec.id, self._clock.now_us(), image])
        name = f"{self._settings.service}-s{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        marks = {ENVIRONMENT: self._environment, GROUP: spec.id, f"{GROUP}-version": spec.version}
        return name, template.of_revision(image, name, spec.id, marks)

    def _template(self) -> Template:
        read = read_template(self._root, self._settings.template, self._settings.container)
        return read.giving(self._variables.plain())

    def _saved(self, service: Mapping[str, Any]) -> SavedTarget:
        return saved_in(service, TARGET, SavedTarget(self._environment))

    def _fenced(self, service: Mapping[str, Any], revision: int) -> SavedTarget:
        saved = self._saved(service)
        check_fence(saved.revision, revision)
        return saved


def _key(spec: GroupSpec) -> str:
    """What a version of these artifacts is noted under."""
    text = json.dumps([spec.package, spec.version, *spec.digests])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _pinned(service: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The service's traffic, where what goes to the newest revision goes to the one that has it now: the revision that
    is begun beside this would get it all."""
    newest = str(service.get("latestReadyRevision", "")).rpartition("/")[2]
    given = [dict(each) for each in service.get("traffic") or ()] or [{"type": LATEST, "percent": 100}]
    if newest == "" and any(each.get("type") != PINNED for each in given):
        raise ShiplineError("the Cloud Run service has no revision that is ready", todo="deploy one by hand first")
    return [each if each.get("type") == PINNED else each | {"type": PINNED, "revision": newest} for each in given]


def _serves(service: Mapping[str, Any], name: str) -> bool:
    """True if a revision gets requests. Of a service that is disabled none does, wherever its traffic leads."""
    scaling = service.get("scaling") or {}
    if scaling.get("scalingMode") == "MANUAL" and not scaling.get("manualInstanceCount"):
        return False
    return any(each.get("revision") == name and each.get("percent") for each in service.get("traffic") or ())


def _condition(revision: Mapping[str, Any]) -> Mapping[str, Any]:
    """Whether the revision is ready; empty while nothing is known."""
    conditions = revision.get("conditions") or ()
    return next((each for each in conditions if each.get("type") == "Ready"), {})
