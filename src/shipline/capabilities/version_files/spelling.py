"""One version, spelled as each ecosystem wants it: `1.2.0rc1` is no version for npm, and `1.2.0-rc.1` none in uv.lock.

From: https://semver.org/spec/v2.0.0.html and https://packaging.python.org/en/latest/specifications/version-specifiers/
"""

from __future__ import annotations

import re

from shipline.domain.errors import InvalidValue

SEMVER = re.compile(
    r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)"
    r"(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
_PYTHON = re.compile(
    r"(?P<release>\d+\.\d+\.\d+)(?:(?P<pre>a|b|rc)(?P<number>\d+))?(?:\.dev(?P<dev>\d+))?(?P<local>\+[0-9a-z.]+)?",
    re.ASCII,
)
_WORDS = {"a": "alpha", "b": "beta", "rc": "rc"}


def spelled(version: str, dialect: str) -> str:
    """The version as `dialect` writes it: `semver`, `pep440`, `python`, or "" for any. InvalidValue where it cannot.

    `python` is for files of people: pre-releases alone are written as PEP 440 has them. All else, such as the leading
    zeros of a calendar version, stays as people chose it; tools read it as the same version.
    """
    if dialect == "semver" and not SEMVER.fullmatch(version):
        return _semver(version)
    if dialect == "pep440":
        return _pep440(version)
    return _python(version) if dialect == "python" and "-" in version else version


def _python(version: str) -> str:
    """A pre-release in PEP 440's spelling, where it has one."""
    try:
        return _pep440(version)
    except InvalidValue:
        return version


def same_version(left: str, right: str, *, python: bool) -> bool:
    """True for two spellings of one version; `python` versions are compared as PEP 440 writes them."""
    if left == right or not python:
        return left == right
    try:
        return _pep440(left) == _pep440(right)
    except InvalidValue:
        return False


def _semver(version: str) -> str:
    match = _PYTHON.fullmatch(version)
    if match is None:
        raise InvalidValue(f"{version[:80]!r} cannot be written as a semantic version, which this file needs")
    parts = [f"{_WORDS[match['pre']]}.{int(match['number'])}"] if match["pre"] else []
    parts += [f"dev.{int(match['dev'])}"] if match["dev"] is not None else []
    return match["release"] + ("-" + ".".join(parts) if parts else "") + (match["local"] or "")


def _pep440(version: str) -> str:
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - most version files are not Python's

    try:
        return str(Version(version))
    except InvalidVersion:
        raise InvalidValue(f"{version[:80]!r} is no Python version (PEP 440), which this file needs") from None
