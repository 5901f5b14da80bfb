"""Frameworks that come with Shipline, each a file beside this one. Titles of controls are in our own words."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from shipline.capabilities.gates.compliance.framework import Framework, read_framework

FRAMEWORKS = ("scorecard", "slsa", "soc2", "ssdf")


@cache
def built_in(name: str) -> Framework:
    """One of FRAMEWORKS."""
    return read_framework((Path(__file__).parent / f"{name}.toml").read_bytes(), where=f"the framework {name}")
