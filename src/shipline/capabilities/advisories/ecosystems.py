"""What ecosystems are called, and by which scheme their versions are ordered, as far as that is known here. Pure.

Names of OSV: https://ossf.github.io/osv-schema/#defined-ecosystems; types of package URLs:
https://github.com/package-url/purl-spec/blob/main/PURL-TYPES.rst.
"""

from __future__ import annotations

from dataclasses import dataclass

from shipline.domain.component import Component
from shipline.ports.advisories import PackageName


@dataclass(frozen=True, slots=True)
class Ecosystem:
    """`name` is OSV's word. `scheme` orders its versions, "" where none here does. `dialect` is that of the ranges that
    people write, "" where none here is read."""

    name: str
    scheme: str = ""
    dialect: str = ""


ECOSYSTEMS = {
    "pypi": Ecosystem("PyPI", "pep440", "pep440"),
    "npm": Ecosystem("npm", "semver", "npm"),
    "cargo": Ecosystem("crates.io", "semver", "cargo"),
    "golang": Ecosystem("Go", "semver"),
    "hex": Ecosystem("Hex", "semver"),
    "pub": Ecosystem("Pub", "semver"),
    "gem": Ecosystem("RubyGems"),
    "maven": Ecosystem("Maven"),
    "nuget": Ecosystem("NuGet"),
    "composer": Ecosystem("Packagist"),
}
"""By the type of the package URL."""


def package_name(component: Component) -> PackageName | None:
    """What OSV calls the package of a component; None for an ecosystem that is not known here."""
    ecosystem = ECOSYSTEMS.get(component.type)
    if ecosystem is None:
        return None
    name = component.name.replace("/", ":") if ecosystem.name == "Maven" else component.name
    return PackageName(ecosystem.name, name)
