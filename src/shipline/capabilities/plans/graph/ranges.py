"""What a requirement says of a version, and how it is written for a newer one. Pure.

The reading of ranges is `versions`'; here is what workspaces add to it: `workspace:^` and its like, which stand for
the version that the other package has.
"""

from __future__ import annotations

import re
from functools import lru_cache

from shipline.capabilities.plans.packages import Requirement
from shipline.capabilities.plans.versions import Dialect, satisfies
from shipline.domain.errors import ShiplineError

WORKSPACE = "workspace:"
# One comparison and what may stand around it; `=` is cargo's, `===` left out because it compares texts.
SIMPLE = re.compile(r"\s*(\^|~>|~=|~|==|=|>=|)\s*v?[0-9][\w.+!-]*\s*")
# What each dialect writes for "this version and all that are compatible with it".
COMPATIBLE = {"npm": "^", "cargo": "", "poetry": "^", "pep440": ">=", "helm": "^"}


def fits(requirement: Requirement, version: str, *, current: str | None) -> bool | None:
    """True if `requirement` takes `version`; None where it does not speak of versions: an address, a path, a tag.

    `current` is the version that the package had when the requirement was written.
    """
    wanted = meant(requirement, current)
    if wanted is None:
        return None
    dialect, read = _poetry(wanted) if requirement.dialect == "poetry" else (requirement.dialect, wanted)
    return _satisfied(version, read, dialect)


def meant(requirement: Requirement, current: str | None) -> str | None:
    """The range without the workspace protocol, which is published as a range; None: whatever lies there.

    From: https://pnpm.io/workspaces#publishing-workspace-packages: `workspace:*` becomes the exact version,
    `workspace:^` and `workspace:~` that range of it.
    """
    written = requirement.range.strip()
    if not written.startswith(WORKSPACE):
        return written
    wanted = written.removeprefix(WORKSPACE).strip()
    if wanted in {"*", "^", "~"}:
        return None if current is None else f"{wanted.replace('*', '')}{current}"
    alias = wanted.rpartition("@")[2] if "@" in wanted[1:] else wanted
    return None if alias[:1] in {".", "/"} else alias


def raised(requirement: Requirement, version: str) -> str:
    """The range as it is written for `version`: with the operator that it had, where it had one.

    A range of several comparisons becomes the usual one of its dialect. What follows the other package by itself
    (`workspace:*`) stays.
    """
    written = requirement.range
    protocol = WORKSPACE if written.strip().startswith(WORKSPACE) else ""
    wanted = written.strip().removeprefix(protocol).strip()
    if protocol and wanted in {"*", "^", "~"}:
        return written
    simple = SIMPLE.fullmatch(wanted)
    operator = simple[1] if simple is not None else COMPATIBLE[requirement.dialect]
    return f"{protocol}{operator}{version}"


def _poetry(wanted: str) -> tuple[Dialect, str]:
    """Poetry's words in another dialect's: carets and tildes are npm's, a bare version is exact, the rest PEP 440.

    From: https://python-poetry.org/docs/dependency-specification/#version-constraints
    """
    if wanted.startswith("^") or (wanted.startswith("~") and not wanted.startswith("~=")):
        return "npm", wanted
    if wanted == "*":
        return "pep440", ""
    return "pep440", f"=={wanted}" if wanted[:1].isdigit() else wanted


@lru_cache(maxsize=65_536)
def _satisfied(version: str, wanted: str, dialect: Dialect) -> bool | None:
    """Remembered, since the packages of a repository say the same of each other again and again."""
    try:
        return satisfies(version, wanted, dialect)
    except ShiplineError:
        return None
