"""Who has to let a previewed version go on: people of named roles, who sign for exactly what is previewed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from shipline.domain.rollout import Rollout

Approving: TypeAlias = "Callable[[Rollout, str], Mapping[str, tuple[str, ...]]]"
"""Gives who has approved a rollout's version for its environment, by role. The text is the digest of the plan that they
have to have signed for, "" for the release itself."""


def nobody(_rollout: Rollout, _digest: str) -> Mapping[str, tuple[str, ...]]:
    """Where nobody is asked."""
    return {}


def lacking(wanted: Mapping[str, int], given: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """What is missing, in words: `2 of ops`; empty where nothing is."""
    left = {role: count - len(set(given.get(role, ()))) for role, count in wanted.items()}
    return tuple(f"{count} of {role}" for role, count in left.items() if count > 0)


def todo(rollout: Rollout, digest: str) -> str:
    """The command by which somebody approves."""
    plan = f" --plan {digest}" if digest else ""
    return f"shipline approve {rollout.version} --stage {rollout.environment}{plan}"
