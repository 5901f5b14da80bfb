"""Names of images as manifests have them: registry, path, then a tag or a digest, which a release replaces.

From: the reference grammar of the Distribution project (github.com/distribution/reference)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipline.clients.confidential import LOOPBACK

IMAGE = re.compile(
    r"(?P<host>[A-Za-z0-9.-]+(?::[0-9]{1,5})?)/(?P<path>[a-z0-9._/-]+)(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?"
)


REFERENCE = re.compile(
    r"(?P<host>(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)(?::[0-9]{1,5})?)"
    r"/(?P<path>[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
REFERENCE_CHARACTERS_MAX = 500


@dataclass(frozen=True, slots=True)
class ImageName:
    """`host` is the registry, with a port where there is one; `path` the image's name there."""

    host: str
    path: str

    @property
    def registry_url(self) -> str:
        """The origin of the registry: https, but for this machine."""
        return f"{'http' if self.host.partition(':')[0] in LOOPBACK else 'https'}://{self.host}"

    def at(self, digest: str) -> str:
        """The image of that digest."""
        return f"{self.host}/{self.path}@{digest}"

    def __str__(self) -> str:
        """Without tag and digest."""
        return f"{self.host}/{self.path}"


def image_name(text: object) -> ImageName | None:
    """The name in `text`; None where that is no image that is named with its registry."""
    found = IMAGE.fullmatch(str(text))
    return None if found is None else ImageName(found["host"], found["path"])


@dataclass(frozen=True, slots=True)
class ImageReference:
    """One image of a registry as people name it. `tag` and `digest` are "" where they are not said."""

    name: ImageName
    tag: str = ""
    digest: str = ""

    @property
    def asked(self) -> str:
        """What the registry is asked for: the digest, which says it exactly, before the tag."""
        return self.digest or self.tag or "latest"


def image_reference(text: str) -> ImageReference | None:
    """The image that `text` names with its registry; None where it names none.

    A host is told from a folder by a dot, a port, or being `localhost`, as container clients do.
    """
    found = REFERENCE.fullmatch(text) if len(text) <= REFERENCE_CHARACTERS_MAX else None
    if found is None or not ("." in found["host"] or ":" in found["host"] or found["host"] == "localhost"):
        return None
    return ImageReference(ImageName(found["host"], found["path"]), found["tag"] or "", found["digest"] or "")
