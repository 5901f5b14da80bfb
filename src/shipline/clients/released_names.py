"""Names of what was released, before they become paths, addresses or arguments."""

from __future__ import annotations

import re

from shipline.domain.errors import InvalidValue

PACKAGE = re.compile(r"[A-Za-z0-9@][A-Za-z0-9@._/-]{0,213}")  # npm's limit; the other ecosystems' names are shorter
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+!_-]{0,99}")  # what PEP 440 and semver write; never an option


def check_released(package: str, version: str) -> None:
    """Raise InvalidValue for what is no package and version. `@scope/name` is a package: it still has a slash."""
    if not PACKAGE.fullmatch(package) or ".." in package.split("/") or not VERSION.fullmatch(version):
        raise InvalidValue(f"{package[:80]!r} {version[:80]!r} is not a package and a version")
