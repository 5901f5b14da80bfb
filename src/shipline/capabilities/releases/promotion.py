"""From a release candidate to its final version: which of its bytes can be published as they are.

A version is inside of wheels, sdists and npm packages, in the name of some files, and in whatever was built from a tree
in which files state it. An image's version is its tag, outside of its bytes. What holds no version stays byte for byte
what was tested: built once, never again.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from shipline.capabilities.releases.ground import ReleaseGround, artifact_digest, load_built, save_built
from shipline.capabilities.releases.queries import find_release
from shipline.domain.artifact import Artifact
from shipline.domain.release import Release

BAKED_IN = frozenset({"wheel", "sdist", "npm"})


def holds_version(artifact: Artifact, version: str, *, tree_states_it: bool) -> str:
    """Why the bytes of an artifact of `version` cannot be another version's, "" if they can."""
    if artifact.kind in BAKED_IN:
        return f"a {artifact.kind} has its version inside"
    if version in artifact.name:
        return "its name says the version"
    if artifact.kind == "file" and tree_states_it:
        return "it was built from files that state the version"
    return ""


def reuse(ground: ReleaseGround, release: Release, candidate_version: str, *, tree_states_it: bool) -> str | None:
    """Take over the candidate's artifacts into the release's own folder; the commit that they were built from.

    None where not all of them can be taken as they are, or where they are not on this machine as they were built: then
    all are built anew, so that one build made all that is published. Does the same when it is done again.
    """
    with ground.store.begin() as tx:
        candidate = find_release(tx, release.package, candidate_version)
    built = None if candidate is None else load_built(ground.folder_of(candidate))
    if candidate is None or built is None or not built.artifacts:
        return None
    source, destination = ground.folder_of(candidate) / "dist", ground.folder_of(release) / "dist"
    for artifact in built.artifacts:
        path = source / artifact.name
        if holds_version(artifact, candidate_version, tree_states_it=tree_states_it) or not path.exists():
            return None
        if artifact_digest(path, artifact.kind) != artifact.digest:
            return None
    shutil.rmtree(destination, ignore_errors=True)
    shutil.copytree(source, destination)
    save_built(ground.folder_of(release), built)
    return built.commit


def told(candidate: Release | None, final: Release, *, tree_states_it: bool) -> Iterator[str]:
    """For each artifact of a final version, in a sentence: the candidate's own bytes, or built anew and why."""
    before = {} if candidate is None else {artifact.digest: artifact for artifact in candidate.artifacts}
    for artifact in final.artifacts:
        if candidate is None:
            yield f"{artifact.name} was built anew: the candidate's artifacts are not known on this machine"
        elif artifact.digest in before:
            yield f"{artifact.name} has the same bytes as in {candidate.version} ({artifact.digest[:19]})"
        else:
            why = holds_version(artifact, final.version, tree_states_it=tree_states_it)
            yield f"{artifact.name} was built anew: {why or 'the candidate was not there whole'}"
