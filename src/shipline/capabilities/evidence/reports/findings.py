"""What scanners find, whatever format it came in.

The summary is `{"total", "critical", "high", "medium", "low", "info", "suppressed", "errors"}`: the first six count
what is open, `suppressed` what somebody has waved through in the tool, and `errors` what the tool could not look at.

An item is `{"tool", "rule", "title", "message", "severity", "said", "location", "package", "version",
"fixed_version", "ids", "fingerprint", "suppressed"}`. `severity` is one of ours, `said` the tool's own word or number
for it. `location` is `{"path", "line"}` or None, `package` a package URL without a version, `ids` what advisories and
weaknesses are called (CVE, GHSA, CWE ...), sorted. `fingerprint` is the same when the same thing is found again, also
some lines further down, and differs for two equal findings in one report. Snippets of code are never taken over:
there stands what a scanner of secrets has found.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from shipline.capabilities.evidence.reports.report import Item
from shipline.capabilities.evidence.reports.secrecy import masked
from shipline.capabilities.evidence.reports.severity import UNRATED, Severity, of_score
from shipline.domain.errors import InvalidValue

FINDINGS_MAX = 1_000_000
TITLE_LENGTH_MAX = 200
MESSAGE_LENGTH_MAX = 1000
WORD_LENGTH_MAX = 400
"""Of names: rules, paths, versions."""
IDS_MAX = 64
TOLD_MAX = 5
"""How many words and errors the receipt names; the rest is counted."""
_ID = re.compile(r"^[A-Za-z][A-Za-z0-9]{1,15}[-:_/][A-Za-z0-9][\w.:/-]{0,80}$")
_IDS_IN_TEXT = re.compile(
    r"\b(?:CVE-\d{4}-\d{4,12}|CWE[-_/ ]?\d{1,5}|GHSA(?:-[23456789cfghjmpqrvwx]{4}){3})\b", re.IGNORECASE
)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
"""Controls, which a terminal would obey, and marks that turn the direction of text."""


class Finding(NamedTuple):
    """One finding as a reader sees it. A tuple: a frozen dataclass takes as long to make as the finding to read.

    `severity` is ours, `said` the tool's. `identity` is what the tool itself knows the finding by, over runs; empty:
    rule, package and version or path and message are taken. `tool` None: the report's own. `title` and `message` may
    be whatever the report has there.
    """

    rule: str
    severity: Severity
    said: str = ""
    title: Any = ""
    message: Any = ""
    path: str = ""
    line: int | None = None
    package: str | None = None
    version: str = ""
    fixed_version: str = ""
    ids: Iterable[str] = ()
    identity: tuple[str, ...] = ()
    suppressed: bool = False
    tool: str | None = None


class Findings:
    """Counts findings as they are read: the tally of their kind."""

    def __init__(self, tool: str) -> None:
        self.tool = tool
        self._open: Counter[Severity] = Counter()
        self._suppressed = self._total = 0
        self._errors = 0
        self._errors_told: list[str] = []
        self._unrated: Counter[str] = Counter()
        self._told: list[str] = []
        self._seen: set[bytes] = set()
        self._again: Counter[bytes] = Counter()

    def take(self, finding: Finding) -> Item:
        """Count a finding and give its item. Raises InvalidValue for more than FINDINGS_MAX."""
        if finding.suppressed:
            self._suppressed += 1
        else:
            self._open[finding.severity] += 1
        self._total += 1
        if self._total > FINDINGS_MAX:
            raise InvalidValue(f"the report lists more than {FINDINGS_MAX} findings")
        tool = word(finding.tool or self.tool)
        message = text(finding.message or finding.title, MESSAGE_LENGTH_MAX)
        title = (_title(finding.title) if isinstance(finding.title, str) else "") or text(
            finding.message or finding.rule, TITLE_LENGTH_MAX
        )
        # The same file, whether a tool was started in its folder or for it.
        path = word(finding.path).removeprefix("./")
        return {
            "tool": tool,
            "rule": word(finding.rule),
            "title": title,
            "message": message,
            "severity": finding.severity.value,
            "said": word(finding.said),
            "location": {"path": path, "line": finding.line} if path else None,
            "package": finding.package,
            "version": word(finding.version) or None,
            "fixed_version": word(finding.fixed_version) or None,
            "ids": sorted_ids(finding.ids) if finding.ids else [],
            "fingerprint": self._fingerprint(tool, finding, path, message),
            "suppressed": finding.suppressed,
        }

    def severity(self, said: Any, words: Mapping[str, Severity], *, otherwise: Severity | None = None) -> Severity:
        """The severity that `said` is in a tool's table. What it does not know is noted and counts as UNRATED, or as
        `otherwise` where the tool says nothing at all (None or "") and that is documented of it."""
        if otherwise is not None and (said is None or said == ""):
            return otherwise
        found = words.get(said.lower()) if isinstance(said, str) else None
        if found is None:
            self._unrated[word(said) if isinstance(said, str) else ""] += 1
            return UNRATED
        return found

    def score(self, said: Any) -> Severity | None:
        """The severity of a CVSS score, as a number or digits; None where it is none."""
        return _of_score(said) if isinstance(said, str | int | float) else None

    def error(self, what: str) -> None:
        """Count something that the tool could not look at."""
        self._errors += 1
        if len(self._errors_told) < TOLD_MAX:
            self._errors_told.append(text(what, TITLE_LENGTH_MAX))

    def tell(self, note: str) -> None:
        """Add a sentence to the receipt."""
        self._told.append(note)

    @property
    def notes(self) -> list[str]:
        """The receipt."""
        unrated = [
            f"{count} of unknown severity {said!r} count as {UNRATED}"
            if said
            else f"{count} unrated count as {UNRATED}"
            for said, count in self._unrated.most_common(TOLD_MAX)
        ]
        errors = [f"not looked at: {what}" for what in self._errors_told]
        more = self._errors - len(errors)
        return [*self._told, *unrated, *errors, *([f"and {more} more were not looked at"] if more > 0 else [])]

    def summary(self) -> dict[str, Any]:
        """The figures."""
        counts = {severity.value: self._open[severity] for severity in Severity}
        total = {"total": self._open.total()}
        return total | counts | {"suppressed": self._suppressed, "errors": self._errors}

    def _fingerprint(self, tool: str, finding: Finding, path: str, message: str) -> str:
        """What the tool knows it by, or what does not change with lines; equal ones are numbered in their order."""
        if finding.identity:
            parts: tuple[str, ...] = finding.identity
        elif finding.package:
            parts = (finding.rule, finding.package, finding.version, path)
        else:
            parts = (finding.rule, path, message)
        digest = hashlib.sha256("\x1f".join((tool, *parts)).encode("utf-8", "replace")).digest()[:16]
        if digest not in self._seen:
            self._seen.add(digest)
            return digest.hex()
        self._again[digest] += 1
        return hashlib.sha256(digest + str(self._again[digest]).encode()).digest()[:16].hex()


def text(value: Any, length_max: int) -> str:
    """A text for people: no controls, no secrets of known shapes, one blank for several, shortened with an ellipsis."""
    if not isinstance(value, str) or not value:
        return ""
    found = value[: 4 * length_max]
    if not found.isprintable():
        found = " ".join(_UNPRINTABLE.sub(" ", found).split())
    found = masked(found)
    return found if len(found) <= length_max else found[: length_max - 1] + "…"


@lru_cache(maxsize=4096)
def _of_score(said: str | float) -> Severity | None:
    score = number(said)
    return None if score is None or not 0 <= score <= 10 else of_score(score)


@lru_cache(maxsize=4096)
def _title(value: str) -> str:
    """A title, which many findings share."""
    return text(value, TITLE_LENGTH_MAX)


@lru_cache(maxsize=4096)
def _word(value: str) -> str:
    # Masked before it is cut: what is left of a secret at the end has no known shape any more.
    return masked(_UNPRINTABLE.sub(" ", value[: 4 * WORD_LENGTH_MAX]).strip())[:WORD_LENGTH_MAX]


def word(value: Any) -> str:
    """A name as it stands, without controls and of bounded length; "" for what is no text."""
    return _word(value) if isinstance(value, str) else ""


def number(value: Any) -> float | None:
    """A finite number, also from digits; None for anything else."""
    if isinstance(value, str) and len(value) < 32:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:  # A whole number of hundreds of digits.
        return None
    return found if math.isfinite(found) else None


def line_number(value: Any) -> int | None:
    """A line, counted from 1; None for what is none."""
    found = number(value)
    return int(found) if found is not None and 1 <= found <= 10**9 else None


def sorted_ids(values: Iterable[Any]) -> list[str]:
    """What advisories and weaknesses are called, each once. CVE and CWE are written in capitals, without zeros."""
    found = set()
    for value in values:
        if isinstance(value, str) and _ID.match(value):
            found.add(_canonical(value))
        if len(found) >= IDS_MAX:
            break
    return sorted(found)


def ids_in(*values: Any) -> list[str]:
    """The CVE, GHSA and CWE numbers that stand in texts."""
    return [
        found
        for value in values
        if isinstance(value, str)
        for found in _IDS_IN_TEXT.findall(value[:MESSAGE_LENGTH_MAX])
    ]


@lru_cache(maxsize=4096)
def _canonical(value: str) -> str:
    upper = value.upper()
    if upper.startswith("CWE"):
        digits = re.sub(r"\D", "", upper[3:])
        return f"CWE-{int(digits)}" if digits else value
    if upper.startswith("CVE-"):
        return upper
    return "GHSA" + value[4:].lower() if upper.startswith("GHSA-") else value


_PURL_TYPES = {
    "pip": "pypi", "pypi": "pypi", "poetry": "pypi", "pipenv": "pypi", "uv": "pypi", "python-pkg": "pypi",
    "pipfile": "pypi", "python": "pypi", "npm": "npm", "yarn": "npm", "pnpm": "npm", "node-pkg": "npm",
    "maven": "maven", "gradle": "maven", "jar": "maven", "pom": "maven", "java": "maven",
    "go": "golang", "gomod": "golang",
    "golang": "golang", "gomodules": "golang", "gobinary": "golang", "rubygems": "gem", "bundler": "gem", "gem": "gem",
    "gemspec": "gem", "nuget": "nuget", "dotnet-core": "nuget", "composer": "composer", "packagist": "composer",
    "cargo": "cargo", "crates.io": "cargo", "rust": "cargo", "rust-binary": "cargo", "rustbinary": "cargo",
    "hex": "hex", "pub": "pub", "swift": "swift", "swifturl": "swift", "cocoapods": "cocoapods", "conan": "conan",
    "conancenter": "conan", "hackage": "hackage", "cran": "cran", "actions": "githubactions",
    "github actions": "githubactions", "deb": "deb", "debian": "deb", "ubuntu": "deb", "apk": "apk", "alpine": "apk",
    "rpm": "rpm", "redhat": "rpm", "centos": "rpm", "rocky": "rpm", "alma": "rpm", "fedora": "rpm", "amazon": "rpm",
    "oracle": "rpm",
}  # fmt: skip
"""What tools call package managers, and the type of their package URLs (package-url/purl-spec, PURL-TYPES)."""


@lru_cache(maxsize=4096)
def package_url(manager: str, name: str) -> str | None:
    """The package URL of a package without its version; None where there is no name."""
    name = word(name)
    if not name:
        return None
    kind = _PURL_TYPES.get(manager.lower().partition(":")[0], "generic")
    if kind == "pypi":
        name = re.sub(r"[-_.]+", "-", name).lower()
    elif kind == "maven":
        name = name.replace(":", "/")
    elif kind in ("deb", "apk", "rpm") and manager.lower() not in ("deb", "apk", "rpm"):
        name = f"{manager.lower().partition(':')[0]}/{name}"
    return f"pkg:{kind}/" + "/".join(quote(part, safe="") for part in name.split("/") if part)


def bare_package_url(value: Any) -> str | None:
    """A package URL that a tool wrote, without version, qualifiers and subpath; None for what is none."""
    if not isinstance(value, str) or not value.startswith("pkg:") or "/" not in value:
        return None
    found = word(value).partition("?")[0].partition("#")[0]
    head, _, last = found.rpartition("/")
    return f"{head}/{last.partition('@')[0]}"


def path_of(uri: Any) -> str:
    """The path that a `file:` URI or a relative reference names."""
    return _path_of(uri) if isinstance(uri, str) else ""


@lru_cache(maxsize=4096)
def _path_of(uri: str) -> str:
    found = uri.removeprefix("file://") if uri.startswith("file:///") else uri
    return word(unquote(found) if "%" in found else found)


def table(value: Any) -> dict[str, Any]:
    """An object, {} for anything else: what a report leaves out, or has as null."""
    return value if isinstance(value, dict) else {}


def tables(value: Any) -> list[dict[str, Any]]:
    """The objects of a list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def listed(value: Any, what: str) -> list[dict[str, Any]]:
    """The objects of a list of findings, [] for null. Raises InvalidValue for anything else, since what is passed over
    might be the worst."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise InvalidValue(f"{what} in the report is no list of objects")
    return value


def texts(value: Any) -> list[str]:
    """The texts of a list; a text alone is one."""
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
