"""LCOV trace files (geninfo(1)): gcov's, and what coverage.py, Istanbul, cargo-llvm-cov and others write.

Read are SF, DA, BRDA, LF, LH, BRF, BRH and end_of_record; the other tags of geninfo (TN, VER, FN*, MCDC ...) say
nothing about lines or branches. A file that stands in several records (one for each test) counts once, each line
with the sum of its hits. LF and LH speak where a record has no DA lines, and are a check on them where it has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from shipline.capabilities.evidence.reports.coverage import FileCoverage, coverage_report
from shipline.capabilities.evidence.reports.report import Report
from shipline.domain.errors import InvalidValue

FORMAT = "lcov"
_TAG = re.compile(r"^([A-Z][A-Z0-9_]{0,15}):(.*)$")
_LINE = re.compile(r"^(\d{1,9}),(\d{1,18})(?:,.*)?$")
_BRANCH = re.compile(r"^(\d{1,9}),([^,]*),(.*),(\d{1,18}|-)$")
_COUNT = re.compile(r"^\d{1,9}$")


@dataclass(slots=True)
class _Record:
    """What is known of one source file."""

    hits: dict[int, int] = field(default_factory=dict)
    branches: dict[tuple[str, ...], bool] = field(default_factory=dict)
    declared: dict[str, int] = field(default_factory=dict)

    def take(self, tag: str, value: str) -> None:
        if tag == "DA":
            number, hits = _matched(_LINE, tag, value)[:2]
            self.hits[int(number)] = self.hits.get(int(number), 0) + int(hits)
        elif tag == "BRDA":
            line, block, branch, taken = _matched(_BRANCH, tag, value)
            key = (line, block, branch)
            self.branches[key] = self.branches.get(key, False) or taken not in ("-", "0")
        elif tag in ("LF", "LH", "BRF", "BRH"):
            _matched(_COUNT, tag, value)
            self.declared[tag] = int(value)

    def check(self, path: str) -> None:
        """A record that declares more lines than it lists has lost some."""
        if self.hits and self.declared.get("LF", 0) > len(self.hits):
            raise InvalidValue(f"the LCOV record of {path[:80]!r} declares more lines than it lists")

    def merge(self, other: _Record) -> None:
        for number, hits in other.hits.items():
            self.hits[number] = self.hits.get(number, 0) + hits
        for key, taken in other.branches.items():
            self.branches[key] = self.branches.get(key, False) or taken
        for tag, count in other.declared.items():
            self.declared[tag] = max(self.declared.get(tag, 0), count)

    def coverage(self, path: str) -> FileCoverage:
        branches_total = len(self.branches) or self.declared.get("BRF", 0)
        return FileCoverage(
            path=path,
            lines_covered=sum(hits > 0 for hits in self.hits.values()) if self.hits else self.declared.get("LH", 0),
            lines_total=len(self.hits) or self.declared.get("LF", 0),
            branches_covered=sum(self.branches.values()) if self.branches else self.declared.get("BRH", 0),
            branches_total=branches_total or None,
            hit={number: hits > 0 for number, hits in self.hits.items()} or None,
        )


def _matched(pattern: re.Pattern[str], tag: str, value: str) -> tuple[str, ...]:
    found = pattern.match(value)
    if found is None:
        raise InvalidValue(f"{tag}:{value[:60]} is no line of an LCOV file")
    return found.groups()


def read_lcov(data: bytes) -> Report:
    """Read an LCOV trace file. Raises InvalidValue where it is malformed, cut off or covers nothing."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidValue("the LCOV file is not UTF-8 text") from None
    files: dict[str, _Record] = {}
    path, record = "", None
    for line in text.split("\n"):  # Not splitlines: a path may hold what Unicode takes for the end of a line.
        if line.strip() == "end_of_record":
            if record is None:
                raise InvalidValue("the LCOV file ends a record that it did not begin (SF)")
            record.check(path)
            files.setdefault(path, _Record()).merge(record)
            record = None
            continue
        tag, value = _tagged(line)
        if tag == "SF":
            if record is not None:
                raise InvalidValue(f"the LCOV record of {path[:80]!r} does not end (end_of_record)")
            path, record = value, _Record()
        elif record is not None:
            record.take(tag, value)
    if record is not None:
        raise InvalidValue(f"the LCOV file is cut off: the record of {path[:80]!r} does not end (end_of_record)")
    return coverage_report([record.coverage(path) for path, record in files.items()], tool=FORMAT, format_name=FORMAT)


def _tagged(line: str) -> tuple[str, str]:
    """(tag, value) of a line; ("", "") for blank lines and comments."""
    stripped = line.strip()
    if not stripped or stripped.startswith("#"):
        return "", ""
    found = _TAG.match(stripped)
    if found is None:
        raise InvalidValue(f"{stripped[:60]!r} is no line of an LCOV file")
    return found[1], found[2]
