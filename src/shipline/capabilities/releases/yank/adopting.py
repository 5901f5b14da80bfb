"""A release that the store does not know, found again from its traces, so that it can be taken back from anywhere.

A runner in CI begins with an empty store. The git tag says that there was such a release, the registries what they
serve of it, and the evidence bundle, where it is still in the release's folder, what was built.
"""

from __future__ import annotations

from pathlib import Path

from shipline.capabilities.evidence import read_bundle
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.outlets import channel_of
from shipline.capabilities.releases.proof import BUNDLE_NAME
from shipline.capabilities.releases.queries import RELEASES, find_release
from shipline.capabilities.releases.telling import append
from shipline.capabilities.releases.yank.naming import read_tag, unknown_release
from shipline.clients.released_names import folder_name
from shipline.domain.artifact import Artifact
from shipline.domain.errors import ConflictError, UnavailableError, UsageError
from shipline.domain.package import Package
from shipline.domain.release import Publication, Release, ReleaseStatus
from shipline.ports.repository import Tag


def adopt_release(ground: ReleaseGround, version: str, package: str | None = None) -> Release:
    """Write down the release of a version by its traces, as published. One that is known already is returned.

    Raises UsageError where no tag says that there was one, or where several packages have one and `package` names none
    of them; ConflictError where the tag was moved since the bundle was written.
    """
    owner, tag = _tagged(ground, version, package)
    bundle = ground.folder / folder_name(owner.name, version) / BUNDLE_NAME
    release = Release(
        id=ground.events.ids.new("rel"),
        package=owner.name,
        version=version,
        tag=tag.name,
        status=ReleaseStatus.PUBLISHED,
        attempt=1,
        created_us=ground.events.clock.now_us(),
        commit=tag.commit,
        artifacts=_artifacts(bundle, tag),
        published_us=tag.time_us,
        publications=_publications(ground, owner, version, tag),
        channel=channel_of(owner, version),
    )
    with ground.store.begin() as tx:
        known = find_release(tx, owner.name, version)
        if known is not None:
            return known
        RELEASES.save(tx, release)
        where = [publication.registry for publication in release.publications]
        body = {"tag": tag.name, "commit": tag.commit, "registries": where}
        append(tx, ground.events, release, "ReleaseAdopted", body)
    return release


def _tagged(ground: ReleaseGround, version: str, package: str | None) -> tuple[Package, Tag]:
    owners = [one for one in ground.packages() if package in (None, one.name)]
    pairs = ((one, ground.repository.find_tag(one.tag(version))) for one in owners)
    found = [(one, tag) for one, tag in pairs if tag is not None]
    if not found:
        tags = ground.repository.tags()
        known = [(one.name, text) for one in owners for tag in tags if (text := read_tag(one, tag.name)) is not None]
        raise unknown_release(version, known)
    if len(found) > 1:
        listed = ", ".join(one.name for one, _ in found)
        raise UsageError(f"more than one package has a version {version[:60]}", todo=f"--package NAME: {listed}")
    return found[0]


def _publications(ground: ReleaseGround, package: Package, version: str, tag: Tag) -> tuple[Publication, ...]:
    """What the registries serve. One that does not answer counts as serving it: the yank asks it again."""
    found = []
    for outlet in ground.outlets:
        if outlet.packages and package.name not in outlet.packages:
            continue
        try:
            names = tuple(file.name for file in outlet.registry.find(package.name, version))
        except UnavailableError:
            found.append(Publication(outlet.name, (), channel_of(package, version), 0.0, tag.time_us))
        else:
            if names:
                found.append(Publication(outlet.name, names, channel_of(package, version), 0.0, tag.time_us))
    return tuple(found)


def _artifacts(bundle: Path, tag: Tag) -> tuple[Artifact, ...]:
    """What was built, by the bundle; empty where it is not on this machine."""
    if not bundle.is_file():
        return ()
    manifest = read_bundle(bundle.read_bytes()).manifest
    if manifest.commit != tag.commit:
        raise ConflictError(
            f"the tag {tag.name} was moved: it is on {tag.commit[:12]}, and was released from {manifest.commit[:12]}",
            todo="bring the tag back to where it was (`git fetch --tags --force`)",
        )
    return manifest.artifacts
