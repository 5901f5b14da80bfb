"""Versions of a site side by side in a bucket of S3; a page at its top leads to one of them.

The page is the business of the traffic provider `s3` over the same bucket. What is remembered stands in the bucket as
well, and is written back only if nobody else has written since, so engines on several machines may take turns.

A site is taken by its digest, unpacked here, and put there file by file below a prefix of its own, which nobody is led
to before all of it is there. All copies of a group are one prefix: it has them all, or none. The sites that nothing
needs any more are dropped but for the newest VERSIONS_KEPT, so that the way back is short.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace

from shipline.clients.aws_api import AWSPlace
from shipline.clients.durable_state import check_fence, locked
from shipline.clients.s3 import checked_bucket
from shipline.clients.site_archive import KIND, unpack_site
from shipline.clients.site_bucket import BucketState, SiteBucket, checked_prefix
from shipline.domain.errors import ConflictError, RefusedError, ShiplineError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import Group, GroupSpec, check_same, checked_group_id
from shipline.providers.target.saved_groups import SavedGroup
from shipline.providers.target.site_source import (
    FETCH_TIMEOUT_S,
    NAMES_SHOWN,
    RELEASED_HERE,
    VERSIONS_KEPT,
    Site,
    SiteSource,
    checked_login,
    checked_page,
    checked_source,
)


@dataclass(frozen=True, slots=True)
class SavedSites:
    """What stands in the bucket: whose it is, the newest revision, and the groups by id."""

    environment: str
    revision: int
    groups: dict[str, SavedGroup]


@dataclass(frozen=True, slots=True)
class S3TargetSettings:
    """Where a site goes and comes from.

    `region` and `bucket` are the bucket's, `prefix` what its keys begin with, as in "docs/"; the traffic has the same.
    `source` is where the tar of a site is: a path from the top of the repository, or an http or https address, in which
    {package}, {version} and {file} are filled in. `username` goes with the password in the environment variable that
    `password_environment` names; without `username` that variable holds a bearer token; both "" send no credentials.
    `answer_timeout_s` is for an address: how many seconds its server may take to answer, and to go on. `must_have` is
    the file that users are led to; a version without it is not shown. `endpoint_url` is the origin of something that
    speaks as S3 does. `metadata` is "ecs" or "ec2" where credentials come from this machine's role.
    """

    region: str
    bucket: str
    prefix: str = ""
    source: str = RELEASED_HERE
    username: str = ""
    password_environment: str = ""
    answer_timeout_s: float = 60.0
    must_have: str = "index.html"
    endpoint_url: str = ""
    metadata: str = ""

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake."""
        self.place.url("s3")
        checked_bucket(self.bucket)
        checked_prefix(self.prefix)
        checked_source(self.source)
        checked_login(self.username, self.password_environment, self.answer_timeout_s)
        checked_page(self.must_have)

    @property
    def place(self) -> AWSPlace:
        """Which S3 is asked."""
        return AWSPlace(self.region, self.endpoint_url, self.metadata)


