"""Checklist: what people have to do for a release, each item ticked by somebody, and who sees to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Checklist:
    """What has to be ticked before a release may pass `stage`.

    `name` is that of the environment or the train that it belongs to. `items` are sentences, each once, at least one.
    `coordinator` is the person who sees to it; never "".
    """

    name: str
    stage: str
    items: tuple[str, ...]
    coordinator: str


@dataclass(frozen=True, slots=True)
class Tick:
    """That somebody said of an item that it is done, or with `is_done` False that it is not.

    `list_name` is the checklist's name. `by` is who said so, as `subject@issuer`; `at_us` is UTC microseconds; `note`
    is a word on it, "" for none.
    """

    list_name: str
    stage: str
    item: str
    is_done: bool
    by: str
    at_us: int
    note: str = ""
