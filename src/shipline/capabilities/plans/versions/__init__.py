"""Versions by SemVer 2.0.0, PEP 440 and CalVer: read, write, compare, find the next one, and test against ranges.

One module a scheme. All of it is pure: the day that a calendar version is made on is handed in.
"""

from shipline.capabilities.plans.versions.bumps import bumped, distance
from shipline.capabilities.plans.versions.following import next_version
from shipline.capabilities.plans.versions.pep440 import pep440_parts
from shipline.capabilities.plans.versions.ranges import DIALECTS, Dialect, satisfies
from shipline.capabilities.plans.versions.schemes import scheme_named
from shipline.capabilities.plans.versions.snapshot import SNAPSHOT
from shipline.capabilities.plans.versions.version import STABLE, Numbers, Scheme, Version, checked_channel, compare

__all__ = [
    "DIALECTS",
    "SNAPSHOT",
    "STABLE",
    "Dialect",
    "Numbers",
    "Scheme",
    "Version",
    "bumped",
    "checked_channel",
    "compare",
    "distance",
    "next_version",
    "pep440_parts",
    "satisfies",
    "scheme_named",
]
