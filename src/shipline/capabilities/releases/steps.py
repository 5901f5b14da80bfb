"""The durable steps of a release, from the files to what is built. Each does only what is missing."""

from __future__ import annotations

import hashlib
import posixpath
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

from shipline.capabilities.plans import prepend
from shipline.capabilities.releases.following import use_up_changesets, write_requirements
from shipline.capabilities.releases.ground import (
    Built,
    ReleaseGround,
    exported,
    load_built,
    package_of,
    save_built,
)
from shipline.capabilities.releases.queries import RELEASES
from shipline.capabilities.releases.usecases import append
from shipline.capabilities.version_files import edits_to, own_file, write_atomically, write_edits
from shipline.clients.oci_layout import layout_digest
from shipline.domain.artifact import Artifact
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import ConflictError
from shipline.domain.release import Release
from shipline.domain.version_file import VersionFile
from shipline.engine.workflow import Done, Outcome, StepContext
from shipline.ports.builder import BuildRequest
from shipline.store.transaction import Transaction


class FileSteps:
    """Version files, changelog, commit and tag."""

    def __init__(self, ground: ReleaseGround) -> None:
        self.ground = ground

    def edit(self, context: StepContext) -> Outcome:
        """Set the version and prepend the changelog in the work tree; both change nothing the second time.

        A release that goes on from its tag has its commit already. Any other tag of this name is not ours.
        """
        release = self.ground.release(context)
        if release.commit is not None:
            return Done({"paths": []})
        check_untagged(self.ground, release.tag)
        root, folder = self.ground.repository.root(), package_of(context).path
        files = [from_json(VersionFile, each) for each in context.input["version_files"]]
        write_edits(root, edits_to(root, [(file, release.version) for file in files]))
        own, given = partial(own_file, root), context.input
        others = write_requirements(own, given.get("requirements", ()))
        others += use_up_changesets(own, given.get("changesets", ()), release.package)
        paths = [*(file.path for file in files), *(_relative(path, root) for path in others)]
        changelog = own_file(root, posixpath.normpath(posixpath.join(folder, context.input["changelog"])))
        before = changelog.read_text("utf-8") if changelog.exists() else ""
        write_atomically(changelog, prepend(before, release.notes_markdown, release.version).encode())
        paths.append(_relative(changelog, root))
        return Done({"paths": list(dict.fromkeys(paths))})

    def commit(self, context: StepContext) -> Outcome:
        """Commit them. The key in the message finds the commit again after a crash, or from an empty store."""
        release = self.ground.release(context)
        branch = self.ground.repository.branch()
        if release.commit is not None:
            return Done({"commit": release.commit, "branch": branch})
        message = self.ground.commit_message.replace("{package}", release.package).replace("{version}", release.version)
        commit = self.ground.repository.commit_paths(
            tuple(context.results["edit"]["paths"]),
            message,
            key=release_key(release.package, release.version),
            time_us=context.input["time_us"],
        )
        return Done({"commit": commit, "branch": branch})

    def tag(self, context: StepContext) -> Outcome:
        """Create the annotated tag. One of the same name on another commit stops the release."""
        release = self.ground.release(context)
        commit = str(context.results["commit"]["commit"])
        message = f"{release.package} {release.version}\n\n{release.notes_markdown}"
        time_us = context.input["time_us"]
        self.ground.repository.create_tag(release.tag, commit, message, time_us=time_us, sign=self.ground.sign_tags)

        def save(tx: Transaction) -> None:
            tagged = replace(self._now(tx, release), commit=commit)
            RELEASES.save(tx, tagged)
            append(tx, self.ground.events, tagged, "ReleaseTagged", {"tag": release.tag, "commit": commit})

        return Done({"commit": commit}, save=save)

    def push(self, context: StepContext) -> Outcome:
        """Push the branch that was committed on and the tag together, if a remote is configured."""
        release = self.ground.release(context)
        if not self.ground.remote:
            return Done({"pushed": []}, idle="no remote is configured")
        branch = context.results["commit"]["branch"]
        refs = (f"refs/tags/{release.tag}",) if branch is None else (f"refs/heads/{branch}", f"refs/tags/{release.tag}")
        self.ground.repository.push(self.ground.remote, refs)
        return Done({"pushed": list(refs)})

    def _now(self, tx: Transaction, release: Release) -> Release:
        return RELEASES.find(tx, release.id) or release


class ArtifactSteps:
    """Building."""

    def __init__(self, ground: ReleaseGround) -> None:
        self.ground = ground

    def build(self, context: StepContext) -> Outcome:
        """Build from the tagged commit alone; what an earlier attempt has built whole is used again."""
        release = self.ground.release(context)
        package = package_of(context)
        folder = self.ground.folder_of(release)
        artifacts = self._built_before(folder, str(context.results["tag"]["commit"]))
        idle = "nothing is built for this package" if package.ecosystem == "plain" else ""
        if not artifacts and package.ecosystem != "plain":
            artifacts = self._build(context, release, folder)

        def save(tx: Transaction) -> None:
            built = replace(RELEASES.find(tx, release.id) or release, artifacts=artifacts)
            RELEASES.save(tx, built)
            append(tx, self.ground.events, built, "ArtifactsBuilt", {"artifacts": to_json(artifacts)})

        return Done({"artifacts": to_json(artifacts)}, save=save, idle=idle)

    def _build(self, context: StepContext, release: Release, folder: Path) -> tuple[Artifact, ...]:
        package, output = package_of(context), folder / "dist"
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir(parents=True)
        commit = str(context.results["tag"]["commit"])
        with exported(self.ground, commit) as source:
            request = BuildRequest(package, release.version, commit, context.input["time_us"] // 1_000_000)
            artifacts = self.ground.builder(package.ecosystem).build(request, source=source, output=output)
        save_built(folder, Built(commit, artifacts))
        return artifacts

    def _built_before(self, folder: Path, commit: str) -> tuple[Artifact, ...]:
        built = load_built(folder)
        if built is None or built.commit != commit:
            return ()
        for artifact in built.artifacts:
            path = folder / "dist" / artifact.name
            if not path.exists() or artifact_digest(path, artifact.kind) != artifact.digest:
                return ()
        return built.artifacts


def check_untagged(ground: ReleaseGround, name: str) -> None:
    """Refuse (ConflictError) to release under a tag that exists: what it stands on is not what is released now."""
    tag = ground.repository.find_tag(name)
    if tag is not None:
        raise ConflictError(
            f"the tag {name!r} exists already, on commit {tag.commit[:12]}",
            todo="look at what that tag releases; delete it only if it was never pushed",
        )


def release_key(package: str, version: str) -> str:
    """What the release commit's `Shipline-Key:` trailer says."""
    return f"release:{package}:{version}"


def artifact_digest(path: Path, kind: str) -> str:
    """An artifact's identity: the sha256 of its file, for an OCI layout the digest of the image that it holds."""
    return layout_digest(path) if kind == "oci" else digest_of(path)


def digest_of(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
