"""How git remembers that a version was taken back: a tag beside that of the release, `shipline/yanked/v1.2.3`.

Some registries forget what they removed, and a runner in CI has no store that knows better; to both, such a version
looks as if its release had been cut off after the tag. The mark comes with the tags of every clone, and the yank sets
it before it asks any registry.

It is a lightweight tag on the release's own commit. So it needs no identity and no signature, every machine sets the
same one, and `git describe` goes on naming the release, whose annotated tag comes before it. No version is read from
its name.
"""

from __future__ import annotations

from shipline.capabilities.releases.ground import ReleaseGround

PREFIX = "shipline/yanked/"


def mark_of(tag: str) -> str:
    """The name of the mark of a release, by that of its tag."""
    return f"{PREFIX}{tag}"


def is_marked(ground: ReleaseGround, tag: str) -> bool:
    """True if this clone knows that the release of this tag was taken back."""
    return ground.repository.find_tag(mark_of(tag)) is not None


def was_taken_back(ground: ReleaseGround, tag: str) -> bool:
    """True if this clone or its remote says so. A remote that cannot be asked: UnavailableError."""
    return is_marked(ground, tag) or bool(ground.remote and ground.repository.tags_on(ground.remote, (mark_of(tag),)))


def marked_tags(names: tuple[str, ...]) -> frozenset[str]:
    """Of all tags of a repository, those of releases that were taken back."""
    return frozenset(name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX))
