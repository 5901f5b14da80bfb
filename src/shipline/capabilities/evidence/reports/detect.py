"""Which format a report is in, by what stands in it; names and endings of files lie."""

from __future__ import annotations

import re

from shipline.capabilities.evidence.reports import coverage_xml, junit
from shipline.capabilities.evidence.reports.coverage_json import read_coverage_json
from shipline.capabilities.evidence.reports.coverage_xml import read_coverage_xml
from shipline.capabilities.evidence.reports.junit import read_junit
from shipline.capabilities.evidence.reports.lcov import read_lcov
from shipline.capabilities.evidence.reports.markup import closing_elements, local_name
from shipline.capabilities.evidence.reports.report import LIMIT_BYTES, Report
from shipline.domain.errors import InvalidValue
from shipline.domain.strict_json import read_json

KNOWN = "JUnit XML, Cobertura XML, coverage.py JSON, LCOV"
_MARKUP = re.compile(rb"^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\x00]*<")
_LCOV = re.compile(rb"^(?:\s|#[^\n]*\n)*(?:TN|SF|VER):")
_ROOT = re.compile(r"<(?![?!])(?:[\w.-]+:)?([\w.-]+)")


def read_report_bytes(data: bytes, *, limit_bytes: int = LIMIT_BYTES) -> Report:
    """Read a report in any known format. Raises InvalidValue for more than `limit_bytes`, for a format that is not
    known, and for whatever the format's reader refuses."""
    if len(data) > limit_bytes:
        raise InvalidValue(f"the report is larger than {limit_bytes // (1024 * 1024)} MiB")
    if _MARKUP.match(data[:4096]):
        return _read_markup(data)
    if data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return _read_json_report(data, limit_bytes)
    if _LCOV.match(data[:4096]):
        return read_lcov(data)
    raise _unknown("it starts with neither '<', '{' nor 'TN:' or 'SF:'")


def _unknown(why: str) -> InvalidValue:
    return InvalidValue("the report is in no format that is known here", why=why, todo=f"known formats: {KNOWN}")


def _read_markup(data: bytes) -> Report:
    root = _root_name(data)
    if root in junit.ROOTS:
        return read_junit(data)
    if root == coverage_xml.ROOT:
        return read_coverage_xml(data)
    raise _unknown(f"its root element is <{root[:60]}>")


def _root_name(data: bytes) -> str:
    """The root element's name; from the whole document where a declaration hides it in the first bytes."""
    head = re.sub(r"<!--.*?-->", "", data[:4096].decode("utf-8", errors="replace"), flags=re.DOTALL)
    if "<!DOCTYPE" not in head and (found := _ROOT.search(head)):
        return found[1]
    return next(local_name(element) for above, element in closing_elements(data, what="the report") if not above)


def _read_json_report(data: bytes, limit_bytes: int) -> Report:
    document = read_json(data, what="the report", limit_bytes=limit_bytes)
    if isinstance(document, dict) and {"meta", "files", "totals"} <= set(document):
        return read_coverage_json(document)
    raise _unknown("it is a JSON document of another kind")