class S3Target:
    """Holds the sites of one environment."""

    api_version = 3
    artifact_kinds: tuple[str, ...] = (KIND,)
    routed_by = "s3"
    Settings = S3TargetSettings

    def __init__(self, settings: S3TargetSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._clock = context.clock
        self._environment = context.environment or "default"
        self._work = context.state / "work"
        credentials = (settings.username, settings.password_environment, settings.answer_timeout_s)
        self._source = SiteSource(context.root, settings.source, *credentials)
        self._bucket = SiteBucket(settings.place, settings.bucket, settings.prefix, context.clock)
        self._state = BucketState(self._bucket, "target", SavedSites(self._environment, 0, {}))

    def prepare(self, package: str, version: str, digests: tuple[str, ...]) -> None:
        """Fetch the site and put it into the bucket, unless it is there whole."""
        site = Site(package, version, digests)
        if self._bucket.kept(site.folder) is None:
            self._upload(site)

    def run(
        self,
        spec: GroupSpec,
        *,
        revision: int,
        leaving: tuple[str, ...] = (),  # noqa: ARG002 - no copy is one by itself
    ) -> Group:
        """Let the group be its version's site, put back what is missing, and return how it stands."""
        site = Site(spec.package, spec.version, spec.digests)
        saved, read = self._fenced(revision)
        known = saved.groups.get(spec.id, SavedGroup(spec, self._clock.now_us()))
        check_same(known.spec, spec)
        kept = self._bucket.kept(site.folder)
        if kept is None:
            raise ShiplineError(
                f"{spec.package} {spec.version} is not prepared in {self._bucket.bucket.who}",
                todo="prepare the version first",
            )
        if kept.has_entry and not self._has_page(site):
            self._upload(site)
        group = replace(known, spec=spec)
        self._state.write(replace(saved, revision=revision, groups={**saved.groups, spec.id: group}), read)
        self._bucket.set_group(spec.id, site.folder)
        return self._seen(group)

    def groups(self) -> tuple[Group, ...]:
        """The groups by id, as their sites are now."""
        saved, _ = self._saved()
        return tuple(self._seen(group) for _, group in sorted(saved.groups.items()))

    def stop(self, group_id: str, *, revision: int) -> None:
        """Forget the group; RefusedError while it is what is shown. The newest sites stay for the way back."""
        checked_group_id(group_id)
        saved, read = self._fenced(revision)
        if self._bucket.pointer().group_id == group_id:
            raise RefusedError(f"group {group_id} is what users see", todo="switch to another one first")
        left = {name: group for name, group in saved.groups.items() if name != group_id}
        self._state.write(replace(saved, revision=revision, groups=left), read)
        self._bucket.remove_group(group_id)
        needed = {_site_of(group.spec).folder for group in left.values()}
        unneeded = [name for name in self._bucket.all_kept() if name not in needed]
        for name in unneeded[:-VERSIONS_KEPT]:
            self._bucket.drop(name)

    def _upload(self, site: Site) -> None:
        """By way of this machine; whoever comes second on it waits."""
        folder = self._work / site.folder
        with locked(self._work / f"{site.folder}.lock", self._clock, timeout_s=FETCH_TIMEOUT_S):
            archive = self._work / f"{site.folder}.tar"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            try:
                self._source.fetch(site, archive)
                files = unpack_site(archive, folder)
                self._bucket.upload(site.folder, folder, files, entry=self._settings.must_have)
            finally:
                archive.unlink(missing_ok=True)
                shutil.rmtree(folder, ignore_errors=True)

    def _saved(self) -> tuple[SavedSites, str | None]:
        saved, read = self._state.read()
        if saved.environment != self._environment:
            raise ConflictError(
                f"this part of the bucket belongs to the environment {saved.environment[:60]}",
                todo="give each environment a `prefix` of its own",
            )
        return saved, read

    def _fenced(self, revision: int) -> tuple[SavedSites, str | None]:
        saved, read = self._saved()
        check_fence(saved.revision, revision)
        return saved, read

    def _has_page(self, site: Site) -> bool:
        return self._bucket.bucket.has(f"{self._bucket.place_of(site.folder)}{self._settings.must_have}")

    def _seen(self, group: SavedGroup) -> Group:
        trouble = self._trouble(group.spec)
        return group.as_one(is_ready=not trouble, trouble=trouble)

    def _trouble(self, spec: GroupSpec) -> str:
        """Why the group's site cannot be shown, "" if it can."""
        site = _site_of(spec)
        if self._has_page(site):
            return ""
        place = self._bucket.place_of(site.folder)
        found = (one.key.removeprefix(place)[:80] for one in self._bucket.listed(site.folder, at_most=NAMES_SHOWN))
        return (
            f"the site of {spec.package} {spec.version} at {place} has no {self._settings.must_have};"
            f" it has {', '.join(found) or 'nothing'}"
        )


def _site_of(spec: GroupSpec) -> Site:
    return Site(spec.package, spec.version, spec.digests)
