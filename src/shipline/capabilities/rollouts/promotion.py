"""What of a release an environment runs: pure."""

from __future__ import annotations

from shipline.domain.errors import RefusedError
from shipline.domain.release import Release


def runnable_digests(release: Release, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """The digests of the release's artifacts of these kinds, or of all where no kind is named.

    RefusedError where it has none: there is nothing that the environment could run, and be sure of what it is.
    """
    found = tuple(one.digest for one in release.artifacts if not kinds or one.kind in kinds)
    if not found:
        had = ", ".join(sorted({one.kind for one in release.artifacts})) or "none"
        raise RefusedError(
            f"{release.package} {release.version} has no artifact that its target can run",
            why=f"the target runs {', '.join(kinds) or 'any artifact'}; the release has {had}",
            todo="release it with a builder that makes one, or choose another target",
        )
    return found
