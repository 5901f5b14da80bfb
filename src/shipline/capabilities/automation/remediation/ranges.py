"""A range raised so that it takes no version before the one that mends something. Pure.

Ranges that are not understood, and such as would not take that version then, are left to people.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

from shipline.capabilities.plans import Dialect, satisfies, scheme_named

_CLAUSE = re.compile(r"(===|==|~=|!=|>=|<=|<|>)\s*([0-9A-Za-z][0-9A-Za-z.*+!_-]{0,100})")
_PLAIN = re.compile(r"(\^|~|>=|=)?\s*(v?[0-9][0-9A-Za-z.+-]{0,100})")
_SHORT = re.compile(r"[0-9]+(?:\.[0-9]+)?")
SCHEMES = {"pypi": "pep440", "npm": "semver", "cargo": "semver", "golang": "semver"}
"""By the type of a package URL: how its versions are ordered."""
_DIALECTS: dict[str, Dialect] = {"npm": "npm", "cargo": "cargo"}
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
Key: TypeAlias = Any


def place_of(kind: str, version: str) -> Key | None:
    """What orders a version among those of its ecosystem; None where nothing here does."""
    scheme = SCHEMES.get(kind)
    if scheme is None:
        return None
    known = scheme_named(scheme)
    padded = f"{version}.0.0" if scheme == "semver" and version.isdigit() else version
    padded = f"{version}.0" if scheme == "semver" and _SHORT.fullmatch(version) and "." in version else padded
    normalized = known.normalized(padded)
    parsed = None if normalized is None else known.parse(normalized)
    return None if parsed is None else parsed.key


def target_of(kind: str, installed: str, fixed: tuple[str, ...]) -> str | None:
    """The lowest version that mends it, above the installed one; None where that cannot be told."""
    if kind in ("docker", "oci"):
        return fixed[0] if len(fixed) == 1 and (_DIGEST.fullmatch(fixed[0]) or _TAG.fullmatch(fixed[0])) else None
    mine = place_of(kind, installed)
    above = [
        (key, text) for text in fixed if (key := place_of(kind, text)) is not None and (mine is None or key > mine)
    ]
    return min(above)[1] if above and (mine is not None or len(above) == 1) else None


def highest(kind: str, versions: tuple[str, ...]) -> str | None:
    """The highest of them, which mends all that they mend; None where they cannot be compared."""
    if len(set(versions)) == 1:
        return versions[0]
    keys = [(key, text) for text in versions if (key := place_of(kind, text)) is not None]
    return max(keys)[1] if keys and len(keys) == len(versions) else None


def raised(kind: str, text: str, fixed: str) -> str | None:
    """The range that takes `fixed` and nothing before it; the same text where it does so already, None for what is
    left to people."""
    match kind:
        case "pypi":
            is_poetrys = re.match(r"\s*(?:\^|~(?!=))", text) is not None
            return _single(kind, text, fixed) if is_poetrys else _pep440(text, fixed)
        case "npm" | "cargo":
            return _single(kind, text, fixed)
        case "golang":
            return _module(text, fixed)
        case "docker" | "oci":
            same_form = bool(_DIGEST.fullmatch(text)) == bool(_DIGEST.fullmatch(fixed))
            return fixed if same_form else None
        case _:
            return None


def _pep440(text: str, fixed: str) -> str | None:
    goal, clauses = place_of("pypi", fixed), [each.strip() for each in text.split(",") if each.strip()]
    parts = [part for each in clauses if (part := _CLAUSE.fullmatch(each)) is not None]
    if goal is None or len(parts) != len(clauses):
        return None
    written: list[str] = []
    lower = False
    for part in parts:
        operator, version = part[1], part[2]
        place = None if version.endswith("*") else place_of("pypi", version)
        if operator == "===" or (place is None and operator not in ("!=", "==")):
            return None
        if operator in ("==", ">=", ">", "~=") and place is not None:
            if place >= goal:
                return text
            lower = lower or operator != "~="
            if operator != "~=":
                written.append(f"{'==' if operator == '==' else '>='}{fixed}")
                continue
        written.append(f"{operator}{version}")
    new = ",".join((*written, *(() if lower else (f">={fixed}",))))
    return new if satisfies(fixed, new, "pep440") else None


def _single(kind: str, text: str, fixed: str) -> str | None:
    """One operator and one version, of which the operator stays."""
    part = _PLAIN.fullmatch(text.strip())
    goal = place_of(kind, fixed)
    place = None if part is None else place_of(kind, part[2])
    if part is None or goal is None or place is None:
        return None
    return text if place >= goal else f"{part[1] or ''}{fixed}"


def leaves(kind: str, text: str, fixed: str) -> bool:
    """Whether `fixed` is outside of a range, so that raising it may break something."""
    dialect = _DIALECTS.get(kind)
    return dialect is not None and not satisfies(fixed, text, dialect)


def _module(text: str, fixed: str) -> str | None:
    """Of Go another major version is another module."""
    place, goal = place_of("golang", text), place_of("golang", fixed)
    if place is None or goal is None:
        return None
    if place >= goal:
        return text
    version = f"v{fixed.removeprefix('v')}"
    return version if version.partition(".")[0] == text.partition(".")[0] else None
