"""Which package of a repository requires which other one, in what order they are released, and what goes in circles.

Pure. A requirement counts where it names a package of the same kind by the name that is usual there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shipline.capabilities.plans.graph.ranges import WORKSPACE
from shipline.capabilities.plans.packages import Found, Requirement
from shipline.domain.package import Package

# A private npm package is a plain one.
ECOSYSTEMS: Mapping[str, frozenset[str]] = {
    "npm": frozenset({"npm", "plain"}),
    "cargo": frozenset({"cargo"}),
    "pep440": frozenset({"python"}),
    "poetry": frozenset({"python"}),
    "helm": frozenset({"helm"}),
}


@dataclass(frozen=True, slots=True)
class Edge:
    """`dependent` requires `dependency`; both are names of packages."""

    dependent: str
    dependency: str
    requirement: Requirement

    @property
    def by_protocol(self) -> bool:
        """True for a requirement of whatever lies in the workspace."""
        return self.requirement.range.startswith(WORKSPACE)


def edges_of(found: Iterable[tuple[Package, Found | None]], tools: Iterable[Requirement] = ()) -> tuple[Edge, ...]:
    """The requirements among the packages, in their order; those of packages from elsewhere are left out.

    `tools` are those of manifests that are no package's, which count as dependents by their path.
    """
    listed = tuple(found)
    known = {(_normal(package.name, package.ecosystem), package.ecosystem): package.name for package, _ in listed}
    wanting = [(package.name, one) for package, each in listed if each is not None for one in each.requirements]
    edges: list[Edge] = []
    for dependent, requirement in (*wanting, *((one.path, one) for one in tools)):
        for ecosystem in ECOSYSTEMS[requirement.dialect]:
            name = known.get((_normal(requirement.name, ecosystem), ecosystem))
            if name is not None and name != dependent:
                edges.append(Edge(dependent, name, requirement))
    return tuple(edges)


def components(names: Sequence[str], edges: Iterable[Edge]) -> tuple[tuple[str, ...], ...]:
    """The packages, dependencies first; packages that require each other in a circle stand together.

    Tarjan's algorithm, without recursion: a chain of packages may be longer than Python's stack. Where the edges leave
    a choice, the order of `names` stays.
    """
    wanted: dict[str, list[str]] = {name: [] for name in names}
    for edge in edges:
        wanted[edge.dependent].append(edge.dependency)
    place = {name: index for index, name in enumerate(names)}
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    open_names: dict[str, None] = {}
    found: list[tuple[str, ...]] = []
    for start in names:
        path = [(start, iter(wanted[start]))] if start not in index else []
        while path:
            name, rest = path[-1]
            if name not in index:
                index[name] = low[name] = len(index)
                open_names[name] = None
            following = next(rest, None)
            if following is None:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[name])
                if low[name] == index[name]:
                    found.append(tuple(sorted(_closed(open_names, name), key=place.__getitem__)))
            elif following not in index:
                path.append((following, iter(wanted[following])))
            elif following in open_names:
                low[name] = min(low[name], index[following])
    return tuple(found)


def circle_notes(found: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """What is said of packages that require each other."""
    return tuple(
        f"{', '.join(each[:-1])} and {each[-1]} require each other in a circle: "
        "none of them can be published before what it requires, so they go in this order."
        for each in found
        if len(each) > 1
    )


def _closed(open_names: dict[str, None], last: str) -> list[str]:
    """Take the names off the stack, up to and with `last`."""
    taken: list[str] = []
    while last in open_names:
        taken.append(open_names.popitem()[0])
    return taken


def _normal(name: str, ecosystem: str) -> str:
    """A name as its ecosystem compares it.

    From: https://packaging.python.org/en/latest/specifications/name-normalization/
    """
    return re.sub(r"[-_.]+", "-", name).lower() if ecosystem == "python" else name
