"""The durable steps of a release, from the files to what is built. Each does only what is missing."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from shipline.capabilities.releases.batch import (
    Part,
    edited_files,
    footing_of,
    in_commit,
    message_of,
    parts_of,
    write_parts,
)
from shipline.capabilities.releases.footing import check_head, check_own, check_tree
from shipline.capabilities.releases.ground import (
    Built,
    ReleaseGround,
    artifact_digest,
    exported,
    load_built,
    package_of,
    save_built,
)
from shipline.capabilities.releases.promotion import reuse
from shipline.capabilities.releases.queries import RELEASES
from shipline.capabilities.releases.tag_messages import tag_message_of
from shipline.capabilities.releases.telling import append
from shipline.domain.artifact import Artifact
from shipline.domain.codec import to_json
from shipline.domain.errors import ConflictError, RefusedError, ShiplineError
from shipline.domain.release import Release
from shipline.engine.workflow import Done, Outcome, StepContext
from shipline.ports.builder import Builder, BuildRequest
from shipline.store.transaction import Transaction

COMMITTED = "the commit is there already"


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
            return Done({"paths": []}, idle=COMMITTED)
        check_untagged(self.ground, release.tag)
        if context.input.get("beside") is not None:
            return Done({"paths": []}, idle="the commit is made beside the branch")
        parts = _parts(context, release)
        footing = footing_of(context.input, parts)
        check_head(self.ground.repository, footing)
        check_tree(self.ground.repository, footing)
        return Done({"paths": list(write_parts(self.ground.repository.root(), parts))})

    def commit(self, context: StepContext) -> Outcome:
        """Commit them on what was planned. Our commit is found again after a crash; any other on top is refused."""
        release = self.ground.release(context)
        branch = self.ground.repository.branch()
        if release.commit is not None:
            # What came by a pull request is on the remote's branch already, which may have moved on since.
            elsewhere = context.input.get("merged") or context.input.get("beside") is not None
            return Done({"commit": release.commit, "branch": None if elsewhere else branch}, idle=COMMITTED)
        parts = _parts(context, release)
        beside = context.input.get("beside")
        if beside is not None:
            return Done({"commit": self._commit_beside(context, str(beside), parts), "branch": None})
        footing = footing_of(context.input, parts)
        check_head(self.ground.repository, footing)
        paths = write_parts(self.ground.repository.root(), parts)  # Again: they may have been taken back since.
        message, key = message_of(self.ground.commit_message, parts)
        time_us = context.input["time_us"]
        commit = self.ground.repository.commit_paths(paths, message, key=key, time_us=time_us, base=footing.base)
        check_own(self.ground.repository, commit, footing)
        return Done({"commit": commit, "branch": branch})

    def _commit_beside(self, context: StepContext, base: str, parts: tuple[Part, ...]) -> str:
        """The release's commit on top of `base`, by what its files are there; `base` itself where none is to change."""
        repository = self.ground.repository
        read = in_commit(repository, base, parts)
        there = [
            replace(part, version_files=tuple(one for one in part.version_files if read(one.path))) for part in parts
        ]
        files = edited_files(there, read)
        if all(content == read(path) for path, content in files.items()):
            return base
        message, key = message_of(self.ground.commit_message, parts)
        return repository.commit_beside(base, files, message, key=key, time_us=context.input["time_us"])

    def tag(self, context: StepContext) -> Outcome:
        """Create the annotated tag. One of the same name on another commit stops the release."""
        release = self.ground.release(context)
        commit = str(context.results["commit"]["commit"])
        message = tag_message_of(release, keyed=commit == context.input.get("beside"))
        time_us = context.input["time_us"]
        self.ground.repository.create_tag(release.tag, commit, message, time_us=time_us, sign=self.ground.sign_tags)

        def save(tx: Transaction) -> None:
            tagged = replace(self._now(tx, release), commit=commit)
            RELEASES.save(tx, tagged)
            append(tx, self.ground.events, tagged, "ReleaseTagged", {"tag": release.tag, "commit": commit})

        return Done({"commit": commit}, save=save)

    def push(self, context: StepContext) -> Outcome:
        """Push the release's commit to the branch that it was made on, and the tag with it, if there is a remote.

        What people have committed upon it meanwhile is theirs to push. Where the remote's branch holds the commit
        already, the tag alone is left.
        """
        release, remote = self.ground.release(context), self.ground.remote
        if not remote:
            return Done({"pushed": []}, idle="no remote is configured")
        branch, commit = context.results["commit"]["branch"], str(context.results["commit"]["commit"])
        check_tagged(self.ground, release, commit)
        refs = [f"refs/tags/{release.tag}"]
        if branch is not None and not has_on_remote(self.ground, branch, commit):
            refs.insert(0, f"{commit}:refs/heads/{branch}")
        self.ground.repository.push(remote, tuple(refs))
        return Done({"pushed": refs})

    def _now(self, tx: Transaction, release: Release) -> Release:
        return RELEASES.find(tx, release.id) or release


