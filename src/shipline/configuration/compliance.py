"""`[compliance]`: the frameworks that releases have to keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from shipline.configuration.limits import Limits

_FRAMEWORK = Limits(
    pattern=r"[a-z0-9][a-z0-9-]{0,39}|(?!/)(?!(?:.*/)?\.\.(?:/|$))[^\x00-\x1f\x7f]{1,200}\.toml",
    meaning="the name of a framework, or the path of a .toml file inside the repository",
)


@dataclass(frozen=True, slots=True)
class ComplianceSettings:
    """`[compliance]`: the frameworks that releases have to keep.

    `required` are names of frameworks that come with Shipline, or paths of files from the root; a release that does not
    keep one of them is refused at the stage `release`.
    """

    required: tuple[Annotated[str, _FRAMEWORK], ...] = ()


def required_frameworks(trusted: ComplianceSettings | None, own: ComplianceSettings) -> tuple[tuple[str, bool], ...]:
    """All that count, each with whether what decides says so; this commit may add to that, and take nothing away."""
    there = () if trusted is None else tuple(dict.fromkeys(trusted.required))
    added = tuple(name for name in dict.fromkeys(own.required) if name not in there)
    return (*((name, True) for name in there), *((name, False) for name in added))
