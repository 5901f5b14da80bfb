"""The public JSON of a check of version files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shipline.capabilities.version_files.checking import PackageCheck, Row

SCHEMA = "shipline.version-check/1"


def check_document(checks: Sequence[PackageCheck]) -> dict[str, Any]:
    """The checks as plain JSON data, schema `shipline.version-check/1`."""
    return {
        "schema": SCHEMA,
        "ok": all(check.ok for check in checks),
        "packages": [_package(check) for check in checks],
    }


def _package(check: PackageCheck) -> dict[str, Any]:
    tagged = check.tagged
    return {
        "name": check.package.name,
        "path": check.package.path,
        "ok": check.ok,
        "version": check.truth.version,
        "source": {"kind": check.truth.source, "name": check.truth.name, "why": check.truth.why},
        "tag": None if tagged is None else {"name": tagged.tag, "version": tagged.version},
        "files": [_file(row) for row in check.rows],
        "notes": list(check.notes),
    }


def _file(row: Row) -> dict[str, Any]:
    stated = row.stated
    return {
        "path": stated.file.path,
        "kind": stated.file.kind,
        "ok": row.ok,
        "version": stated.version,
        "problem": row.problem,
        "sites": [
            {"line": line, "start": site.start, "end": site.end, "version": site.version}
            for line, site in zip(stated.lines, stated.sites, strict=True)
        ],
    }
