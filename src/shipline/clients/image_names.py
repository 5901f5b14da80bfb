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
