"""The durable step that shows a release on the forge: its page with the notes, and its files.

The page is a draft until all files are there, so that nobody meets half a release, and whoever was cut off goes on with
the same draft. A page that is announced already keeps what people have written on it: only missing files are added.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from shipline.capabilities.plans import written_section
from shipline.capabilities.releases.ground import ReleaseGround, digest_of, package_of
from shipline.capabilities.releases.mentions import without_calls
from shipline.capabilities.releases.proof import BUNDLE_NAME
from shipline.capabilities.releases.signing import signatures_of
from shipline.capabilities.releases.telling import append
from shipline.domain.errors import ConflictError, RefusedError, UnavailableError
from shipline.domain.release import Release
from shipline.engine.workflow import Done, Outcome, StepContext
from shipline.ports.forge import Forge, ForgeRelease

# A forge takes notes of 125,000 characters (GitHub) and more.
NOTES_LENGTH_MAX = 100_000


class ForgeSteps:
    """The release's page."""

    def __init__(self, ground: ReleaseGround) -> None:
        self.ground = ground

    def show(self, context: StepContext) -> Outcome:
        """Create or complete the page, add the files that are missing, then announce it."""
        release, forge = self.ground.release(context), self.ground.forge
        if forge is None:
            return Done({"url": None}, idle="no forge is configured")
        self._check_tag(forge, release, pushed=bool(context.results["push"]["pushed"]))
        page = self._page(forge, release, str(context.input["changelog"]), package_of(context).path)
        names = [forge.upload_asset(page, path, digest=digest).name for path, digest in self._files(context, release)]
        names += self._signatures(forge, page, context, release)
        if page.draft:
            page = forge.update_release(replace(page, draft=False))
        body = {"url": page.url, "files": names}
        return Done({"url": page.url}, save=lambda tx: append(tx, self.ground.events, release, "ReleaseShown", body))

    def _signatures(self, forge: Forge, page: ForgeRelease, context: StepContext, release: Release) -> list[str]:
        """The signatures of the files. Those that are there stay: an attempt that began elsewhere has made others for
        the same bytes, since no two signatures by one key need be the same."""
        # None in what was begun before releases were signed.
        signed = context.results.get("sign", {}).get("files", {})
        there = {asset.name for asset in forge.assets(page) if asset.whole} if signed else set()
        folder = signatures_of(self.ground, release)
        for path, digest in checked([(folder / name, digest) for name, digest in signed.items()]):
            if path.name not in there:
                forge.upload_asset(page, path, digest=digest)
        return list(signed)

    def _check_tag(self, forge: Forge, release: Release, *, pushed: bool) -> None:
        """A forge makes a tag that is missing by itself, wherever its main branch stands: so it must be there."""
        found = forge.find_tag(release.tag)
        if found is not None and found.commit == release.commit:
            return
        if found is not None:
            raise ConflictError(
                f"the tag {release.tag!r} is on another commit on the forge",
                why=f"there: {found.commit[:12]}; here: {str(release.commit)[:12]}",
                todo="find out who moved it; a tag that was seen is never moved back by Shipline",
            )
        if pushed:
            raise UnavailableError(f"the forge does not know the tag {release.tag!r} yet, which was pushed")
        raise RefusedError(
            f"the forge does not have the tag {release.tag!r}",
            why="release.remote is not set, so that nothing is pushed",
            todo=f"set remote in [release], or push the tag (`git push origin {release.tag}`), then run this again",
        )

    def _page(self, forge: Forge, release: Release, changelog: str, folder: str) -> ForgeRelease:
        notes = without_calls(release.notes_markdown or self._written(release, changelog, folder))[:NOTES_LENGTH_MAX]
        title, early = f"{release.package} {release.version}", release.is_prerelease
        page = forge.create_release(release.tag, title=title, notes_markdown=notes, draft=True, prerelease=early)
        wanted = replace(page, title=title, notes_markdown=notes)
        if not page.draft:
            wanted = replace(page, title=page.title or title, notes_markdown=page.notes_markdown or notes)
        return page if wanted == page else forge.update_release(wanted)

    def _written(self, release: Release, changelog: str, folder: str) -> str:
        """The changelog's section as it was released: what a release that goes on from its tag knows of its notes."""
        path = changelog if folder == "." else f"{folder}/{changelog}"
        files = self.ground.repository.read_files((path,), str(release.commit))
        return written_section(files.get(path, b"").decode("utf-8", "replace"), release.version)

    def _files(self, context: StepContext, release: Release) -> list[tuple[Path, str]]:
        """The artifacts that are files, and the bundle, with their digests. RefusedError where they are not those
        any more."""
        folder = self.ground.folder_of(release)
        # An image goes to its registry, and its digest is not that of a file.
        files = [(folder / "dist" / one.name, one.digest) for one in release.artifacts if one.kind != "oci"]
        bundle = context.results["bundle"]["bundle"]
        if bundle is not None:
            files.append((folder / BUNDLE_NAME, str(bundle)))
        return checked(files)


def checked(files: list[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """The files. RefusedError where one has another digest than is written down."""
    for path, digest in files:
        if not path.is_file() or digest_of(path) != digest:
            raise RefusedError(
                f"{path.name} is not what was built and proven any more",
                why=f"its digest was {digest}",
                todo=f"find out what changed {path}; then bring it back, or release the next version",
            )
    return files