class ArtifactSteps:
    """Building."""

    def __init__(self, ground: ReleaseGround) -> None:
        self.ground = ground

    def build(self, context: StepContext) -> Outcome:
        """Build from the tagged commit alone; what an earlier attempt has built whole is used again.

        So is what a release candidate was published with, where it holds no version.
        """
        release = self.ground.release(context)
        package = package_of(context)
        folder = self.ground.folder_of(release)
        commit = str(context.results["tag"]["commit"])
        if (promotes := context.input.get("promotes")) is not None:
            states = bool(context.input["version_files"])
            commit = reuse(self.ground, release, str(promotes), tree_states_it=states) or commit
        artifacts = self._built_before(folder, commit)
        builders = () if artifacts else self.ground.builders(package)
        if any(builder.asks_git for builder in builders):
            check_tagged(self.ground, release, str(context.results["tag"]["commit"]))
        if builders:
            artifacts = self._build(context, release, folder, builders)
        idle = "" if artifacts else "nothing is built for this package"

        def save(tx: Transaction) -> None:
            built = replace(RELEASES.find(tx, release.id) or release, artifacts=artifacts)
            RELEASES.save(tx, built)
            append(tx, self.ground.events, built, "ArtifactsBuilt", {"artifacts": to_json(artifacts)})

        return Done({"artifacts": to_json(artifacts), "built_from": commit}, save=save, idle=idle)

    def _build(
        self, context: StepContext, release: Release, folder: Path, builders: tuple[Builder, ...]
    ) -> tuple[Artifact, ...]:
        output = folder / "dist"
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir(parents=True)
        commit = str(context.results["tag"]["commit"])
        request = BuildRequest(package_of(context), release.version, commit, context.input["time_us"] // 1_000_000)
        artifacts: list[Artifact] = []
        for builder in builders:
            # Each from a tree of its own: what one builder leaves in it is nothing for the next to find.
            with exported(self.ground, commit, tag=release.tag if builder.asks_git else "") as source:
                artifacts += _built(builder, request, source=source, output=output)
        save_built(folder, Built(commit, tuple(artifacts)))
        return tuple(artifacts)

    def _built_before(self, folder: Path, commit: str) -> tuple[Artifact, ...]:
        built = load_built(folder)
        if built is None or built.commit != commit:
            return ()
        for artifact in built.artifacts:
            path = folder / "dist" / artifact.name
            if not path.exists() or artifact_digest(path, artifact.kind) != artifact.digest:
                return ()
        return built.artifacts


def _built(builder: Builder, request: BuildRequest, *, source: Path, output: Path) -> tuple[Artifact, ...]:
    """Build into a folder of its own, then put what was built beside what other builders made."""
    with tempfile.TemporaryDirectory(dir=output) as name:
        artifacts = builder.build(request, source=source, output=Path(name))
        for artifact in artifacts:
            if (output / artifact.name).exists():
                raise ShiplineError(
                    f"two builders make {artifact.name}", todo="let one of them name it otherwise, or leave one out"
                )
            (Path(name) / artifact.name).rename(output / artifact.name)
    return artifacts


def has_on_remote(ground: ReleaseGround, branch: str, commit: str) -> bool:
    """True if the remote's branch holds the commit. ConflictError where it holds what the commit does not."""
    tip = ground.repository.fetch_branch(ground.remote, branch)
    if tip is None:
        return False
    common = ground.repository.merge_base((tip, commit))
    if common not in (tip, commit):
        raise ConflictError(
            f"{branch} has moved on: {ground.remote} has commits that {commit[:12]} is not made upon",
            why="a push that keeps both would need a merge, and a release pushes nothing that it did not make",
            todo=f"merge them (`git pull --no-rebase {ground.remote} {branch}`), push {branch},"
            " then run `shipline release` again: it pushes the tag",
        )
    return common == commit


def check_tagged(ground: ReleaseGround, release: Release, commit: str) -> None:
    """RefusedError where the release's own tag, which was made, is not in this repository any more."""
    if ground.repository.find_tag(release.tag) is not None:
        return
    again = "then run `shipline release` again: it goes on from there"
    if ground.remote and ground.repository.tags_on(ground.remote, (release.tag,)):
        todo = f"{ground.remote} has it: git fetch {ground.remote} tag {release.tag}; {again}"
    else:
        name = f"{release.package} {release.version}"
        todo = f'bring it back: git tag --annotate --message "{name}" {release.tag} {commit[:12]}; {again}'
    raise RefusedError(
        f"the tag {release.tag!r} is gone from this repository",
        why=f"the release was tagged on {commit[:12]}, and somebody has deleted the tag since",
        todo=todo,
    )


def check_untagged(ground: ReleaseGround, name: str) -> None:
    """Refuse (RefusedError) to release under a tag that exists: what it stands on is not what is released now."""
    tag = ground.repository.find_tag(name)
    if tag is not None:
        raise RefusedError(
            f"the tag {name!r} exists already, on commit {tag.commit[:12]}",
            todo="look at what that tag releases; delete it only if it was never pushed",
        )


def _parts(context: StepContext, release: Release) -> tuple[Part, ...]:
    """What the release's commit holds."""
    return parts_of(context.input, release.version, release.notes_markdown)
