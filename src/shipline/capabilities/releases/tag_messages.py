"""What the annotated tag of a release says: its notes, and the key of a release that has no commit of its own.

A release commit is known by its key and by what it holds. Where a commit of the branch is tagged as it is, only the tag
can tell a machine without a record that a release was begun here. Anybody who may push tags can write such a key, as
whoever may push to the branch can make a release commit: neither is asked for more than to end that release.
"""

from __future__ import annotations

from shipline.capabilities.releases.footing import KEY_TRAILER, Share
from shipline.domain.release import Release


def tag_message_of(release: Release, *, keyed: bool) -> str:
    """The message; `keyed` where the tag stands on a commit that is not the release's own."""
    message = f"{release.package} {release.version}\n\n{release.notes_markdown.rstrip()}\n"
    return message + (f"\n{_line(Share(release.package, release.version, (), ''))}\n" if keyed else "")


def has_key(message: str, share: Share) -> bool:
    """True for the tag of this release, on a commit that is not its own."""
    return _line(share) in message.splitlines()


def notes_in(message: str, share: Share) -> str:
    """The notes in the message of such a tag; what comes behind the key is a signature."""
    told = message.partition("\n\n")[2]
    return told[: told.rfind(_line(share))].strip() + "\n"


def _line(share: Share) -> str:
    return f"{KEY_TRAILER}: {share.key}"
