"""What a requirement says of a version, and how it is written for a newer one. Pure.

The reading of ranges is `versions`'; here is what workspaces add to it: `workspace:^` and its like, which stand for
the version that the other package has.
"""

from __future__ import annotations

import re
from functools import lru_cache

from shipline.capabilities.plans.packages import Requirement
from shipline.capabilities.plans.versions import Dialect, Version, satisfies, scheme_named
from shipline.domain.errors import ShiplineError

WORKSPACE = "workspace:"
# One comparison and what may stand around it; `=` is cargo's, `===` left out because it compares texts.
SIMPLE = re.compile(r"\s*(\^|~>|~=|~|==|=|>=|)\s*v?[0-9][\w.+!-]*\s*")
# One of Python's comparisons with a plain version: the space before it, operator, version, and a wildcard.
COMPARISON = re.compile(r"(\s*)(~=|==|!=|<=|>=|<|>)\s*v?((?:\d+!)?\d+(?:\.\d+)*)(\.\*)?\s*", re.ASCII)
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

    A range of several comparisons becomes the usual one of its dialect, which has an upper bound everywhere but in
    Python: there the one that was written moves along. What follows the other package by itself (`workspace:*`) stays.
    """
    written = requirement.range
    protocol = WORKSPACE if written.strip().startswith(WORKSPACE) else ""
    wanted = written.strip().removeprefix(protocol).strip()
    if protocol and wanted in {"*", "^", "~"}:
        return written
    simple = SIMPLE.fullmatch(wanted)
    if simple is None and requirement.dialect == "pep440":
        return _bounded(wanted, version) or f"{COMPATIBLE['pep440']}{version}"
    operator = simple[1] if simple is not None else COMPATIBLE[requirement.dialect]
    return f"{protocol}{operator}{version}"


def _bounded(wanted: str, version: str) -> str | None:
    """A Python range with its upper bound, for `version`: `>=1,<2` becomes `>=2.0.0,<3`, and `==1.*` becomes `==2.*`.

    The bound moves to the next version of the number that it was about, and stays where it takes the version anyway.
    What was left out below (`!=`) is past. None where there is no upper bound.
    """
    found = [COMPARISON.fullmatch(part) for part in wanted.split(",")]
    new = scheme_named("pep440").parse(version)
    if new is None or any(each is None for each in found):
        return None
    parts = [each for each in found if each is not None and each[2] != "!="]
    if len(parts) == 1 and parts[0][2] == "==" and parts[0][4]:
        return f"=={_numbers(new, len(parts[0][3].rpartition('!')[2].split('.')))}.*"
    upper = next((each for each in parts if each[2] in {"<", "<="}), None)
    if upper is None:
        return None
    lower = next((each for each in parts if each[2] in {">=", ">", "~="}), None)
    operator = "~=" if lower is not None and lower[2] == "~=" else ">="
    stays = _satisfied(version, f"{upper[2]}{upper[3]}", "pep440")
    bound = f"{upper[2]}{upper[3]}" if stays else f"<{_above(new, upper[3], inclusive=upper[2] == '<=')}"
    return f"{operator}{version},{upper[1]}{bound}"


def _above(new: Version, written: str, *, inclusive: bool) -> str:
    """The bound above the version `new` that is to it what the `written` one was to the old version.

    `<2.0` is about the first number, `<1.5` about the second; one that is `inclusive` was about none, and the next
    version that breaks something takes its place.
    """
    numbers = [int(each) for each in re.findall(r"\d+", written.rpartition("!")[2])]
    about = new.release if inclusive else tuple(numbers)
    told = [index for index, number in enumerate(about) if number]
    place = (told[0] if inclusive else told[-1]) if told else 0
    count = place + 1 if inclusive else len(numbers)
    release = [*new.release, *([0] * count)]
    moved = [*release[:place], release[place] + 1, *([0] * count)][:count]
    return _epoch(new) + ".".join(map(str, moved))


def _numbers(version: Version, count: int) -> str:
    return _epoch(version) + ".".join(map(str, [*version.release, *([0] * count)][:count]))


def _epoch(version: Version) -> str:
    return f"{version.epoch}!" if version.epoch else ""


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
