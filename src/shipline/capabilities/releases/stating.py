"""A commit beside all branches that states a version which somebody has chosen, and not the commits."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.capabilities.releases.batch import Part, edited_files, in_commit, message_of
from shipline.capabilities.releases.candidates import Candidate
from shipline.capabilities.releases.footing import PULL_REQUEST_KEY
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.domain.errors import ConflictError
from shipline.domain.package import Package
from shipline.domain.version_file import VersionFile


@dataclass(frozen=True, slots=True)
class Stated:
    """`commit` stands on the one that was given, or is it where no file has to change; `section` is its part of the
    changelog, "" for a version on the way."""

    commit: str
    section: str = ""


def state_on_the_way(
    ground: ReleaseGround, package: Package, files: tuple[VersionFile, ...], version: str, base: str
) -> Stated:
    """Write a development version into the version files upon `base`. The same call gives the same commit again."""
    part = Part(package, version, "", files, "")
    return _committed(ground, part, base)


def state_final(ground: ReleaseGround, candidate: Candidate, base: str) -> Stated:
    """Write the planned final version and its section upon `base`, as a release pull request does: once it is merged,
    `release_merged` releases it. The same call gives the same commit again."""
    return _committed(ground, candidate.part(ground, _time_us(ground, base)), base)


def _committed(ground: ReleaseGround, part: Part, base: str) -> Stated:
    read = in_commit(ground.repository, base, [part])
    files = edited_files([part], read)
    if all(read(path) == content for path, content in files.items()):
        return Stated(base, part.section)
    message, key = message_of(ground.commit_message, [part], PULL_REQUEST_KEY)
    commit = ground.repository.commit_beside(base, files, message, key=key, time_us=_time_us(ground, base))
    return Stated(commit, part.section)


def _time_us(ground: ReleaseGround, commit: str) -> int:
    found = next(iter(ground.repository.log((), commit, limit=1)), None)
    if found is None:
        raise ConflictError(f"the commit {commit[:12]} is gone")
    return found.time_us
