"""Names of what was released, before they become paths, addresses or arguments."""

from __future__ import annotations

import hashlib
import re

from shipline.domain.errors import InvalidValue

PACKAGE = re.compile(r"[A-Za-z0-9@][A-Za-z0-9@._/-]{0,213}")  # npm's limit; the other ecosystems' names are shorter
# Letters that every file system keeps apart; and nothing that could be the beginning of a version.
_PLAIN = re.compile(r"(?!.*-[0-9])[A-Za-z0-9_-][A-Za-z0-9._-]{0,213}")
_PLAIN_PART = re.compile(r"[^A-Za-z0-9._-]")
_SHOWN_LENGTH_MAX = 100
_MARK_LENGTH = 12
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+!_-]{0,99}")  # what PEP 440 and semver write; never an option


def check_released(package: str, version: str) -> None:
    """Raise InvalidValue for what is no package and version. `@scope/name` is a package: it still has a slash."""
    if not PACKAGE.fullmatch(package) or ".." in package.split("/") or not VERSION.fullmatch(version):
        raise InvalidValue(f"{package[:80]!r} {version[:80]!r} is not a package and a version")


def folder_name(package: str, version: str) -> str:
    """The name of a version's folder: one folder whatever the package is called, and no other version's.

    `libs/x` and `libs_x` must not meet, so a name that cannot stand as it is gets a part of its own digest.
    """
    if _PLAIN.fullmatch(package):
        return f"{package}-{version}"
    safe = _PLAIN_PART.sub("_", package).lstrip(".")[:_SHOWN_LENGTH_MAX]
    return f"{safe}~{hashlib.sha256(package.encode()).hexdigest()[:_MARK_LENGTH]}-{version}"
