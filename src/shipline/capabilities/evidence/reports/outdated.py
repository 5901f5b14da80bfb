"""Packages of which there is a newer version: `pip list --outdated --format json`, `npm outdated --json`.

An item is `{"package", "version", "latest", "purl", "step"}`: `version` is what is installed (npm: what would be, where
nothing is), and `step` is how far the latest is from it: `major`, `minor`, `patch`, `none` where it is not newer (a
pre-release is installed, say), and `unknown` where one of the two is no version. A version that several packages of a
workspace ask for is one item.

The summary is `{"total", "outdated", "outdated_major"}`: what is listed, what of it is not `none`, and what is `major`,
None where one of them is `unknown`. Sources: https://pip.pypa.io/en/stable/cli/pip_list/ (uv writes the same),
https://docs.npmjs.com/cli/v11/commands/npm-outdated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from packaging.utils import canonicalize_name

from shipline.capabilities.evidence.reports.report import Report
from shipline.capabilities.evidence.reports.shape import object_of, objects_of, text_in
from shipline.clients.version_order import Order, order_of
from shipline.domain.codec import JSON
from shipline.domain.evidence import EvidenceKind

PIP = "pip-outdated"
NPM = "npm-outdated"


class Step(StrEnum):
    """How far it is from one version to another."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Installed:
    """A package at a version, and the latest one that there is. `purl` is its package URL without a version."""

    package: str
    version: str
    latest: str
    purl: str


def read_pip_outdated(document: JSON) -> Report:
    """A list of `{"name", "version", "latest_version"}`."""
    return _report(PIP, "pip", (_python(each) for each in objects_of(document, "the list of pip")))


def _python(entry: dict[str, Any]) -> Installed:
    name = text_in(entry, "name", "a package")
    purl = f"pkg:pypi/{quote(canonicalize_name(name))}"
    return Installed(name, text_in(entry, "version", name), text_in(entry, "latest_version", name), purl)


def read_npm_outdated(document: JSON) -> Report:
    """An object of packages by name; a name that several packages ask for has a list."""
    found = object_of(document, "the report of npm")
    return _report(NPM, "npm", (one for name, said in found.items() for one in _npm(name, said)))


def _npm(name: str, said: object) -> Iterator[Installed]:
    for entry in objects_of(said if isinstance(said, list) else [said], f"the package {name[:80]!r}"):
        wanted = text_in(entry, "wanted", name, default="")
        current = text_in(entry, "current", name, default="") or wanted
        yield Installed(name, current, text_in(entry, "latest", name), f"pkg:npm/{quote(name, safe='/')}")


def _report(form: str, tool: str, found: Iterable[Installed]) -> Report:
    items = [
        {
            "package": one.package,
            "version": one.version,
            "latest": one.latest,
            "purl": f"{one.purl}@{quote(one.version, safe='')}" if one.version else one.purl,
            "step": _step(order_of(one.version), order_of(one.latest)).value,
        }
        for one in dict.fromkeys(found)
    ]
    steps = Counter(item["step"] for item in items)
    strange = steps[Step.UNKNOWN]
    summary = {
        "total": len(items),
        "outdated": len(items) - steps[Step.NONE],
        "outdated_major": None if strange else steps[Step.MAJOR],
    }
    notes = (f"of {strange} packages the version is not understood, so they may be behind by a major one",)
    return Report(EvidenceKind.DEPENDENCIES, tool, form, summary, tuple(items), notes if strange else ())


def _step(version: Order | None, latest: Order | None) -> Step:
    if version is None or latest is None:
        return Step.UNKNOWN
    if latest <= version:
        return Step.NONE
    before, after = ((order[0], *(*order[1], 0, 0)[:2]) for order in (version, latest))
    if before[:2] != after[:2]:
        return Step.MAJOR
    return Step.MINOR if before != after else Step.PATCH
