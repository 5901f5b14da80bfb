"""What git's refusals mean, in people's words."""

from __future__ import annotations

from shipline.clients.git_command import GitFailed
from shipline.domain.errors import ConflictError, RefusedError, ShiplineError, UnavailableError


def signing_error(name: str, why: str) -> ShiplineError:
    """A tag that git would not sign."""
    return RefusedError(
        f"the tag {name!r} could not be signed",
        why=why,
        todo="see that git can sign here: `git config gpg.format` (openpgp or ssh), `git config user.signingKey`, and "
        "that the key asks for no passphrase",
    )


def not_moving(name: str, place: str) -> ConflictError:
    """A tag that must stay where it is."""
    return ConflictError(
        f"the tag {name!r} {place} is an annotated one",
        why="annotated tags are releases, which stay where they are",
        todo="give the moving tag another name in shipline.toml",
    )


def push_error(remote: str, failure: GitFailed) -> ShiplineError:
    """What a push that failed means: moved on, refused, or out of reach."""
    rejected = " ".join(line for line in failure.output.splitlines() if line.startswith("!"))[:300]
    if rejected:
        return ConflictError(
            f"{remote} did not take the push",
            why=rejected.replace("\t", " "),
            todo="fetch, look at what is there, then run this again",
        )
    if any(word in failure.complaint for word in ("Authentication failed", "Permission denied", "could not read User")):
        return RefusedError(f"{remote} refused the credentials", why=failure.complaint)
    return UnavailableError(f"{remote} cannot be reached", why=failure.complaint)
