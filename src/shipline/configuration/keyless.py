"""`[keyless]`: where is signed by an identity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from shipline.configuration.limits import Limits


@dataclass(frozen=True, slots=True)
class KeylessSettings:
    """`[keyless]`: the sigstore instance at which `shipline sign --keyless` signs.

    `instance` is a file from the root, a ClientTrustConfig: the addresses of its services, and what of them is trusted.
    "": there is none. It counts as the protected branch has it, since identity tokens are sent there.
    """

    instance: Annotated[
        str,
        Limits(
            pattern=r"|(?!/)(?!(?:.*/)?\.\.(?:/|$))[^\x00-\x1f\x7f]{1,200}",
            meaning="the path of a file inside the repository",
        ),
    ] = ""
