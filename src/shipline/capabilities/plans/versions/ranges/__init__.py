"""Does a version satisfy what a dependent asks for? By the rules of npm, Cargo, PEP 440 and Helm, which differ.

Pure. A requirement that cannot be read is InvalidValue, never "no": a plan must not take a typing mistake for a range
that broke. One module a dialect, with a function `satisfies` each, imported when it is first spoken: most plans need
none.
"""

from __future__ import annotations

from importlib import import_module
from typing import Literal, get_args

from shipline.domain.errors import InvalidValue

Dialect = Literal["npm", "cargo", "pep440", "helm"]
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
LENGTH_MAX = 2000


def satisfies(version: str, requirement: str, dialect: Dialect) -> bool:
    """True if `version` is one that `requirement` admits. InvalidValue for what cannot be read."""
    if dialect not in DIALECTS:
        raise InvalidValue(f"there are no ranges of {dialect[:80]!r}", todo="known dialects: " + ", ".join(DIALECTS))
    if len(requirement) > LENGTH_MAX:
        raise InvalidValue(f"a requirement of {len(requirement)} characters is not read", todo=f"{LENGTH_MAX} at most")
    answer: bool = import_module(f"{__name__}.{dialect}").satisfies(version, requirement)
    return answer
