"""The table `[assistant]`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from shipline.configuration.limits import Limits

TASKS = ("review", "explain", "tests")
LEFT_OUT = ("**/*.lock", "**/package-lock.json", "**/pnpm-lock.yaml", "**/go.sum", "**/*.min.*", "**/.env*", "**/*.pem")


@dataclass(frozen=True, slots=True)
class AssistantSettings:
    """`[assistant]`: who is asked for advice about pull requests. It has these beside its provider's own keys.

    `provider` is the assistant. `tasks` are what it is asked for: `review` of what changes, `explain` what reports have
    found anew, and the `tests` that are missing. A file that fits one of the globs `leave_out` is never sent.
    `instructions` are by glob what it is to look at in such files. `bytes_max` bounds what is sent of a pull request,
    `tokens_max` what an answer is made of, and `calls_per_day` (UTC) how often it is asked. `every_s` is how often a
    server looks for pull requests that no event has told of, in seconds.
    """

    provider: str
    tasks: Annotated[tuple[Annotated[str, Limits(choices=TASKS)], ...], Limits(items_min=1)] = ("review",)
    leave_out: tuple[str, ...] = LEFT_OUT
    instructions: dict[str, str] = field(default_factory=dict)
    bytes_max: Annotated[int, Limits(minimum=1000, maximum=1_000_000)] = 60_000
    tokens_max: Annotated[int, Limits(minimum=100, maximum=100_000)] = 4000
    calls_per_day: Annotated[int, Limits(minimum=1, maximum=10_000)] = 50
    every_s: Annotated[int, Limits(minimum=60, maximum=86_400)] = 3600
