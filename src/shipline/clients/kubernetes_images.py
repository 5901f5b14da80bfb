"""Images as containers in Kubernetes name them, and finding one by its digest in its registry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shipline.clients.confidential import LOOPBACK
from shipline.clients.oci_credentials import client_credentials
from shipline.clients.oci_registry import OCIClient
from shipline.domain.errors import ConfigurationError, ShiplineError

ANSWER_TIMEOUT_S = 10.0
# Distribution's reference grammar: host, optional port, path; then a tag or a digest, which is replaced.
IMAGE = re.compile(
    r"(?P<host>[A-Za-z0-9.-]+(?::[0-9]{1,5})?)/(?P<path>[a-z0-9._/-]+)"
    r"(?::(?P<tag>[\w.-]{1,128}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


def named_container(template: Mapping[str, Any], name: str, *, owner: str) -> int:
    """The place of the container that runs the released image, in a pod template. `name` "" is the only one.

    ConfigurationError that lists the known ones; `owner` is whose template it is, for people.
    """
    names = [str(each.get("name")) for each in (template.get("spec") or {}).get("containers") or ()]
    if name in names:
        return names.index(name)
    if name == "" and len(names) == 1:
        return 0
    what = f"{owner} has no container {name[:60]!r}" if name else f"{owner} has {len(names)} containers"
    raise ConfigurationError(what, todo=f"set `container` to one of: {', '.join(names)[:300]}")


def find_image(image: str, version: str, digests: tuple[str, ...]) -> str:
    """The image of these digests in the repository that `image` names: `registry.example/team/quotes@sha256:...`.

    ShiplineError where the registry has none of them; nothing else is taken for it.
    """
    found = IMAGE.fullmatch(image)
    if found is None:
        raise ConfigurationError(
            f"the image {image[:200]!r} is not named with its registry",
            todo="write it as registry.example/team/name; what tag or digest it has does not matter",
        )
    host, path = found["host"], found["path"]
    scheme = "http" if host.partition(":")[0] in LOOPBACK else "https"
    registry = OCIClient(f"{scheme}://{host}", path, ANSWER_TIMEOUT_S, client_credentials(host))
    known = next((digest for digest in digests if registry.digest_of(digest) == digest), None)
    if known is None:
        raise ShiplineError(
            f"{host}/{path} has no image of {version}",
            why="none of the released digests is there",
            todo="let a [[registry]] publish to the repository that the running image is from",
        )
    return f"{host}/{path}@{known}"


def spoken(image: str) -> str:
    """What an image that nobody has named is called: its tag, or the beginning of its digest."""
    found = IMAGE.fullmatch(image)
    if found is None:
        return f"image {image[:60]}"
    return f"image {found['tag']}" if found["tag"] else f"image {(found['digest'] or 'latest')[:19]}"
