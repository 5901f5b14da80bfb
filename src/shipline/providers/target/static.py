"""Versions of a site as folders side by side; a web server shows the one that a link leads to.

The link is the business of the traffic provider `static` over the same folder, and serving is the web server's. All
copies of a group are one folder: it has them all, or none. A site is taken by its digest, from where the release left
it or was published, and kept packed as well, so that a folder that was damaged can be put back by `run`.

The sites that nothing needs any more are dropped but for the newest VERSIONS_KEPT, so that the way back is short.
"""

from __future__ import annotations

import itertools
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from shipline.clients.durable_state import DurableState, locked
from shipline.clients.site_archive import KIND, unpack_site
from shipline.clients.site_folder import SiteFolder
from shipline.domain.errors import ConfigurationError, RefusedError, ShiplineError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import Group, GroupSpec, check_same, checked_group_id
from shipline.providers.target.saved_groups import SavedGroup, SavedGroups, fenced
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
    digest_of,
)


class StaticTarget:
    """Holds the sites of one environment."""

    api_version = 3
    artifact_kinds: tuple[str, ...] = (KIND,)

    @dataclass(frozen=True, slots=True)
    class Settings:
        """Where a site goes and comes from.

        `folder` is an absolute path, the same as the traffic's; the web server's root is `current` in it. `source` is
        where the tar of a site is: a path from the top of the repository, or an http or https address, in which
        {package}, {version} and {file} are filled in. `username` goes with the password in the environment variable
        that `password_environment` names; without `username` that variable holds a bearer token; both "" send no
        credentials. `answer_timeout_s` is for an address: how many seconds its server may take to answer, and to go on.
        `must_have` is a file that every version has; one without it is not served.
        """

        folder: str
        source: str = RELEASED_HERE
        username: str = ""
        password_environment: str = ""
        answer_timeout_s: float = 60.0
        must_have: str = "index.html"

        def __post_init__(self) -> None:
            """Refuse what can only be a mistake."""
            if not Path(self.folder).is_absolute():
                raise ConfigurationError("folder is an absolute path", todo="name the folder that the web server reads")
            checked_source(self.source)
            checked_login(self.username, self.password_environment, self.answer_timeout_s)
            checked_page(self.must_have)

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        self._settings = settings
        self._clock = context.clock
        self._folder = SiteFolder(Path(settings.folder))
        self._archives = context.state / "archives"
        credentials = (settings.username, settings.password_environment, settings.answer_timeout_s)
        self._source = SiteSource(context.root, settings.source, *credentials)
        self._state = DurableState(context.state / "target.json", SavedGroups(), context.clock)

    def prepare(self, package: str, version: str, digests: tuple[str, ...]) -> None:
        """Fetch the site and unpack it; whoever comes second waits. What was left half done is made anew."""
        site = Site(package, version, digests)
        with locked(self._archives / f"{site.folder}.lock", self._clock, timeout_s=FETCH_TIMEOUT_S):
            if not self._is_prepared(site):
                draft = self._archives / f".{site.folder}.part"
                self._source.fetch(site, draft)
                draft.replace(self._archive(site))
                self._unpack(site)

    def run(
        self,
        spec: GroupSpec,
        *,
        revision: int,
        leaving: tuple[str, ...] = (),  # noqa: ARG002 - no copy is one by itself
    ) -> Group:
        """Let the group be its version's folder, put back what is missing, and return how it stands."""
        site = Site(spec.package, spec.version, spec.digests)
        with self._state.locked():
            saved = fenced(self._state, revision)
            known = saved.groups.get(spec.id, SavedGroup(spec, self._clock.now_us()))
            check_same(known.spec, spec)
            if not self._archive(site).exists():
                raise ShiplineError(
                    f"{spec.package} {spec.version} is not prepared here", todo="prepare the version first"
                )
            if not (self._folder.sites / site.folder / self._settings.must_have).is_file():
                self._unpack(site)
            self._folder.set_group(spec.id, site.folder)
            group = replace(known, spec=spec)
            self._state.write(SavedGroups(revision, {**saved.groups, spec.id: group}))
        return self._seen(group)

    def groups(self) -> tuple[Group, ...]:
        """The groups by id, as their folders are now."""
        return tuple(self._seen(group) for _, group in sorted(self._state.read().groups.items()))

    def stop(self, group_id: str, *, revision: int) -> None:
        """Forget the group; RefusedError while it is what is shown. The newest sites stay for the way back."""
        checked_group_id(group_id)
        with self._state.locked():
            saved = fenced(self._state, revision)
            if self._folder.serving() == group_id:
                raise RefusedError(f"group {group_id} is what users see", todo="switch to another one first")
            self._folder.remove_group(group_id)
            left = {name: group for name, group in saved.groups.items() if name != group_id}
            self._state.write(SavedGroups(revision, left))
            self._drop_old_sites(left)

    def _archive(self, site: Site) -> Path:
        return self._archives / f"{site.folder}.tar"

    def _is_prepared(self, site: Site) -> bool:
        return self._archive(site).exists() and (self._folder.sites / site.folder).is_dir()

    def _unpack(self, site: Site) -> None:
        """Unpack beside, then put it in its place: nobody sees half a site."""
        archive = self._archive(site)
        if digest_of(archive) not in site.digests:
            archive.unlink()
            raise ShiplineError(f"the site kept at {archive} was changed, and is removed", todo="deploy it again")
        self._folder.make()
        place = self._folder.sites / site.folder
        fresh, old = (place.with_name(f".{place.name}.{word}") for word in ("new", "old"))
        for path in (fresh, old):
            shutil.rmtree(path, ignore_errors=True)
        try:
            fresh.mkdir()
            unpack_site(archive, fresh)
            if place.exists():
                place.replace(old)
            fresh.replace(place)
        except OSError as error:
            raise ShiplineError(f"the site cannot be placed at {place}", why=error.strerror or str(error)) from error
        shutil.rmtree(old, ignore_errors=True)

    def _drop_old_sites(self, left: dict[str, SavedGroup]) -> None:
        specs = [group.spec for group in left.values()]
        needed = {Site(spec.package, spec.version, spec.digests).folder for spec in specs}
        unneeded = [path for path in self._archives.glob("*.tar") if path.stem not in needed]
        unneeded.sort(key=lambda path: path.stat().st_mtime_ns)
        for archive in unneeded[:-VERSIONS_KEPT]:
            # The archive first: without it the site counts as not prepared, whatever is left of it.
            archive.unlink(missing_ok=True)
            shutil.rmtree(self._folder.sites / archive.stem, ignore_errors=True)

    def _seen(self, group: SavedGroup) -> Group:
        trouble = self._trouble(group.spec)
        return group.as_one(is_ready=not trouble, trouble=trouble)

    def _trouble(self, spec: GroupSpec) -> str:
        """Why the group's site cannot be shown, "" if it can."""
        place = self._folder.site_of(spec.id)
        if (place / self._settings.must_have).is_file():
            return ""
        try:
            with os.scandir(place) as entries:
                names = ", ".join(sorted(entry.name[:80] for entry in itertools.islice(entries, NAMES_SHOWN)))
        except OSError as error:
            return f"the site of {spec.package} {spec.version} is not at {place}: {error.strerror or error}"
        return (
            f"the site of {spec.package} {spec.version} has no {self._settings.must_have}; it has {names or 'nothing'}"
        )
