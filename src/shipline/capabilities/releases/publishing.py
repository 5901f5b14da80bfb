"""The durable steps that make a release public: ask every registry first, then publish to each and read it back.

A registry is left alone once the release's row says that it serves it. Whatever ends a process in between, the next
one asks the registry what it has and does only what is missing.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from shipline.capabilities.releases.ground import ReleaseGround, artifact_digest
from shipline.capabilities.releases.outlets import Outlet, check_same
from shipline.capabilities.releases.queries import RELEASES
from shipline.capabilities.releases.telling import append
from shipline.domain.artifact import Artifact
from shipline.domain.errors import RefusedError, ShiplineError
from shipline.domain.release import Publication, Release, ReleaseStatus
from shipline.domain.verdict import Answer
from shipline.engine.workflow import Again, Done, Outcome, StepContext
from shipline.store.transaction import Transaction


class PublishSteps:
    """Asking and publishing."""

    def __init__(self, ground: ReleaseGround) -> None:
        self.ground = ground

    def ask(self, context: StepContext) -> Outcome:
        """Ask every registry whether it would take the release, before anything of it is public anywhere."""
        release = self.ground.release(context)
        channel, outlets = release.channel, self._outlets(release)
        words, refused = [], []
        for outlet, artifacts in outlets:
            files = built_files(self.ground, release, artifacts)
            check_same(outlet.name, artifacts, outlet.registry.find(release.package, release.version))
            for finding in outlet.registry.check(release.package, release.version, files, channel=channel):
                words.append(f"{outlet.name}: {finding.words}")
                if finding.answer is Answer.FAIL:
                    refused.append((words[-1], finding.todo))
        if refused:
            raise RefusedError(
                "; ".join(what for what, _ in refused),
                why="nothing was pushed or published",
                todo="; ".join(dict.fromkeys(todo for _, todo in refused if todo)),
            )
        return Done({"said": words}, idle="" if outlets else self._idle(release))

    def publish(self, context: StepContext) -> Outcome:
        """Publish to the first registry that does not serve the release yet; once all do, it is published."""
        release = self.ground.release(context)
        known = {publication.registry for publication in release.publications}
        for outlet, artifacts in self._outlets(release):
            if outlet.name not in known:
                return self._publish_to(outlet, artifacts, release)
        commits = context.input["commits"]
        return Done(
            {"registries": sorted(known)},
            save=lambda tx: self._published(tx, release, commits),
            idle="" if known else self._idle(release),
        )

    def _publish_to(self, outlet: Outlet, artifacts: tuple[Artifact, ...], release: Release) -> Outcome:
        channel, clock = release.channel, self.ground.events.clock
        files = built_files(self.ground, release, artifacts)
        began_us = clock.now_us()
        served = outlet.registry.publish(release.package, release.version, files, channel=channel)
        check_same(outlet.name, artifacts, served)
        absent = {artifact.name for artifact in artifacts} - {file.name for file in served}
        if absent:
            raise ShiplineError(
                f"the registry {outlet.name} does not serve {', '.join(sorted(absent))} after publishing",
                retryable=True,
            )
        now_us = clock.now_us()
        publication = Publication(
            registry=outlet.name,
            files=tuple(artifact.name for artifact in artifacts),
            channel=channel,
            seconds=(now_us - began_us) / 1_000_000,
            published_us=now_us,
        )
        words = f"{outlet.name} serves it after {publication.seconds:.1f} s"
        return Again(0.0, {}, words, save=lambda tx: self._served(tx, release, publication))

    def _served(self, tx: Transaction, release: Release, publication: Publication) -> None:
        current = RELEASES.find(tx, release.id, lock=True) or release
        now = replace(current, publications=(*current.publications, publication))
        RELEASES.save(tx, now)
        body = {"registry": publication.registry, "files": list(publication.files), "channel": publication.channel}
        append(tx, self.ground.events, now, "ArtifactsPublished", body | {"seconds": publication.seconds})

    def _published(self, tx: Transaction, release: Release, commits: list[object]) -> None:
        now_us = self.ground.events.clock.now_us()
        current = RELEASES.find(tx, release.id) or release
        if current.status is ReleaseStatus.YANKED:
            return  # It was taken back while its last file went up.
        published = replace(current.to(ReleaseStatus.PUBLISHED), published_us=now_us)
        RELEASES.save(tx, published)
        where = [publication.registry for publication in published.publications]
        body = {"tag": release.tag, "commit": current.commit, "registries": where, "commits": commits}
        append(tx, self.ground.events, published, "ReleasePublished", body)

    def _outlets(self, release: Release) -> tuple[tuple[Outlet, tuple[Artifact, ...]], ...]:
        """Where something of this release goes, and what."""
        pairs = ((outlet, outlet.artifacts(release.package, release.artifacts)) for outlet in self.ground.outlets)
        return tuple((outlet, artifacts) for outlet, artifacts in pairs if artifacts)

    def _idle(self, release: Release) -> str:
        if not release.artifacts:
            return "nothing was built"
        return "no registry takes what was built" if self.ground.outlets else "no registry is configured"


def built_files(ground: ReleaseGround, release: Release, artifacts: tuple[Artifact, ...]) -> tuple[Path, ...]:
    """The built files. RefusedError where they are not what was built: the project's tests ran beside them."""
    folder = ground.folder_of(release) / "dist"
    for artifact in artifacts:
        path = folder / artifact.name
        if not path.exists() or artifact_digest(path, artifact.kind) != artifact.digest:
            raise RefusedError(
                f"{artifact.name} is not what was built and proven any more",
                why=f"its digest was {artifact.digest}",
                todo=f"find out what changed {path}; then remove its folder and release the next version",
            )
    return tuple(folder / artifact.name for artifact in artifacts)
