"""Licences as tools write them in JSON: pip-licenses (`--format=json`) and license-checker (`--json`) for npm.

Sources: https://github.com/raimon49/pip-licenses, https://github.com/davglass/license-checker; its fork
license-checker-rseidelsohn writes the same.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from packaging.utils import canonicalize_name

from shipline.capabilities.evidence.reports.licences import Licensed, licence_reading
from shipline.capabilities.evidence.reports.report import Reading
from shipline.capabilities.evidence.reports.shape import object_of, objects_of, text_in
from shipline.capabilities.evidence.reports.source import ReportFile
from shipline.domain.errors import InvalidValue

PIP = "pip-licenses"
NPM = "license-checker"


def read_pip_licenses(file: ReportFile) -> Reading:
    """A list of `{"Name", "Version", "License"}`. Classifiers that stand side by side (`A; B`) are unclear: nobody
    says whether both apply, or either."""
    found = [_python(each) for each in objects_of(file.document(), "the pip-licenses report")]
    return licence_reading(found, tool=PIP)


def _python(entry: dict[str, Any]) -> Licensed:
    name = text_in(entry, "Name", "a package")
    version = text_in(entry, "Version", name, default="")
    purl = f"pkg:pypi/{quote(canonicalize_name(name))}{_at(version)}"
    return Licensed(name, version, text_in(entry, "License", name, default=""), purl)


def read_license_checker(file: ReportFile) -> Reading:
    """An object of packages by `name@version`. A star (`MIT*`) says that the tool knew the licence by its text."""
    found = [_npm(name, entry) for name, entry in object_of(file.document(), "the license-checker report").items()]
    return licence_reading(found, tool=NPM)


def _npm(key: str, entry: object) -> Licensed:
    what = f"the package {key[:80]!r}"
    name, separator, version = key.rpartition("@")
    if not name or not separator:
        name, version = key, ""
    licences = object_of(entry, what).get("licenses")
    # npm's old `licenses` is a list of which one may choose.
    stated = licences if isinstance(licences, list) else [licences or ""]
    if not all(isinstance(each, str) for each in stated):
        raise InvalidValue(f"'licenses' of {what} is neither a text nor a list of texts")
    purl = f"pkg:npm/{quote(name, safe='/')}{_at(version)}"
    return Licensed(name, version, " OR ".join(each.removesuffix("*") for each in stated), purl)


def _at(version: str) -> str:
    return f"@{quote(version, safe='')}" if version else ""
