"""What is tried against an environment after each deployment, or against its preview."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verification:
    """A command that passes by ending with 0, tried up to `attempts` times, `every_s` seconds apart.

    In its arguments {url}, {version}, {package}, {environment} and {python} are filled in; there is no shell.
    `timeout_s` bounds one try, in seconds. With `before` it is tried on the preview, before users see the version;
    afterwards where nothing is previewed, since nothing serves, or where a person has ended the preview.
    """

    name: str
    command: tuple[str, ...]
    attempts: int = 10
    every_s: float = 5.0
    timeout_s: int = 60
    before: bool = False
