"""Legal transitions of a status, kept beside the enum that they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from shipline.domain.errors import IllegalTransition

S = TypeVar("S", bound=StrEnum)


def move(noun: str, legal: Mapping[S, frozenset[S]], source: S, target: S) -> S:
    """Return `target` if it can be reached from `source`; raise IllegalTransition, naming both, otherwise."""
    if target not in legal[source]:
        raise IllegalTransition(noun, source.value, target.value)
    return target
