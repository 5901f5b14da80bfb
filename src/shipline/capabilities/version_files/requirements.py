"""What a package requires of another one of the same repository, written into its manifest as a byte span.

Ranges alone, those behind `workspace:` and those of pnpm's catalogues among them: words such as `workspace:^` and
`catalog:`, and paths, keep themselves in step and are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

from shipline.capabilities.version_files.editing import readable
from shipline.capabilities.version_files.json_text import read_json, scan_json
from shipline.capabilities.version_files.spans import Span, replaced
from shipline.capabilities.version_files.toml_text import read_toml, scan_toml
from shipline.capabilities.version_files.trees import Keys, Scan, at, rows, table
from shipline.clients.yaml_text import read_yaml, scan_yaml
from shipline.domain.errors import InvalidValue, ShiplineError

# Ranges of npm, Cargo, PEP 440, Poetry and Helm; none of it needs escaping in any of the manifests.
_REQUIREMENT = re.compile(r"(?:workspace:(?=[^0-9]{0,3}[0-9]))?[0-9A-Za-z^~<>=!*|(][0-9A-Za-z^~<>=!*|(). ,+_-]{0,198}")
TEXT_LENGTH_MAX = 1000
_WORKSPACE = re.compile(r"\Aworkspace:(?=[^/:]*[0-9])")  # Before a range; a word such as `workspace:^` has none.
_NPM_TABLES = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")
_GROUPS = ("dependencies", "dev-dependencies")
_CARGO_TABLES = ("dependencies", "dev-dependencies", "build-dependencies")
# From: https://packaging.python.org/en/latest/specifications/dependency-specifiers/
_PEP508 = re.compile(
    r"\s*+(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*+)\s*+(?:\[[^\]]*+\])?+\s*+(?P<range>[^;@\s][^;@]*?)?(?=\s*+(?:[;@]|\Z))"
)


@dataclass(frozen=True, slots=True)
class _Requirement:
    """A place that names the dependency: its keys, and the part of its string that is the range."""

    keys: Keys
    start: int
    end: int

    def text(self, document: Any) -> str:
        """The range, "" where the place requires none."""
        return "" if self.start == self.end else at(document, self.keys)[self.start : self.end]


@dataclass(frozen=True, slots=True)
class _Manifest:
    parse: Any
    scan: Scan
    find: Any


def write_requirement(
    name: str, content: bytes, dependency: str, requirement: str, *, before: str | None = None
) -> bytes:
    """`content`, the manifest of the name `name`, with `requirement` wherever it requires a range of `dependency`.

    A place that requires no range is left as it is, and with `before` each that requires another one than that: what is
    required for development may differ from what is required of users. ShiplineError where the manifest does not name
    the dependency at all or cannot be read; InvalidValue for a manifest of another name, and for what is no range.
    """
    manifest = _MANIFESTS.get(PurePosixPath(name).name)
    if manifest is None:
        raise InvalidValue(f"{name}: requirements are not written there", todo=f"known: {', '.join(_MANIFESTS)}")
    if not _REQUIREMENT.fullmatch(requirement):
        raise InvalidValue(f"{requirement[:80]!r} cannot be written as a requirement")
    with readable(name):
        document = manifest.parse(content)
        found = list(manifest.find(document, dependency))
        if before is not None:
            found = [
                each if _bare(each.text(document)) == _bare(before) else replace(each, end=each.start) for each in found
            ]
        spans = _spans(manifest, content, document, found)
        edited = replaced(content, spans, requirement)
        wanted = _with(document, found, requirement)
        if not found:
            raise ShiplineError(f"{name} does not require {dependency[:80]!r}")
        if manifest.parse(edited) != wanted:
            raise ShiplineError(f"{name} cannot be edited safely", why=f"parsed again, more than {dependency} differs")
    return edited


def required_ranges(name: str, content: bytes, dependency: str) -> tuple[str, ...]:
    """The ranges of a dependency that a manifest requires, each once; empty where it requires none.

    ShiplineError where it cannot be read; InvalidValue for a manifest of another name.
    """
    manifest = _MANIFESTS.get(PurePosixPath(name).name)
    if manifest is None:
        raise InvalidValue(f"{name}: requirements are not read there", todo=f"known: {', '.join(_MANIFESTS)}")
    with readable(name):
        document = manifest.parse(content)
        texts = [each.text(document) for each in manifest.find(document, dependency)]
    return tuple(dict.fromkeys(text for text in texts if text))


def _spans(manifest: _Manifest, content: bytes, document: Any, found: list[_Requirement]) -> list[Span]:
    wanted = {each.keys: each for each in found if each.start < each.end}
    scanned = [(keys, span) for keys, span in manifest.scan(content) if keys in wanted] if wanted else []
    if len(scanned) != len(wanted) or any(span.text != at(document, keys) for keys, span in scanned):
        raise ValueError("a requirement is not written once, as a plain string without escapes")
    return [Span(span.start + wanted[keys].start, span.start + wanted[keys].end, span.text) for keys, span in scanned]


def _with(document: Any, found: list[_Requirement], requirement: str) -> Any:
    """The document as it must be afterwards."""
    for each in found:
        if each.start < each.end:
            text = at(document, each.keys)
            at(document, each.keys[:-1])[each.keys[-1]] = text[: each.start] + requirement + text[each.end :]
    return document


def _range(document: Any, keys: Keys) -> Iterator[_Requirement]:
    """A place that is a range and nothing else; what holds a colon or a path is none."""
    text = at(document, keys)
    if isinstance(text, str):
        whole = 0 if re.search(r"[:/]|\A\s*\Z", _WORKSPACE.sub("", text)) else len(text)
        yield _Requirement(keys, 0, whole)


def _npm(document: Any, dependency: str) -> Iterator[_Requirement]:
    for name in _NPM_TABLES:
        yield from _range(document, (name, dependency))


def _catalogs(document: Any, dependency: str) -> Iterator[_Requirement]:
    """Every catalogue: the one without a name, and those with one."""
    for above in (("catalog",), *(("catalogs", name) for name in table(document, "catalogs"))):
        yield from _range(document, (*above, dependency))


def _cargo(document: Any, dependency: str) -> Iterator[_Requirement]:
    """Every table of dependencies, also a target's and the workspace's; a renamed one goes by its `package`."""
    targets = [("target", name) for name in table(document, "target")]
    for above in ((), ("workspace",), *targets):
        for name in _CARGO_TABLES:
            for key, value in table(document, *above, name).items():
                keys = (*above, name, key)
                called = value.get("package", key) if isinstance(value, dict) else key
                if called != dependency:
                    continue
                yield _Requirement(keys, 0, 0)
                yield from _range(document, keys if isinstance(value, str) else (*keys, "version"))


def _python(document: Any, dependency: str) -> Iterator[_Requirement]:
    lists: list[Keys] = [("project", "dependencies")]
    lists += [
        ("project", "optional-dependencies", name) for name in table(document, "project", "optional-dependencies")
    ]
    lists += [("dependency-groups", name) for name in table(document, "dependency-groups")]
    for above in lists:
        items = at(document, above)
        for number, text in enumerate(items if isinstance(items, list) else []):
            match = _PEP508.match(text) if isinstance(text, str) and len(text) <= TEXT_LENGTH_MAX else None
            if match is not None and _normal(match["name"]) == _normal(dependency):
                yield _Requirement((*above, number), *(match.span("range") if match["range"] else (0, 0)))
    yield from _poetry(document, dependency)


def _poetry(document: Any, dependency: str) -> Iterator[_Requirement]:
    groups = table(document, "tool", "poetry", "group")
    tables: list[tuple[str, ...]] = [("tool", "poetry", name) for name in _GROUPS]
    tables += [("tool", "poetry", "group", name, "dependencies") for name in groups]
    for above in tables:
        for key, value in table(document, *above).items():
            if _normal(key) == _normal(dependency):
                yield _Requirement((*above, key), 0, 0)
                yield from _range(document, (*above, key) if isinstance(value, str) else (*above, key, "version"))


def _bare(written: str) -> str:
    """A range without the parentheses that PEP 508 allows around it."""
    return written.strip(" ()")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _chart(document: Any, dependency: str) -> Iterator[_Requirement]:
    for number, row in rows(document, "dependencies"):
        if row.get("name") == dependency:
            yield _Requirement(("dependencies", number), 0, 0)
            yield from _range(document, ("dependencies", number, "version"))


_MANIFESTS: Mapping[str, _Manifest] = MappingProxyType(
    {
        "package.json": _Manifest(read_json, scan_json, _npm),
        "pnpm-workspace.yaml": _Manifest(read_yaml, scan_yaml, _catalogs),
        "Cargo.toml": _Manifest(read_toml, scan_toml, _cargo),
        "pyproject.toml": _Manifest(read_toml, scan_toml, _python),
        "Chart.yaml": _Manifest(read_yaml, scan_yaml, _chart),
    }
)
