"""The schemes by their names, as `[[package]] scheme` and `--scheme` write them."""

from __future__ import annotations

from shipline.capabilities.plans.versions.pep440 import Pep440
from shipline.capabilities.plans.versions.semver import SemVer
from shipline.capabilities.plans.versions.version import Scheme
from shipline.domain.errors import InvalidValue

SCHEMES: dict[str, Scheme] = {"semver": SemVer(), "pep440": Pep440()}


def scheme_named(name: str) -> Scheme:
    """The scheme of this name; InvalidValue, listing the known ones, otherwise."""
    if name not in SCHEMES:
        raise InvalidValue(f"there is no version scheme {name[:80]!r}", todo="known schemes: " + ", ".join(SCHEMES))
    return SCHEMES[name]
