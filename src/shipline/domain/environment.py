"""Environment: a place to deploy to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Environment:
    """`order` counts from 0, nearest to the commit; `target` names a target provider; `url` is where users reach it."""

    name: str
    order: int
    target: str
    url: str = ""
    production: bool = False
