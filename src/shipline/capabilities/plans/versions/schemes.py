"""The schemes by their names, as `[[package]] scheme` and `--scheme` write them."""

from __future__ import annotations

from functools import lru_cache

from shipline.capabilities.plans.versions.pep440 import Pep440
from shipline.capabilities.plans.versions.semver import SemVer
from shipline.capabilities.plans.versions.version import CALVER, Scheme
from shipline.domain.errors import InvalidValue

SCHEMES: dict[str, Scheme] = {"semver": SemVer(), "pep440": Pep440()}


@lru_cache(maxsize=64)
def scheme_named(name: str) -> Scheme:
    """The scheme of this name; InvalidValue, listing the known ones, otherwise."""
    if name.startswith(CALVER):
        from shipline.capabilities.plans.versions.calver import CalVer  # noqa: PLC0415 - few have it

        return CalVer(name.removeprefix(CALVER))
    if name not in SCHEMES:
        known = ", ".join([*SCHEMES, f"{CALVER}FORMAT, such as {CALVER}YYYY.0M.MICRO"])
        raise InvalidValue(f"there is no version scheme {name[:80]!r}", todo=f"known schemes: {known}")
    return SCHEMES[name]
