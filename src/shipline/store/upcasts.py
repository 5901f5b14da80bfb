"""Old events read as new ones: a kind's body is brought to its newest version when it is read, never in the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

Body = dict[str, Any]
Upcasts = Mapping[str, Mapping[int, Callable[[Body], Body]]]
"""Kind -> version -> what turns a body of that version into one of the next."""

NO_UPCASTS: Upcasts = MappingProxyType({})


def upcast(upcasts: Upcasts, kind: str, version: int, body: Body) -> tuple[int, Body]:
    """The newest version that the table leads to, and the body in it."""
    steps = upcasts.get(kind, {})
    while version in steps:
        body = steps[version](body)
        version += 1
    return version, body
