"""Every kind of version file: by which names it is found, and what reads and edits it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from types import MappingProxyType

from shipline.capabilities.version_files import places
from shipline.capabilities.version_files.dockerfile import ARGUMENT, LABEL
from shipline.capabilities.version_files.gradle import GRADLE
from shipline.capabilities.version_files.json_text import read_json, scan_json
from shipline.capabilities.version_files.lines import GEMSPEC, GRADLE_PROPERTIES, PLAIN, RUBY_MODULE, SETUP_CFG
from shipline.capabilities.version_files.marked import MARKED, MARKER, PATTERN
from shipline.capabilities.version_files.python_module import PYTHON
from shipline.capabilities.version_files.spans import Editor
from shipline.capabilities.version_files.toml_text import read_toml, scan_toml
from shipline.capabilities.version_files.trees import Tree
from shipline.capabilities.version_files.xml_text import MavenProject
from shipline.clients.yaml_text import read_yaml, scan_yaml
from shipline.domain.errors import InvalidValue

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of version file. `names` are its files' names, `*` for any letters; a kind without is always chosen.

    `ecosystem` is that of the packages that it belongs to, "" for all. `dialect` is how it spells versions (see
    `spelled`). `silent` says why files of this kind never state the package's version, "" for those that do.
    """

    editor: Editor
    names: tuple[str, ...] = ()
    ecosystem: str = ""
    dialect: str = ""
    bytes_max: int = 4 * MIB
    silent: str = ""


_NONE = places.fixed()
_CHART = Tree(read_yaml, scan_yaml, places.fixed(("version",)))
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        # PEP 621; Poetry's own table is the older place.
        "python-project": Kind(
            Tree(read_toml, scan_toml, places.fixed(("project", "version"), ("tool", "poetry", "version"))),
            ("pyproject.toml",),
            "python",
            dialect="python",
        ),
        "setup-cfg": Kind(SETUP_CFG, ("setup.cfg",), "python", dialect="python"),
        "cargo-package": Kind(Tree(read_toml, scan_toml, places.cargo_package), ("Cargo.toml",), dialect="semver"),
        "npm-package": Kind(
            Tree(read_json, scan_json, places.fixed(("version",))), ("package.json",), "npm", dialect="semver"
        ),
        "composer": Kind(Tree(read_json, scan_json, places.fixed(("version",))), ("composer.json",)),
        "maven": Kind(MavenProject(), ("pom.xml",)),
        "gradle": Kind(GRADLE, ("build.gradle", "build.gradle.kts")),
        "gradle-properties": Kind(GRADLE_PROPERTIES, ("gradle.properties",)),
        "gemspec": Kind(GEMSPEC, ("*.gemspec",)),
        "ruby-module": Kind(RUBY_MODULE, ("version.rb",)),
        "helm-chart": Kind(_CHART, ("Chart.yaml",), dialect="semver"),
        "helm-app-version": Kind(Tree(read_yaml, scan_yaml, places.fixed(("appVersion",)))),
        "plain": Kind(PLAIN, ("VERSION", "VERSION.txt", "version.txt")),
        "python-module": Kind(
            PYTHON, ("__init__.py", "__about__.py", "_version.py", "version.py"), "python", dialect="python"
        ),
        "dockerfile": Kind(LABEL, ("Dockerfile", "Containerfile", "*.Dockerfile")),
        "dockerfile-arg": Kind(ARGUMENT),
        "kustomize": Kind(
            Tree(read_yaml, scan_yaml, places.kustomize), ("kustomization.yaml", "kustomization.yml", "Kustomization")
        ),
        "marker": Kind(MARKED),
        "pattern": Kind(PATTERN, bytes_max=MIB),
        "npm-lock": Kind(
            Tree(read_json, scan_json, places.npm_lock),
            ("package-lock.json", "npm-shrinkwrap.json"),
            "npm",
            dialect="semver",
            bytes_max=64 * MIB,
        ),
        "uv-lock": Kind(
            Tree(read_toml, scan_toml, places.uv_lock), ("uv.lock",), "python", dialect="pep440", bytes_max=64 * MIB
        ),
        "cargo-lock": Kind(
            Tree(read_toml, scan_toml, places.cargo_lock), ("Cargo.lock",), dialect="semver", bytes_max=64 * MIB
        ),
        "pnpm-lock": Kind(
            Tree(read_yaml, scan_yaml, _NONE), ("pnpm-lock.yaml",), "npm", silent="pnpm locks only what is depended on"
        ),
        "yarn-lock": Kind(
            Tree(read_yaml, scan_yaml, _NONE),
            ("yarn.lock",),
            "npm",
            silent="Yarn writes 0.0.0-use.local for the packages of the workspace, whatever their version",
        ),
        "poetry-lock": Kind(
            Tree(read_toml, scan_toml, _NONE),
            ("poetry.lock",),
            "python",
            silent="Poetry locks only what is depended on",
        ),
    }
)


def kind_by_name(path: str) -> str | None:
    """The kind that a file's name says; None for any other name."""
    name = PurePosixPath(path).name
    matching = (kind for kind, known in KINDS.items() if any(fnmatchcase(name, pattern) for pattern in known.names))
    return next(matching, None)


def kind_of(path: str, data: bytes = b"") -> str:
    """The kind of a file by its name, else `marker` where `data` holds a marker. InvalidValue names the known ones."""
    kind = kind_by_name(path) or ("marker" if MARKER in data else None)
    if kind is not None:
        return kind
    known_names = sorted(pattern for known in KINDS.values() if not known.silent for pattern in known.names)
    raise InvalidValue(
        f"{path}: no version file by its name",
        todo="give it a `kind` or a `pattern`, or mark the line with `shipline-version` in a comment;"
        f" known by name: {', '.join(known_names)}",
    )
