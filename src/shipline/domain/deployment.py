"""Deployment: the fact that a release is, or was, what an environment serves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deployment:
    """`began_us` is when the canary's first request could arrive, `finished_us` when all traffic was on it.

    `ended_us` is None while it serves. `failed` is true when it was rolled back, or an incident was tied to it;
    one that was rolled back before it took all traffic has no `finished_us`.
    """

    id: str
    environment: str
    package: str
    version: str
    rollout_id: str
    began_us: int
    commit: str | None = None
    finished_us: int | None = None
    ended_us: int | None = None
    failed: bool = False
    rollback: bool = False
