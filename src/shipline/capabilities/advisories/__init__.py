"""Room `advisories`: what is inside of what was shipped, looked at again when more becomes known about it.

Says which releases contain a package and where they run; examines shipped releases by a database of advisories, and
raises an event for each vulnerability in a deployed version, once. What cannot be decided (a version that nobody knows,
an ecosystem whose versions cannot be ordered here) is told as unknown and never as harmless.
"""

from shipline.capabilities.advisories.documents import advisories_document, found_document
from shipline.capabilities.advisories.finding import Found, WantedPackage, find_package, read_package
from shipline.capabilities.advisories.rules import Answer, Exposure
from shipline.capabilities.advisories.shipped import Shipped, shipped_releases
from shipline.capabilities.advisories.usecases import Examined, Touched, examine, record

__all__ = [
    "Answer",
    "Examined",
    "Exposure",
    "Found",
    "Shipped",
    "Touched",
    "WantedPackage",
    "advisories_document",
    "examine",
    "find_package",
    "found_document",
    "read_package",
    "record",
    "shipped_releases",
]
